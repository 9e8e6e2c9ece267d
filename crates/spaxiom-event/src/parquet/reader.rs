//! Parquet to events: the columns of `convert`, and those of others through a column map.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::schema::types::SchemaDescriptor;
use rayon::prelude::*;

use super::cells::{BatchRow, Columns, Leaf, Shape, described, leaves};
use crate::draft::Draft;
use crate::error::{ColumnMapError, EventError, LineError, Rejected};
use crate::normalizer::Normalizer;
use crate::notes::{Note, NoteKind};
use crate::source::{
    Cell, Column, ColumnMap, Here, Kind, Mapping, Names, ParsedBlock, ReadOptions, Row, suggested, take_parsed,
};

/// Rows of a batch; some batches are read while others become events.
const BATCH_ROWS: usize = 4096;

/// Reads rows batch by batch.
pub(crate) struct ParquetReader {
    batches: ParquetRecordBatchReader,
    /// Read and not yet parsed.
    ready: Vec<Result<RecordBatch, LineError>>,
    threads: usize,
    n_rows: u64,
    is_done: bool,
    plan: Plan,
    /// What the columns themselves give to note.
    notes: Vec<Note>,
}

/// How rows become events.
struct Plan {
    leaves: Vec<Leaf>,
    is_wanted: Vec<bool>,
    mapping: Mapping<usize>,
}

impl ParquetReader {
    pub(crate) fn open(path: &Path, options: &ReadOptions, threads: usize) -> Result<Self, EventError> {
        let damaged = |source| EventError::Parquet { path: path.to_owned(), source };
        let file = fs_err::File::open(path)?.into_parts().0;
        let metadata = sound(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())).map_err(damaged)?;
        // In nanoseconds the year 9999 would be another one, without a word.
        let schema = with_wide_times(metadata.schema(), metadata.parquet_schema());
        let of_schema = ArrowReaderOptions::default().with_schema(schema.clone().into());
        let metadata =
            sound(|| ArrowReaderMetadata::try_new(metadata.metadata().clone(), of_schema)).map_err(damaged)?;
        let plan = Plan::new(path, &schema, options.columns.as_ref())?;
        let notes = plan.notes();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let batches = sound(|| builder.with_batch_size(BATCH_ROWS).build()).map_err(damaged)?;
        Ok(Self { batches, ready: Vec::new(), threads, n_rows: 0, is_done: false, plan, notes })
    }

    /// The events of the next batches, or none at the end; meanwhile those after them are read.
    pub(crate) fn next_rows(&mut self, normalizer: &Normalizer) -> Vec<ParsedBlock> {
        let Self { batches, ready, threads, n_rows, is_done, plan, notes } = self;
        let mut read = || {
            let mut more = Vec::new();
            while more.len() < 2 * *threads && !*is_done {
                match sound(|| batches.next().transpose().map_err(ParquetError::from)) {
                    Ok(None) => *is_done = true,
                    Ok(Some(batch)) => more.push(Ok(batch)),
                    Err(error) => {
                        *is_done = true;
                        more.push(Err(LineError::BreaksOff(std::io::Error::other(error))));
                    }
                }
            }
            more
        };
        if ready.is_empty() {
            *ready = read();
        }
        if ready.is_empty() {
            return Vec::new();
        }
        let first_rows: Vec<u64> = ready
            .iter()
            .map(|batch| {
                let first = *n_rows + 1;
                *n_rows += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
                first
            })
            .collect();
        let current: Vec<(u64, Result<RecordBatch, LineError>)> =
            first_rows.into_iter().zip(std::mem::take(ready)).collect();
        let parse = |(first, batch)| plan.parse(first, batch, normalizer);
        let (mut parsed, more): (Vec<ParsedBlock>, _) = if *threads > 1 {
            rayon::join(|| current.into_par_iter().map(parse).collect(), read)
        } else {
            (current.into_iter().map(parse).collect(), read())
        };
        *ready = more;
        if let Some(first) = parsed.first_mut() {
            notes.drain(..).for_each(|note| first.tally.notes.push(note));
        }
        parsed
    }
}

/// What Parquet's reader gives; where it panics, as it does over some damaged directories, that is an error.
fn sound<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let panicked = |_| Err(ParquetError::General("its directory or one of its pages is damaged".into()));
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(panicked)
}

/// Old timestamps of 96 bits as microseconds in UTC, as Spark and Impala mean them.
fn with_wide_times(schema: &Schema, parquet: &SchemaDescriptor) -> Schema {
    let is_old = |name: &str| {
        parquet.columns().iter().any(|column| {
            column.physical_type() == PhysicalType::INT96 && column.path().parts().len() == 1 && column.name() == name
        })
    };
    let fields = schema.fields().iter().map(|field| {
        if is_old(field.name()) {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            return Field::new(field.name(), micros, field.is_nullable());
        }
        (**field).clone()
    });
    Schema::new(fields.collect::<Vec<_>>())
}

impl Names for [Leaf] {
    type Place = usize;

