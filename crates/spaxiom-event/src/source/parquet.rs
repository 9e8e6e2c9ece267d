//! Apache Parquet: rows are read by `crate::parquet`; a record by itself is canonical JSON.

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::jsonl::Jsonl;
use crate::error::EventError;

/// Tables of events.
#[derive(Debug)]
pub(super) struct Parquet;

impl Source for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn framing(&self) -> Framing {
        Framing::Table
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        // Recognized by its first bytes, before there are lines.
        let (First::Object(_) | First::Line(_)) = first;
        false
    }

    fn takes_columns(&self) -> bool {
        true
    }

    fn parser(&self, head: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Jsonl.parser(head)
    }
}
