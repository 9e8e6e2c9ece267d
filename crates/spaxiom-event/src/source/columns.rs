//! Delimited text, whose columns a [`ColumnMap`](super::ColumnMap) names.

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::mapping::{Cell, Delimiter, Here, Layout, Mapping, Names, Pairs, Row, is_code};
use super::mapping::{Column, Kind};
use super::record::{Parsed, Record};
use crate::draft::Draft;
use crate::error::{ColumnMapError, EventError, LineError};
use crate::normalizer::Normalizer;

/// Delimited text.
#[derive(Debug)]
pub(super) struct DelimitedText;

impl Source for DelimitedText {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        // Only somebody who knows the columns can say so.
        let (First::Object(_) | First::Line(_)) = first;
        false
    }

    fn takes_columns(&self) -> bool {
        true
    }

    fn parser(&self, head: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        match columns(head) {
            Ok(columns) => Ok(Box::new(columns)),
            Err(ColumnMapError::Missing { member: "columns" }) => Err(EventError::NoColumns),
            Err(source) => Err(EventError::Columns { path: head.path.to_owned(), source }),
        }
    }
}

/// A column map for one input.
#[derive(Debug)]
struct Columns {
    mapping: Mapping<usize>,
    pairs: Option<Pairs>,
    delimiter: Delimiter,
    comment: Option<String>,
    header: Option<Vec<String>>,
    width: usize,
    n_header_lines: usize,
}

fn columns(Head { path, text, columns, .. }: Head<'_>) -> Result<Columns, ColumnMapError> {
    let map = columns.ok_or(ColumnMapError::Missing { member: "columns" })?;
    let Layout { delimiter, has_decimal_comma: _, n_skipped, comment } = map.layout.clone();
    // Lines before the header that say of themselves that they are comments need no option.
    let mark = comment.as_deref().unwrap_or("#");
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).skip(n_skipped).peekable();
    let n_comments = std::iter::from_fn(|| lines.next_if(|line| line.starts_with(mark))).count();
    let first = lines.next().unwrap_or_default();
    let delimiter = delimiter.unwrap_or_else(|| Delimiter::of(first));
    let header = delimiter.split(first);
    let sample = lines.filter(|line| !is_ruled(line)).map(|line| delimiter.split(line)).collect();
    let names = Header { names: &header, has_names: map.has_header(), sample };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mapping = Mapping::new(map, &names, &stem)?;
    let has_edge = mapping.has_edge();
    Ok(Columns {
        mapping,
        pairs: has_edge.then(Pairs::default),
        delimiter,
        comment,
        width: header.len(),
        n_header_lines: n_skipped + n_comments + usize::from(map.has_header()),
        header: map.has_header().then_some(header),
    })
}

/// The first line, and rows behind it that tell how the columns are written.
struct Header<'h> {
    names: &'h [String],
    has_names: bool,
    sample: Vec<Vec<String>>,
}

impl Names for Header<'_> {
    type Place = usize;

    fn place(&self, column: &Column) -> Result<usize, ColumnMapError> {
        let name = match column {
            Column::Index(index) if *index < self.names.len() => return Ok(*index),
            Column::Index(index) => return Err(ColumnMapError::TooFew { wanted: index + 1, got: self.names.len() }),
            Column::Name(name) => name,
        };
        let mut places = self.names.iter().enumerate().filter(|(_, known)| *known == name).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (Some(_), Some(_)) => Err(ColumnMapError::TwiceInHeader { name: name.clone() }),
            (None, _) => Err(ColumnMapError::NoColumn { name: name.clone(), known: self.names.join("`, `") }),
        }
    }

    fn all(&self) -> Vec<(String, usize)> {
        if !self.has_names {
            return Vec::new();
        }
        self.names.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect()
    }

    /// A column in which one value is no number but digits has words in all its rows.
    fn kind(&self, place: &usize) -> Option<Kind> {
        let has_code = self.sample.iter().filter_map(|row| row.get(*place)).any(|cell| is_code(cell));
        has_code.then_some(Kind::Text)
    }
}

/// The columns of one line.
struct Line<'a>(&'a [String]);

impl<'a> Row<'a> for Line<'a> {
    type Place = usize;

    fn cell(&self, place: &usize) -> Cell<'a> {
        match self.0.get(*place).map(String::as_str) {
            None | Some("") => Cell::Missing,
            Some(text) => Cell::Word(text.into()),
        }
    }
}

impl Columns {
    /// Why a line is no row, where it is none.
    fn is_no_row(&self, text: &str) -> Option<&'static str> {
        let is_count =
            || text.strip_prefix('(').is_some_and(|rest| rest.ends_with(" rows)") || rest.ends_with(" row)"));
        if is_ruled(text) {
            return Some("ruled line");
        }
        if self.comment.as_ref().is_some_and(|mark| text.starts_with(mark.as_str())) {
            return Some("comment");
        }
        is_count().then_some("count of rows")
    }

    fn check_width(&self, row: &[String]) -> Result<(), LineError> {
        let (want, got) = (self.width, row.len());
        // A delimiter at the end of the header, or of every row, makes no column.
        let is_last_unnamed = self.header.as_ref().is_some_and(|header| header.last().is_some_and(String::is_empty));
        if got < want && !(is_last_unnamed && got + 1 == want) {
            return Err(LineError::TooFewColumns { want, got });
        }
        if got > want && row[want..].iter().any(|cell| !cell.is_empty()) {
            return Err(LineError::TooManyColumns { want, got });
        }
        Ok(())
    }
}

impl RecordParser for Columns {
    fn n_header_lines(&self) -> usize {
        self.n_header_lines
    }

    fn has_wall_times(&self) -> bool {
        true
    }

    fn is_ordered(&self) -> bool {
        self.pairs.is_some()
    }

    fn quoted_after(&self) -> Option<u8> {
        self.delimiter.byte().filter(|byte| *byte != b'|')
    }

    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        if let Some(reason) = self.is_no_row(text) {
            return Ok(Parsed::Skipped(reason));
        }
        let row = self.delimiter.split(text);
        self.check_width(&row)?;
        self.mapping.parsed(&Line(&row), Here::default(), Draft::default(), self.pairs.as_ref(), normalizer)
    }

    fn finish(&self, _: &Normalizer) -> Vec<Result<Record, LineError>> {
        self.pairs.iter().flat_map(Pairs::finish).map(Ok).collect()
    }
}

fn is_ruled(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'-' | b'=' | b'+' | b'|' | b'\t' | b' '))
}
