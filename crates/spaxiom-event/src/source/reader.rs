//! The reader: any source to records and rejected lines.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::blocks::{Block, Blocks};
use super::documents::{Document, Documents};
use super::format::Format;
use super::input::{self, Input, Opened};
use super::interface::{Framing, Head, RecordParser};
use super::options::ReadOptions;
use super::record::{Parsed, Record};
use crate::error::{EventError, LineError, Rejected};
use crate::normalizer::Normalizer;

/// Reads records one after the other; what is no event is given as [`Rejected`], and reading goes on.
///
/// Memory does not grow with the length of the input.
pub struct EventReader {
    frames: Frames,
    parser: Arc<Parser>,
    threads: usize,
    /// Parsed blocks, the first of them given in part.
    ready: VecDeque<std::vec::IntoIter<Result<Record, Rejected>>>,
    skipped: Skipped,
}

enum Frames {
    Lines(Blocks),
    Documents(Documents),
    #[cfg(feature = "parquet")]
    Parquet(crate::parquet::ParquetReader),
}

/// Parses the records of one input.
struct Parser {
    /// The name of the format.
    format: &'static str,
    normalizer: Normalizer,
    records: Box<dyn RecordParser>,
    max_line_bytes: usize,
}

/// Lines that are no events, by reason.
type Skipped = BTreeMap<&'static str, u64>;

/// What a block held.
#[derive(Default)]
struct ParsedBlock {
    records: Vec<Result<Record, Rejected>>,
    skipped: Skipped,
}

