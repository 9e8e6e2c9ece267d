//! Sources: one line of text at a time to one [`Record`].

mod casas;
mod jsonl;

use std::io::BufRead;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{LineError, Rejected};
use crate::event::Event;

/// How events are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One canonical event per line.
    Jsonl,
    /// The text of the CASAS smart homes: date, time, sensor, value and, on some lines, an activity mark.
    ///
    /// The text names no time zone; its times are taken as they stand, as if they were UTC,
    /// so that the hour of the day is the one on the wall of that home.
    Casas,
}

impl Format {
    /// The names that [`Format::from_name`] takes.
    pub const NAMES: [&str; 2] = ["jsonl", "casas"];

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "jsonl" => Some(Self::Jsonl),
            "casas" => Some(Self::Casas),
            _ => None,
        }
    }

    /// The format that a file with this first line has.
    #[must_use]
    pub fn detect(first_line: &str) -> Option<Self> {
        let line = first_line.trim_start();
        if line.starts_with('{') {
            return Some(Self::Jsonl);
        }
        casas::looks_like(line).then_some(Self::Casas)
    }
}

/// What one line says: an event, and in annotated data where an activity begins or ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What the sensor saw.
    pub event: Event,
    /// What an annotator wrote beside it. Never part of the event.
    pub mark: Option<ActivityMark>,
}

/// One edge of an annotated activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityMark {
    /// The name of the activity.
    pub activity: String,
    /// Which edge.
    pub edge: MarkEdge,
    /// When.
    pub time: DateTime<Utc>,
}

/// Which edge of an activity a mark stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkEdge {
    /// The first event of the activity.
    Begin,
    /// The last event of the activity.
    End,
}

/// Reads records line by line; a bad line is given as [`Rejected`] and the next one is read.
#[derive(Debug)]
pub struct EventReader<R> {
    input: R,
    format: Format,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> EventReader<R> {
    /// Reads `input`, which is in `format`.
    pub fn new(input: R, format: Format) -> Self {
        Self { input, format, line: 0, buffer: Vec::new() }
    }

    fn parse(&self, text: &str) -> Result<Record, LineError> {
        match self.format {
            Format::Jsonl => jsonl::parse(text),
            Format::Casas => casas::parse(text),
        }
    }
}

impl<R: BufRead> Iterator for EventReader<R> {
    type Item = std::io::Result<Result<Record, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.buffer.clear();
            match self.input.read_until(b'\n', &mut self.buffer) {
                Ok(0) => return None,
                Ok(_) => self.line += 1,
                Err(error) => return Some(Err(error)),
            }
            let text = str::from_utf8(&self.buffer).map(str::trim);
            if text.is_ok_and(str::is_empty) {
                continue;
            }
            let record = text.map_err(|_| LineError::Encoding).and_then(|text| self.parse(text));
            return Some(Ok(record.map_err(|reason| Rejected {
                line: self.line,
                reason,
                raw: String::from_utf8_lossy(&self.buffer).trim_end().to_owned(),
            })));
        }
    }
}
