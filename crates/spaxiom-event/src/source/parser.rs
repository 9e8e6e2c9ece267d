//! Blocks, lines and documents to records: what the threads of a reader do.

use std::collections::BTreeMap;

use super::blocks::Block;
use super::documents::{Document, split_objects};
use super::head;
use super::interface::{Framing, RecordParser, Source};
use super::options::ReadOptions;
use super::record::{Parsed, Record};
use crate::error::{LineError, Rejected};
use crate::normalizer::Normalizer;
use crate::notes::Notes;

/// Parses the records of one input.
pub(super) struct Parser {
    /// The name of the format.
    format: &'static str,
    framing: Framing,
    quoted_after: Option<u8>,
    normalizer: Normalizer,
    records: Box<dyn RecordParser>,
    max_line_bytes: usize,
}

/// What a block held beside its records.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Lines that are no events, by reason.
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// What was left out of events, or looks odd.
    pub(crate) notes: Notes,
}

impl Tally {
    pub(crate) fn skip(&mut self, reason: &'static str, n: u64) {
        if n > 0 {
            *self.skipped.entry(reason).or_default() += n;
        }
    }

    pub(crate) fn append(&mut self, more: Self) {
        more.skipped.into_iter().for_each(|(reason, n)| self.skip(reason, n));
        self.notes.append(more.notes);
    }

    /// Settles a record on its line, and counts what it says beside its event.
    pub(crate) fn settle(&mut self, record: &mut Record, line: u64) {
        for note in record.settle(line) {
            self.notes.push(note);
        }
    }
}

/// What a block held.
#[derive(Default)]
pub(crate) struct ParsedBlock {
    pub(crate) records: Vec<Result<Record, Rejected>>,
    pub(crate) tally: Tally,
}

/// Where a piece of text stands in its input.
#[derive(Clone, Copy)]
struct At {
    line: u64,
    offset: u64,
}

impl At {
    fn located(self, text: &str, record: Result<Record, LineError>) -> Result<Record, Rejected> {
        let Self { line, offset } = self;
        record.map_err(|reason| Rejected { line, offset, reason, raw: text.to_owned() })
    }
}

impl Parser {
    pub(super) fn new(source: &dyn Source, options: &ReadOptions, records: Box<dyn RecordParser>) -> Self {
        Self {
            format: source.name(),
            framing: source.framing(),
            quoted_after: records.quoted_after(),
            normalizer: options.normalizer(),
            records,
            max_line_bytes: options.max_line_bytes(),
        }
    }

    /// For tables, whose reader makes the records.
    pub(super) fn of_rows(format: &'static str, options: &ReadOptions) -> Self {
        let no_text = |_: &str, _: &Normalizer| Ok(Parsed::Skipped("text in a table"));
        Self {
            format,
            framing: Framing::Table,
            quoted_after: None,
            normalizer: options.normalizer(),
            records: Box::new(no_text),
            max_line_bytes: options.max_line_bytes(),
        }
    }