impl EventReader {
    /// Opens a file; gzip, zstd and Parquet are told by their first bytes.
    ///
    /// # Errors
    /// [`EventError::Empty`] for a file without any line, [`EventError::UnknownFormat`] where the first line tells nothing.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, EventError> {
        match input::open(path)? {
            Opened::Text(input) => Self::start(input, path, options, true),
            #[cfg(feature = "parquet")]
            Opened::Parquet => {
                let reader = crate::parquet::ParquetReader::open(path)?;
                let source = Format::Parquet.source();
                let parser = source.parser(Head { path, first_line: "", columns: None })?;
                let parser = Parser::new(source.name(), options, parser);
                Ok(Self::new(Frames::Parquet(reader), parser, 1))
            }
            #[cfg(not(feature = "parquet"))]
            Opened::Parquet => Err(EventError::NotCompiledIn { path: path.to_owned(), feature: "parquet" }),
        }
    }

    /// Reads a stream as it comes; `name` is what messages call it.
    pub fn from_stream(input: Input, name: &str, options: &ReadOptions) -> Result<Self, EventError> {
        Self::start(input::stream(input)?, Path::new(name), options, false)
    }

    fn start(mut input: Input, path: &Path, options: &ReadOptions, fills: bool) -> Result<Self, EventError> {
        let max_line_bytes = options.max_line_bytes();
        let (head, error) = input::peek(&mut input, max_line_bytes);
        // Without a byte to show, what went wrong with the file is the error.
        let error = match error {
            Some(error) if head.is_empty() => return Err(EventError::Broken { path: path.to_owned(), source: error }),
            error => error,
        };
        let text = String::from_utf8_lossy(&head);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.is_empty() {
            return Err(EventError::Empty { path: path.to_owned() });
        }
        let first_line = text.lines().next().unwrap_or_default();
        let is_document = is_document(first_line);
        let first = if is_document { first_object(text) } else { first_line };
        let of_columns = options.columns.is_some().then_some(Format::Columns);
        let format = options.format.or(of_columns).or_else(|| Format::detect(first)).map(Format::source);
        let source = options.source.as_deref().or(format).ok_or_else(|| EventError::UnknownFormat {
            path: path.to_owned(),
            wanted: Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join("|"),
        })?;
        let records = source.parser(Head { path, first_line, columns: options.columns.as_ref() })?;
        let has_header = records.has_header();
        let parser = Parser::new(source.name(), options, records);
        let frames = if source.framing() != Framing::Lines && is_document {
            Frames::Documents(Documents::new(head, error, input, max_line_bytes))
        } else {
            Frames::Lines(Blocks::new(head, error, input, max_line_bytes, fills))
        };
        let mut reader = Self::new(frames, parser, options.threads());
        reader.skip_header(has_header);
        Ok(reader)
    }

    fn new(frames: Frames, parser: Parser, threads: usize) -> Self {
        Self { frames, parser: Arc::new(parser), threads, ready: VecDeque::new(), skipped: BTreeMap::new() }
    }

    fn skip_header(&mut self, has_header: bool) {
        if let (true, Frames::Lines(blocks)) = (has_header, &mut self.frames) {
            blocks.skip_first_line();
            *self.skipped.entry("header").or_default() += 1;
        }
    }

    /// The name of the format of the input.
    #[must_use]
    pub fn format_name(&self) -> &'static str {
        self.parser.format
    }

    /// Lines that say nothing that should be an event, by reason; complete at the end of the input.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<&'static str, u64> {
        &self.skipped
    }

    /// Reads on until something is ready; false at the end of the input.
    fn refill(&mut self) -> bool {
        while self.ready.is_empty() {
            let parsed = self.parse_some();
            if parsed.is_empty() {
                return self.end();
            }
            for block in parsed {
                let records = self.count_skipped(block);
                self.ready.extend((!records.is_empty()).then(|| records.into_iter()));
            }
        }
        true
    }

    /// Nothing at the end of the input.
    fn parse_some(&mut self) -> Vec<ParsedBlock> {
        let parser = &*self.parser;
        let one: Option<ParsedBlock> = match &mut self.frames {
            Frames::Lines(blocks) if self.threads > 1 => {
                return blocks.take(self.threads).par_iter().map(|block| parser.parse_block(block)).collect();
            }
            Frames::Lines(blocks) => blocks.next_block().map(|block| parser.parse_block(&block)),
            Frames::Documents(documents) => documents.next_document().map(|document| parser.parse_document(&document)),
            #[cfg(feature = "parquet")]
            Frames::Parquet(reader) => {
                let rows = reader.next_rows(&parser.normalizer);
                rows.map(|records| ParsedBlock { records, ..ParsedBlock::default() })
            }
        };
        one.into_iter().collect()
    }

    fn count_skipped(&mut self, block: ParsedBlock) -> Vec<Result<Record, Rejected>> {
        count(&mut self.skipped, block.skipped);
        block.records
    }

    /// Folds block after block: `start` and `fold` run on the parsing threads, `sink` takes what it made of each block in order.
    ///
    /// An event that becomes something smaller at once never leaves the cache of its thread.
    pub fn fold_blocks<T: Send>(
        mut self,
        start: impl Fn() -> T + Sync,
        fold: impl Fn(&mut T, Result<Record, Rejected>) + Sync,
        mut sink: impl FnMut(T) + Send,
    ) -> BTreeMap<&'static str, u64> {
        // More blocks than threads, so that no thread waits long for the last of them.
        let n_blocks = 2 * self.threads;
        if let (Frames::Lines(blocks), true) = (&mut self.frames, self.threads > 1) {
            let parser = &*self.parser;
            let parse = |block: &Block| {
                let mut folded = start();
                let skipped = parser.parse_lines(block, |record| fold(&mut folded, record));
                (folded, skipped)
            };
            let mut current = blocks.take(n_blocks);
            let mut done: Vec<(T, Skipped)> = Vec::new();
            while !(current.is_empty() && done.is_empty()) {
                // The next blocks are read and the last ones handed over while these are parsed.
                let parsed = || current.par_iter().with_max_len(1).map(parse).collect();
                let hand_over = || {
                    for (folded, skipped) in std::mem::take(&mut done) {
                        sink(folded);
                        count(&mut self.skipped, skipped);
                    }
                };
                let (parsed, (next, ())) = rayon::join(parsed, || rayon::join(|| blocks.take(n_blocks), hand_over));
                (current, done) = (next, parsed);
            }
        }
        while self.refill() {
            for records in std::mem::take(&mut self.ready) {
                let mut folded = start();
                records.for_each(|record| fold(&mut folded, record));
                sink(folded);
            }
        }
        self.skipped
    }

    /// An input that broke off is told behind everything that could be read of it.
    fn end(&mut self) -> bool {
        let error = match &mut self.frames {
            Frames::Lines(blocks) => blocks.take_error(),
            Frames::Documents(documents) => documents.take_error(),
            #[cfg(feature = "parquet")]
            Frames::Parquet(_) => None,
        };
        let Some((line, offset, error)) = error else { return false };
        let reason = LineError::BreaksOff(error);
        self.ready.push_back(vec![Err(Rejected { line, offset, reason, raw: String::new() })].into_iter());
        true
    }
}

