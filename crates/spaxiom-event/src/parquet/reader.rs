//! Parquet to events.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};
use chrono::{DateTime, Utc};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::columns::schema;
use crate::draft::{Draft, DraftValue};
use crate::error::{EventError, LineError, Rejected};
use crate::json;
use crate::normalizer::Normalizer;
use crate::source::Record;

/// Reads rows batch by batch.
pub(crate) struct ParquetReader {
    batches: ParquetRecordBatchReader,
    n_rows: u64,
    is_done: bool,
}

impl ParquetReader {
    pub(crate) fn open(path: &Path) -> Result<Self, EventError> {
        let damaged = |source| EventError::Parquet { path: path.to_owned(), source };
        let file = fs_err::File::open(path)?.into_parts().0;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
        check(builder.schema(), path.to_owned())?;
        let batches = builder.with_batch_size(4096).build().map_err(damaged)?;
        Ok(Self { batches, n_rows: 0, is_done: false })
    }

    /// The events of the next batch, or none at the end.
    pub(crate) fn next_rows(&mut self, normalizer: &Normalizer) -> Option<Vec<Result<Record, Rejected>>> {
        if self.is_done {
            return None;
        }
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(error) => {
                self.is_done = true;
                let reason = LineError::BreaksOff(std::io::Error::other(error));
                return Some(vec![Err(Rejected { line: self.n_rows + 1, offset: 0, reason, raw: String::new() })]);
            }
        };
        let first = self.n_rows;
        self.n_rows += batch.num_rows() as u64;
        let row = |row: usize| {
            let record = draft(&batch, row)
                .and_then(|mut draft| draft.take_event(normalizer))
                .map(|event| Record { event, mark: None });
            record.map_err(|reason| Rejected {
                line: first + row as u64 + 1,
                offset: 0,
                reason,
                raw: describe(&batch, row),
            })
        };
        Some((0..batch.num_rows()).map(row).collect())
    }
}

/// Fails where an event cannot be made of the columns.
fn check(found: &Schema, path: PathBuf) -> Result<(), EventError> {
    let describe = |fields: &arrow_schema::Fields| {
        let all: Vec<String> = fields.iter().map(|f| format!("`{}` ({})", f.name(), f.data_type())).collect();
        all.join(", ")
    };
    let wanted = schema();
    let fits = |field: &arrow_schema::Field| {
        let is_needed = matches!(field.name().as_str(), "type" | "time");
        match found.field_with_name(field.name()) {
            Err(_) => !is_needed,
            Ok(got) => match field.data_type() {
                DataType::Timestamp(..) => matches!(got.data_type(), DataType::Timestamp(_, Some(_))),
                wanted => wanted.equals_datatype(got.data_type()),
            },
        }
    };
    let is_readable = |field: &arrow_schema::Field| {
        wanted.field_with_name(field.name()).is_ok()
            || matches!(field.data_type(), DataType::Utf8 | DataType::Float64 | DataType::Int64 | DataType::Boolean)
    };
    if wanted.fields().iter().all(|field| fits(field)) && found.fields().iter().all(|field| is_readable(field)) {
        return Ok(());
    }
    let (wanted, got) = (describe(wanted.fields()), describe(found.fields()));
    Err(EventError::ParquetColumns {
        path,
        wanted: format!("{wanted}, and attributes as text, 64-bit numbers or flags"),
        got,
    })
}

fn draft(batch: &RecordBatch, row: usize) -> Result<Draft<'_>, LineError> {
    let mut draft = match text(batch, "attrs", row) {
        Some(attrs) => json::draft_of_attrs(attrs)?,
        None => Draft::default(),
    };
    draft.id = text(batch, "id", row).map(Into::into);
    draft.kind = text(batch, "type", row).map(Into::into);
    draft.time = time(batch, "time", row)?;
    draft.end_time = time(batch, "end_time", row)?;
    draft.site_id = text(batch, "site_id", row).map(Into::into);
    draft.zone = text(batch, "zone", row).map(Into::into);
    draft.zone_path = list(batch, "zone_path", row).into_iter().map(Into::into).collect();
    draft.x = number(batch, "x", row);
    draft.y = number(batch, "y", row);
    draft.z = number(batch, "z", row);
    draft.entity_id = text(batch, "entity_id", row).map(Into::into);
    draft.confidence = number(batch, "confidence", row);
    draft.severity = text(batch, "severity", row).map(Into::into);
    draft.caused_by = list(batch, "caused_by", row).into_iter().map(Into::into).collect();
    let wanted = schema();
    let others = batch.schema_ref().fields().iter().zip(batch.columns());
    for (field, column) in
        others.filter(|(field, column)| wanted.field_with_name(field.name()).is_err() && column.is_valid(row))
    {
        let value = match field.data_type() {
            DataType::Utf8 => DraftValue::Text(column.as_string::<i32>().value(row).into()),
            DataType::Float64 => DraftValue::Number(column.as_primitive::<Float64Type>().value(row)),
            DataType::Int64 => DraftValue::Number(column.as_primitive::<Int64Type>().value(row) as f64),
            _ => DraftValue::Flag(column.as_boolean().value(row)),
        };
        draft.attrs.push((field.name().as_str().to_owned().into(), value));
    }
    Ok(draft)
}

fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> Option<&'a str> {
    let column = batch.column_by_name(name).filter(|column| column.is_valid(row))?;
    Some(column.as_string::<i32>().value(row))
}

fn number(batch: &RecordBatch, name: &str, row: usize) -> Option<f64> {
    let column = batch.column_by_name(name).filter(|column| column.is_valid(row))?;
    Some(column.as_primitive::<Float64Type>().value(row))
}

fn list(batch: &RecordBatch, name: &str, row: usize) -> Vec<String> {
    let Some(column) = batch.column_by_name(name).filter(|column| column.is_valid(row)) else { return Vec::new() };
    let items = column.as_list::<i32>().value(row);
    items.as_string::<i32>().iter().flatten().map(String::from).collect()
}

fn time(batch: &RecordBatch, name: &'static str, row: usize) -> Result<Option<DateTime<Utc>>, LineError> {
    let Some(column) = batch.column_by_name(name).filter(|column| column.is_valid(row)) else { return Ok(None) };
    let DataType::Timestamp(unit, _) = column.data_type() else { return Ok(None) };
    let (count, nanos_each) = match unit {
        TimeUnit::Second => (column.as_primitive::<TimestampSecondType>().value(row), 1_000_000_000),
        TimeUnit::Millisecond => (column.as_primitive::<TimestampMillisecondType>().value(row), 1_000_000),
        TimeUnit::Microsecond => (column.as_primitive::<TimestampMicrosecondType>().value(row), 1_000),
        TimeUnit::Nanosecond => (column.as_primitive::<TimestampNanosecondType>().value(row), 1),
    };
    let nanos = count.checked_mul(nanos_each).ok_or_else(|| LineError::Time { field: name, got: count.to_string() })?;
    Ok(Some(DateTime::from_timestamp_nanos(nanos)))
}

/// What a person needs to find the row again.
fn describe(batch: &RecordBatch, row: usize) -> String {
    let id = text(batch, "id", row).unwrap_or_default();
    let kind = text(batch, "type", row).unwrap_or_default();
    format!("id `{id}`, type `{kind}`, attrs {}", text(batch, "attrs", row).unwrap_or("none"))
}
