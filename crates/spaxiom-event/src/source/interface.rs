//! What a format has to say of itself.

use std::fmt::Debug;
use std::path::Path;

use serde_json::{Map, Value};

use super::column_map::ColumnMap;
use super::record::Parsed;
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

    /// Whether the first line is a header and no record.
    fn has_header(&self) -> bool {
        false
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

    /// Makes the parser of an input.
    ///
    /// # Errors
    /// Settings that are missing or do not fit the input.
    fn parser(&self, head: Head<'_>) -> Result<Box<dyn RecordParser>, EventError>;
}