impl Iterator for EventReader {
    type Item = Result<Record, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.ready.is_empty() && !self.refill() {
                return None;
            }
            match self.ready.front_mut()?.next() {
                Some(record) => return Some(record),
                None => drop(self.ready.pop_front()),
            }
        }
    }
}

/// An array of objects, or one object over several lines.
fn is_document(first_line: &str) -> bool {
    first_line.starts_with('[')
        || (first_line.starts_with('{')
            && serde_json::from_str::<serde::de::IgnoredAny>(first_line).is_err_and(|error| error.is_eof()))
}

/// The first object of a document, as far as it was read.
fn first_object(text: &str) -> &str {
    let Some(start) = text.find('{') else { return text };
    let mut objects = serde_json::Deserializer::from_str(&text[start..]).into_iter::<serde::de::IgnoredAny>();
    let is_whole = objects.next().is_some_and(|object| object.is_ok());
    let end = if is_whole { objects.byte_offset() } else { text.len() - start };
    &text[start..start + end]
}

fn count(skipped: &mut Skipped, more: Skipped) {
    for (reason, n) in more {
        *skipped.entry(reason).or_default() += n;
    }
}

impl Parser {
    fn new(format: &'static str, options: &ReadOptions, records: Box<dyn RecordParser>) -> Self {
        Self { format, normalizer: options.normalizer(), records, max_line_bytes: options.max_line_bytes() }
    }

    fn parse_block(&self, block: &Block) -> ParsedBlock {
        // Records are large: a vector that grows would copy them again and again.
        let mut records = Vec::with_capacity(block.n_lines + 1);
        let skipped = self.parse_lines(block, |record| records.push(record));
        ParsedBlock { records, skipped }
    }

    /// Gives every record of a block to `sink`, and the number of lines that are none by reason.
    fn parse_lines(&self, block: &Block, mut sink: impl FnMut(Result<Record, Rejected>)) -> Skipped {
        let mut skipped = Skipped::new();
        let (mut line, mut start) = (block.line, 0);
        let ends = memchr::memchr_iter(b'\n', &block.bytes).map(|at| at + 1);
        let has_rest = !block.bytes.is_empty() && !block.bytes.ends_with(b"\n");
        let last = has_rest.then_some(block.bytes.len());
        for end in ends.chain(last) {
            let bytes = block.bytes[start..end].trim_ascii();
            if !bytes.is_empty() {
                self.parse_line(bytes, line, block.offset + start as u64, &mut skipped, &mut sink);
            }
            line += 1;
            start = end;
        }
        if let Some(long) = &block.too_long {
            let reason = LineError::TooLong { n_bytes: long.n_bytes, limit: self.max_line_bytes };
            let raw = String::from_utf8_lossy(&long.head).into_owned();
            sink(Err(Rejected { line, offset: block.offset + start as u64, reason, raw }));
        }
        skipped
    }

    fn parse_document(&self, document: &Document) -> ParsedBlock {
        let ParsedBlock { mut records, mut skipped } = ParsedBlock::default();
        let bytes = document.bytes.trim_ascii();
        if bytes.len() >= self.max_line_bytes {
            let reason = LineError::TooLong { n_bytes: document.n_bytes, limit: self.max_line_bytes };
            let raw = String::from_utf8_lossy(&bytes[..1024.min(bytes.len())]).into_owned();
            records.push(Err(Rejected { line: document.line, offset: document.offset, reason, raw }));
        } else if !bytes.is_empty() {
            let sink = |record| records.push(record);
            self.parse_line(bytes, document.line, document.offset, &mut skipped, sink);
        }
        ParsedBlock { records, skipped }
    }

    fn parse_line(
        &self,
        bytes: &[u8],
        line: u64,
        offset: u64,
        skipped: &mut Skipped,
        mut sink: impl FnMut(Result<Record, Rejected>),
    ) {
        // A byte order mark can only stand before the first line.
        let bytes = if offset == 0 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
        let result = str::from_utf8(bytes)
            .map_err(|_| LineError::Encoding)
            .and_then(|text| self.records.parse(text, &self.normalizer));
        match result {
            Ok(Parsed::Record(record)) => sink(Ok(record)),
            Ok(Parsed::Skipped(reason)) => *skipped.entry(reason).or_default() += 1,
            Err(reason) => {
                let raw = String::from_utf8_lossy(bytes).into_owned();
                sink(Err(Rejected { line, offset, reason, raw }));
            }
        }
    }
}

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventReader").field("format", &self.format_name()).finish_non_exhaustive()
    }
}