    fn place(&self, column: &Column) -> Result<usize, ColumnMapError> {
        let name = match column {
            Column::Index(index) if *index < self.len() => return Ok(*index),
            Column::Index(index) => return Err(ColumnMapError::TooFew { wanted: index + 1, got: self.len() }),
            Column::Name(name) => name,
        };
        let mut places = self.iter().enumerate().filter(|(_, leaf)| leaf.name == *name).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (Some(_), Some(_)) => Err(ColumnMapError::TwiceInHeader { name: name.clone() }),
            (None, _) => {
                let known: Vec<&str> = self.iter().map(|leaf| leaf.name.as_str()).collect();
                Err(ColumnMapError::NoColumn { name: name.clone(), known: known.join("`, `") })
            }
        }
    }

    fn all(&self) -> Vec<(String, usize)> {
        self.iter().enumerate().map(|(place, leaf)| (leaf.name.clone(), place)).collect()
    }

    fn kind(&self, _: &usize) -> Option<Kind> {
        // Arrow says what a column is.
        None
    }
}

impl Plan {
    fn new(path: &Path, schema: &Schema, map: Option<&ColumnMap>) -> Result<Self, EventError> {
        let leaves = leaves(schema.fields());
        let wrong = |source| EventError::Columns { path: path.to_owned(), source };
        let canonical = ColumnMap::canonical();
        if map.is_none() {
            let has = |name: &str| leaves.iter().any(|leaf| leaf.name == name);
            if !has("type") || !has("time") {
                let got = schema.fields().iter().map(|field| described(field)).collect::<Vec<_>>().join(", ");
                let missing = if has("type") { "time" } else { "type" };
                return Err(EventError::ParquetColumns { path: path.to_owned(), missing, got, hint: hint(&leaves) });
            }
        }
        if let Some(name) = twice(&leaves) {
            return Err(wrong(ColumnMapError::TwiceInHeader { name: name.into() }));
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mapping = Mapping::new(map.unwrap_or(&canonical), leaves.as_slice(), &stem).map_err(wrong)?;
        if let Some((place, None)) = mapping.time() {
            let Leaf { name, data_type, .. } = &leaves[*place];
            if matches!(Shape::of(data_type), Shape::Number | Shape::Whole) {
                let (path, name) = (path.to_owned(), name.clone());
                return Err(EventError::ParquetTime { path, name, found: data_type.to_string() });
            }
        }
        let mut is_wanted = vec![false; leaves.len()];
        mapping.all_places().for_each(|place| is_wanted[*place] = true);
        Ok(Self { leaves, is_wanted, mapping })
    }

    /// Columns that become nothing.
    fn notes(&self) -> Vec<Note> {
        let lost = self.leaves.iter().zip(&self.is_wanted).filter(|(leaf, is_wanted)| {
            **is_wanted && Shape::of(&leaf.data_type) == Shape::Nothing && leaf.data_type != DataType::Null
        });
        let lost = lost.map(|(leaf, _)| Note::new(NoteKind::NoPlace, leaf.name.as_str(), leaf.data_type.to_string()));
        let unnamed = self.mapping.unnamed.iter().map(|name| Note::new(NoteKind::NotMapped, name.as_str(), ""));
        lost.chain(unnamed).collect()
    }

    fn parse(&self, first: u64, batch: Result<RecordBatch, LineError>, normalizer: &Normalizer) -> ParsedBlock {
        let mut block = ParsedBlock::default();
        let reject = |line, reason, raw| Err(Rejected { line, offset: 0, reason, raw });
        let columns = batch.and_then(|batch| {
            let columns = Columns::new(&batch, &self.leaves, &self.is_wanted);
            let columns = columns.map_err(|error| LineError::BreaksOff(std::io::Error::other(error)))?;
            Ok((columns, batch.num_rows()))
        });
        let (columns, n_rows) = match columns {
            Ok(columns) => columns,
            Err(reason) => {
                block.records.push(reject(first, reason, String::new()));
                return block;
            }
        };
        block.records.reserve(n_rows);
        for row in 0..n_rows {
            let cells = BatchRow { columns: &columns, row };
            let line = first + row as u64;
            let parsed = self.mapping.parsed(&cells, Here::default(), Draft::default(), None, normalizer);
            let ParsedBlock { records, tally } = &mut block;
            take_parsed(parsed, line, tally, &mut |record| {
                records.push(record.map_err(|reason| Rejected { line, offset: 0, reason, raw: self.describe(cells) }));
            });
        }
        block
    }

    /// What stands in a row, so that a person finds it again.
    fn describe(&self, row: BatchRow<'_>) -> String {
        let cells = self.leaves.iter().enumerate().filter_map(|(place, leaf)| {
            let text = match row.cell(&place) {
                Cell::Other(value) => Some(value.to_string().into()),
                cell => cell.into_text(),
            };
            Some(format!("{}: {}", leaf.name, text?))
        });
        cells.collect::<Vec<_>>().join(", ")
    }
}

/// A name that two columns have, of which nobody knows which is meant.
fn twice(leaves: &[Leaf]) -> Option<&str> {
    let is_twice = |leaf: &&Leaf| leaves.iter().filter(|other| other.name == leaf.name).count() > 1;
    leaves.iter().find(is_twice).map(|leaf| leaf.name.as_str())
}

/// A column map that may fit.
fn hint(leaves: &[Leaf]) -> String {
    let names: Vec<String> = leaves.iter().map(|leaf| leaf.name.clone()).collect();
    // The types tell times better than any text.
    let cell = |leaf: &Leaf| match Shape::of(&leaf.data_type) {
        Shape::Time { .. } | Shape::Day => "2025-01-06T10:00:00Z".to_owned(),
        _ => String::new(),
    };
    suggested(&names, &[leaves.iter().map(cell).collect()]).unwrap_or_else(|| "time=COLUMN,type=COLUMN,*".into())
}
