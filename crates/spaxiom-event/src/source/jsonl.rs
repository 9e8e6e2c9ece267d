//! Canonical JSON lines.

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::{Parsed, Record};
use crate::error::{EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;

/// Canonical events.
#[derive(Debug)]
pub(super) struct Jsonl;

impl Source for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn framing(&self) -> Framing {
        Framing::Json
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        match first {
            First::Object(_) => true,
            // Damaged JSON is for the reader to complain about.
            First::Line(line) => line.starts_with(['{', '[']),
        }
    }

    fn parser(&self, _: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Ok(Box::new(parse))
    }
}

fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    let event = json::event(text, normalizer)?;
    Ok(Parsed::Record(Record { event, mark: None }))
}
