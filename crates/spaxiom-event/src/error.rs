//! What can go wrong while events are read.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::source::Format;

/// Why a file of events cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The file cannot be opened, read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Apart from "all lines rejected": there is nothing to repair.
    #[error("`{path}` holds no event")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The caller can name the format and try again.
    #[error("cannot tell the format of `{path}` from its first line; name it with `--format {wanted}`", wanted = Format::NAMES.join("|"))]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A label file is made by a program: one bad line means that it is damaged.
    #[error("line {line} of the label file `{path}` is wrong")]
    Label {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
}

/// A line that was not read; all other lines of the file were.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Rejected {
    /// Counted from 1.
    pub line: u64,
    /// What was wanted and what was found.
    pub reason: LineError,
    /// The line, with bytes that are not UTF-8 replaced.
    pub raw: String,
}

/// Why one line is no event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not a JSON object, or a member of another type than wanted.
    #[error("wanted one JSON object with the members of an event, got: {0}")]
    Json(serde_json::Error),
    /// A member that every event has.
    #[error("`{field}` is missing")]
    Missing {
        /// The member.
        field: &'static str,
    },
    /// A time that cannot be placed on the UTC axis.
    #[error("`{field}`: wanted RFC 3339 with an offset (2025-01-06T10:23:45Z) or seconds since 1970, got `{got}`")]
    Time {
        /// The member.
        field: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// An interval that runs backwards.
    #[error("`end_time` {end} is before `time` {start}")]
    EndsBeforeStart {
        /// `time`.
        start: DateTime<Utc>,
        /// `end_time`.
        end: DateTime<Utc>,
    },
    /// Attributes are finite numbers, flags and words.
    #[error("attribute `{name}`: wanted a finite number, a flag or a word, got `{got}`")]
    Attribute {
        /// The attribute.
        name: String,
        /// As it stands in the line.
        got: String,
    },
    /// The line has other columns than CASAS text has.
    #[error("wanted `date time sensor value [activity begin|end]`, got {got} columns")]
    Columns {
        /// How many there are.
        got: usize,
    },
    /// A CASAS reading that stands for no event.
    #[error("sensor `{sensor}`: wanted ON, OFF, OPEN, CLOSE, PRESENT, ABSENT or a number, got `{got}`")]
    SensorValue {
        /// The sensor.
        sensor: String,
        /// Its value.
        got: String,
    },
    /// Text is UTF-8 here.
    #[error("wanted UTF-8, got other bytes")]
    Encoding,
}
