//! What a format has to say of itself.

use std::fmt::Debug;
use std::path::Path;

use serde_json::{Map, Value};

use super::mapping::ColumnMap;
use super::record::{Parsed, Record};
use crate::error::{EventError, LineError};
use crate::normalizer::Normalizer;

/// What an input begins with.
#[derive(Debug, Clone, PartialEq)]
pub enum First<'a> {
    /// A JSON object: that of the first line, or the first one of a document.
    Object(Map<String, Value>),
    /// A line that is no whole JSON object.
    Line(&'a str),
}

/// How an input is cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// JSON objects: one per line, in an array, or one after another over several lines.
    Json,
    /// One record per line.
    Lines,
    /// A binary table that is read by columns, not by records.
    Table,
}

/// What a format may look at before the first record is parsed.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The input, or what messages call it.
    pub path: &'a Path,
    /// Its first line.
    pub first_line: &'a str,
    /// As much of it as was read to tell its format, the first line included.
    pub text: &'a str,
    /// What the user says of the columns of delimited text.
    pub columns: Option<&'a ColumnMap>,
}

/// Parses one record after another; the threads of a reader share it.
pub trait RecordParser: Send + Sync {
    /// Parses one record.
    ///
    /// # Errors
    /// [`LineError`] says what is wrong with the record.
    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError>;

    /// How many lines stand before the first record: a header, and text before it.
    fn n_header_lines(&self) -> usize {
        0
    }

    /// Whether what a record says depends on those before it, so that one thread has to read all of them.
    fn is_ordered(&self) -> bool {
        false
    }

    /// Whether records may have times without a zone, whose order tells the hour apart that clocks show twice.
    fn has_wall_times(&self) -> bool {
        false
    }

    /// The delimiter behind which a quote opens a field that may go on over the end of a line.
    fn quoted_after(&self) -> Option<u8> {
        None
    }

    /// Records that could only be told at the end of the input.
    fn finish(&self, normalizer: &Normalizer) -> Vec<Result<Record, LineError>> {
        let _ = normalizer;
        Vec::new()
    }
}

impl<F: Fn(&str, &Normalizer) -> Result<Parsed, LineError> + Send + Sync> RecordParser for F {
    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        self(text, normalizer)
    }
}

/// A format of events: how it is recognized, how it is cut into records, and how a record is parsed.
pub trait Source: Debug + Send + Sync {
    /// The name in commands, files and summaries.
    fn name(&self) -> &'static str;

    /// How an input of this format is cut into records.
    fn framing(&self) -> Framing;

    /// Whether an input that begins like this has this format.
    fn looks_like(&self, first: &First<'_>) -> bool;

    /// Whether it can be told what the columns mean.
    fn takes_columns(&self) -> bool {
        false
    }

    /// Makes the parser of an input.
    ///
    /// # Errors
    /// Settings that are missing or do not fit the input.
    fn parser(&self, head: Head<'_>) -> Result<Box<dyn RecordParser>, EventError>;
}
