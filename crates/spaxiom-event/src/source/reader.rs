//! The reader: any source to records and rejected lines.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::blocks::{Block, Blocks};
use super::documents::Documents;
use super::format::Format;
use super::head;
use super::input::{self, Input, Opened};
use super::interface::{Framing, Head};
use super::options::ReadOptions;
use super::parser::{ParsedBlock, Parser, Tally};
use super::record::Record;
use super::repeats::Repeats;
use crate::doctor::Finding;
use crate::error::{EventError, LineError, Rejected};

/// Reads records one after the other; what is no event is given as [`Rejected`], and reading goes on.
///
/// Memory does not grow with the length of the input.
pub struct EventReader {
    frames: Frames,
    parser: Arc<Parser>,
    threads: usize,
    /// Parsed blocks, the first of them given in part.
    ready: VecDeque<std::vec::IntoIter<Result<Record, Rejected>>>,
    tally: Tally,
    repeats: Repeats,
    is_finished: bool,
}

enum Frames {
    Lines(Blocks),
    Documents(Documents),
    #[cfg(feature = "parquet")]
    Parquet(crate::parquet::ParquetReader),
    #[cfg(feature = "sqlite")]
    Recorder(super::recorder::Recorder),
}

/// A block that was parsed and folded, until it is known whether it repeats what came before.
struct Folded<T> {
    block: Block,
    result: T,
    tally: Tally,
    derived_ids: Vec<NonZeroU64>,
}