    pub(super) fn format(&self) -> &'static str {
        self.format
    }

    pub(super) fn normalizer(&self) -> &Normalizer {
        &self.normalizer
    }

    /// What the parser kept to itself until the end of the input.
    pub(super) fn finish(&self) -> ParsedBlock {
        let mut block = ParsedBlock::default();
        for record in self.records.finish(&self.normalizer) {
            let ParsedBlock { records, tally } = &mut block;
            let at = At { line: 0, offset: 0 };
            take_parsed(record.map(Parsed::Record), 0, tally, &mut |record| records.push(at.located("", record)));
        }
        block
    }

    pub(super) fn parse_block(&self, block: &Block) -> ParsedBlock {
        // Records are large: a vector that grows would copy them again and again.
        let mut records = Vec::with_capacity(block.n_lines + 1);
        let tally = self.parse_lines(block, |record| records.push(record));
        ParsedBlock { records, tally }
    }

    /// Gives every record of a block to `sink`.
    pub(super) fn parse_lines(&self, block: &Block, mut sink: impl FnMut(Result<Record, Rejected>)) -> Tally {
        let mut tally = Tally::default();
        let (mut line, mut start) = (block.line, 0);
        let mut rows = block.rows(self.quoted_after);
        while let Some((end, n_lines)) = rows.next_end() {
            let bytes = block.bytes[start..end].trim_ascii();
            if !bytes.is_empty() {
                self.parse_line(bytes, At { line, offset: block.offset + start as u64 }, &mut tally, &mut sink);
            }
            line += n_lines;
            start = end;
        }
        if let Some(long) = &block.too_long {
            let reason = LineError::TooLong { n_bytes: long.n_bytes, limit: self.max_line_bytes };
            let raw = String::from_utf8_lossy(&long.head).into_owned();
            sink(Err(Rejected { line, offset: block.offset + start as u64, reason, raw }));
        }
        tally
    }

    pub(super) fn parse_document(&self, document: &Document) -> ParsedBlock {
        let ParsedBlock { mut records, mut tally } = ParsedBlock::default();
        let bytes = document.bytes.trim_ascii();
        if bytes.len() >= self.max_line_bytes {
            let reason = LineError::TooLong { n_bytes: document.n_bytes, limit: self.max_line_bytes };
            let raw = String::from_utf8_lossy(&bytes[..1024.min(bytes.len())]).into_owned();
            records.push(Err(Rejected { line: document.line, offset: document.offset, reason, raw }));
        } else if !bytes.is_empty() {
            let at = At { line: document.line, offset: document.offset };
            self.parse_line(bytes, at, &mut tally, &mut |record| records.push(record));
        }
        ParsedBlock { records, tally }
    }

    fn parse_line(&self, bytes: &[u8], at: At, tally: &mut Tally, sink: &mut dyn FnMut(Result<Record, Rejected>)) {
        let Ok(text) = str::from_utf8(bytes) else {
            let raw = String::from_utf8_lossy(bytes).into_owned();
            return sink(Err(Rejected { line: at.line, offset: at.offset, reason: LineError::Encoding, raw }));
        };
        let text = head::without_marks(text);
        let is_json = self.framing == Framing::Json && text.starts_with(['{', '[']);
        let text = if is_json && !text.ends_with('}') { text.trim_end_matches([',', '\u{1e}', ' ']) } else { text };
        let result = match self.records.parse(text, &self.normalizer) {
            // The way of nearly every line, and the shortest one.
            Ok(Parsed::Record(mut record)) => {
                tally.settle(&mut record, at.line);
                return sink(Ok(record));
            }
            result => result,
        };
        let mut take = |text: &str, result: Result<Parsed, LineError>| {
            take_parsed(result, at.line, tally, &mut |record| sink(at.located(text, record)));
        };
        if is_json && matches!(result, Err(LineError::Json(_) | LineError::NoObject { .. })) {
            // Several objects on one line, or a list of them.
            let parts = split_objects(text);
            if parts.iter().all(|part| part.starts_with('{') && part.ends_with('}')) && parts != [text] {
                for part in parts {
                    take(part, self.records.parse(part, &self.normalizer));
                }
                return;
            }
        }
        take(text, result);
    }
}

/// Gives the records of something that was parsed to `sink`, and counts the rest.
pub(crate) fn take_parsed(
    parsed: Result<Parsed, LineError>,
    line: u64,
    tally: &mut Tally,
    sink: &mut dyn FnMut(Result<Record, LineError>),
) {
    match parsed {
        Ok(Parsed::Record(mut record)) => {
            tally.settle(&mut record, line);
            sink(Ok(record));
        }
        Ok(Parsed::Several(several)) => several.into_iter().for_each(|parsed| take_parsed(parsed, line, tally, sink)),
        Ok(Parsed::Skipped(reason)) => tally.skip(reason, 1),
        Err(reason) => sink(Err(reason)),
    }
}