impl EventReader {
    /// Opens a file; gzip, zstd, Parquet and SQLite are told by their first bytes.
    ///
    /// # Errors
    /// [`EventError::Empty`] for a file without any line, [`EventError::UnknownFormat`] where the first line tells nothing.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, EventError> {
        match input::open(path, options.encoding)? {
            Opened::Text(input) => Self::start(input, path, options, true),
            #[cfg(feature = "parquet")]
            Opened::Parquet => {
                options.check_columns_fit(Format::Parquet.source(), path)?;
                let parser = Parser::of_rows(Format::Parquet.name(), options);
                let reader = crate::parquet::ParquetReader::open(path, options, options.threads())?;
                Ok(Self::new(Frames::Parquet(reader), parser, 1))
            }
            #[cfg(not(feature = "parquet"))]
            Opened::Parquet => Err(EventError::NotCompiledIn { path: path.to_owned(), feature: "parquet" }),
            #[cfg(feature = "sqlite")]
            Opened::Sqlite => {
                options.check_columns_fit(Format::HomeAssistant.source(), path)?;
                let parser = Parser::of_rows(Format::HomeAssistant.name(), options);
                let reader = super::recorder::Recorder::open(path)?;
                Ok(Self::new(Frames::Recorder(reader), parser, 1))
            }
            #[cfg(not(feature = "sqlite"))]
            Opened::Sqlite => Err(EventError::NotCompiledIn { path: path.to_owned(), feature: "sqlite" }),
        }
    }

    /// Reads a stream as it comes; `name` is what messages call it.
    pub fn from_stream(input: Input, name: &str, options: &ReadOptions) -> Result<Self, EventError> {
        Self::start(input::stream(input, options.encoding)?, Path::new(name), options, false)
    }

    fn start(mut input: Input, path: &Path, options: &ReadOptions, fills: bool) -> Result<Self, EventError> {
        let max_line_bytes = options.max_line_bytes();
        let (bytes, error) = input::peek(&mut input, max_line_bytes, options.n_lines_before(), fills);
        // Without a byte to show, what went wrong with the file is the error.
        let error = match error {
            Some(error) if bytes.is_empty() => return Err(EventError::Broken { path: path.to_owned(), source: error }),
            error => error,
        };
        let text = String::from_utf8_lossy(&bytes);
        let text = head::without_marks(&text);
        if text.is_empty() {
            return Err(EventError::Empty { path: path.to_owned() });
        }
        let first_line = text.lines().next().unwrap_or_default().trim_end();
        let source = match options.source.as_deref() {
            Some(source) => source,
            None => options.format_of(text, path)?,
        };
        options.check_columns_fit(source, path)?;
        let records = source.parser(Head { path, first_line, text, columns: options.columns.as_ref() })?;
        let is_document = source.framing() == Framing::Json && head::is_document(text);
        let (n_header_lines, quoting) = (records.n_header_lines(), records.quoted_after());
        let (is_ordered, has_wall_times) = (records.is_ordered(), records.has_wall_times());
        let parser = Parser::new(source, options, records);
        let is_ordered = is_ordered || (has_wall_times && parser.normalizer().has_zone());
        let threads = if is_ordered { 1 } else { options.threads() };
        let frames = if is_document {
            let envelope = head::envelope(&bytes);
            Frames::Documents(Documents::new(bytes, error, input, max_line_bytes).inside(envelope))
        } else {
            Frames::Lines(Blocks::new(bytes, error, input, max_line_bytes, fills).with_quotes(quoting))
        };
        let mut reader = Self::new(frames, parser, threads);
        reader.skip_header(n_header_lines);
        Ok(reader)
    }

    fn new(frames: Frames, parser: Parser, threads: usize) -> Self {
        Self {
            frames,
            parser: Arc::new(parser),
            threads,
            ready: VecDeque::new(),
            tally: Tally::default(),
            repeats: Repeats::default(),
            is_finished: false,
        }
    }

    fn skip_header(&mut self, n_lines: usize) {
        if let (1.., Frames::Lines(blocks)) = (n_lines, &mut self.frames) {
            for _ in 0..n_lines {
                blocks.skip_first_line();
            }
            self.tally.skip("header", 1);
            self.tally.skip("text before the header", n_lines as u64 - 1);
        }
    }

    /// The same for a source that may deliver a message again: events of one content are one event, and have one id.
    ///
    /// In a file they are as many as there are.
    #[must_use]
    pub fn of_deliveries(self) -> Self {
        Self { repeats: Repeats::off(), ..self }
    }

    /// The name of the format of the input.
    #[must_use]
    pub fn format_name(&self) -> &'static str {
        self.parser.format()
    }

    /// Lines that say nothing that should be an event, by reason; complete at the end of the input.
    #[must_use]
    pub fn skipped(&self) -> &BTreeMap<&'static str, u64> {
        &self.tally.skipped
    }

    /// Values that were left out of events, and what looks odd; complete at the end of the input.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.tally.notes.findings()
    }

    /// Values that are in no event, so far.
    #[must_use]
    pub fn n_left_out(&self) -> u64 {
        self.tally.notes.n_left_out()
    }

    /// Reads on until something is ready; false at the end of the input.
    fn refill(&mut self) -> bool {
        while self.ready.is_empty() {
            let parsed = self.parse_some();
            if parsed.is_empty() {
                return self.end();
            }
            for ParsedBlock { mut records, tally } in parsed {
                self.tally.append(tally);
                self.repeats.number(&mut records);
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
            Frames::Parquet(reader) => return reader.next_rows(parser.normalizer()),
            #[cfg(feature = "sqlite")]
            Frames::Recorder(recorder) => recorder.next_rows(parser.normalizer()),
        };
        one.into_iter().collect()
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
        let Self { frames, parser, threads, tally, repeats, .. } = &mut self;
        if let (Frames::Lines(blocks), true) = (frames, *threads > 1) {
            let parse = |block: Block| {
                let (mut result, mut derived_ids) = (start(), Vec::new());
                let tally = parser.parse_lines(&block, |record| {
                    derived_ids.extend(record.as_ref().ok().and_then(|record| record.derived_id));
                    fold(&mut result, record);
                });
                Folded { block, result, tally, derived_ids }
            };
            let again = |block: &Block, numbers: &[u32]| {
                let (mut result, mut numbers) = (start(), numbers.iter());
                parser.parse_lines(block, |record| {
                    let record = record.map(|record| record.numbered(|_| numbers.next().copied().unwrap_or(0)));
                    fold(&mut result, record);
                });
                result
            };
            let mut current = blocks.take(n_blocks);
            let mut done: Vec<Folded<T>> = Vec::new();
            while !(current.is_empty() && done.is_empty()) {
                // The next blocks are read and the last ones handed over while these are parsed.
                let parsed = || current.into_par_iter().with_max_len(1).map(parse).collect();
                let hand_over = || {
                    for Folded { block, result, tally: of_block, derived_ids } in std::mem::take(&mut done) {
                        // Nearly no block repeats anything: one that does is parsed once more.
                        let numbers = repeats.numbers(&derived_ids);
                        sink(numbers.map_or(result, |numbers| again(&block, &numbers)));
                        tally.append(of_block);
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
        self.tally.skipped
    }

    /// An input that broke off is told behind everything that could be read of it.
    fn end(&mut self) -> bool {
        let error = match &mut self.frames {
            Frames::Lines(blocks) => blocks.take_error(),
            Frames::Documents(documents) => documents.take_error(),
            #[cfg(feature = "parquet")]
            Frames::Parquet(_) => None,
            #[cfg(feature = "sqlite")]
            Frames::Recorder(_) => None,
        };
        if let Some((line, offset, error)) = error {
            let reason = LineError::BreaksOff(error);
            self.ready.push_back(vec![Err(Rejected { line, offset, reason, raw: String::new() })].into_iter());
            return true;
        }
        if std::mem::replace(&mut self.is_finished, true) {
            return false;
        }
        let ParsedBlock { mut records, tally } = self.parser.finish();
        self.tally.append(tally);
        self.repeats.number(&mut records);
        let has_more = !records.is_empty();
        self.ready.extend(has_more.then(|| records.into_iter()));
        has_more
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

impl std::fmt::Debug for EventReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventReader").field("format", &self.format_name()).finish_non_exhaustive()
    }
}
