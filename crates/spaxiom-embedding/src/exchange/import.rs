//! Vectors of other programs from Parquet.

use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use spaxiom_event::Event;
use spaxiom_index::{Exact, Record, Store, StoreHeader};

use crate::error::EmbeddingError;

/// What became of the rows of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that are in the store now and were not before.
    pub n_new: usize,
    /// Rows whose site and id were there, or whose vector is missing.
    pub n_skipped: usize,
}

/// Adds the rows of a Parquet file to a store, which is created for vectors of `encoder` if it is not there.
///
/// The columns are `id` and `vector` (a list of floats), and where they are there `site_id`, `type`, `zone`, `time` and
/// `metadata` (a JSON object); all other columns of texts, numbers and truth values become attributes.
///
/// # Errors
/// [`EmbeddingError::Import`] for a file without these columns or with vectors of two widths,
/// [`spaxiom_index::IndexError::OtherRun`] for a store of another encoder.
pub fn import_vectors(
    store: &Path,
    file: &Path,
    encoder: &str,
    progress: &mut dyn FnMut(usize),
) -> Result<Imported, EmbeddingError> {
    let wrong = |what: String| EmbeddingError::Import { path: file.to_owned(), what };
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs_err::File::open(file)?.into_parts().0)?.build()?;
    let mut opened: Option<Store> = None;
    let mut imported = Imported::default();
    for batch in reader {
        let batch = batch.map_err(|error| wrong(error.to_string()))?;
        let n_rows = batch.num_rows();
        let rows = rows(&batch).map_err(wrong)?;
        let n_read = rows.len();
        if let Some(first) = rows.first() {
            let dim = first.vector.len();
            if rows.iter().any(|row| row.vector.len() != dim) {
                return Err(wrong("vectors have two widths".into()));
            }
            let store = if let Some(store) = &opened {
                store
            } else {
                let header = StoreHeader { dim, tokenizer: "imported".into(), encoder: encoder.into() };
                opened.insert(Store::open_or_create(store, &header, std::sync::Arc::new(Exact))?)
            };
            let n_new = store.add(rows)?;
            imported.n_new += n_new;
            imported.n_skipped += n_rows - n_new;
        } else {
            imported.n_skipped += n_rows - n_read;
        }
        progress(n_rows);
    }
    Ok(imported)
}

/// The rows of a batch that have an id and a vector.
fn rows(batch: &RecordBatch) -> Result<Vec<Record>, String> {
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    let column = |name: &str| batch.column_by_name(name);
    let known = names.join(", ");
    let ids = column("id").ok_or_else(|| format!("wanted a column `id`; there are {known}"))?;
    let vectors = column("vector").ok_or_else(|| format!("wanted a column `vector`; there are {known}"))?;
    let mut records = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let (Some(id), Some(vector)) = (cell(ids, row), vector(vectors, row)?) else { continue };
        let text = |name: &str| column(name).and_then(|column| cell(column, row)).map(|value| plain(&value));
        let mut metadata = match text("metadata").and_then(|text| serde_json::from_str(&text).ok()) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        for (name, values) in names.iter().zip(batch.columns()) {
            let is_field = ["id", "vector", "site_id", "type", "zone", "time", "metadata"].contains(&name.as_str());
            if let Some(value) = (!is_field).then(|| cell(values, row)).flatten() {
                metadata.insert(name.clone(), value);
            }
        }
        let time_ns = column("time").and_then(|column| time_ns(column, row)).unwrap_or(0);
        records.push(Record {
            id: plain(&id),
            site: text("site_id").unwrap_or_else(|| "default".into()),
            kind: text("type").unwrap_or_else(|| "Vector".into()),
            zone: text("zone"),
            time_ns,
            metadata: Value::Object(metadata).to_string(),
            vector,
        });
    }
    Ok(records)
}

/// A text, number or truth value.
fn cell(column: &ArrayRef, row: usize) -> Option<Value> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row).into()),
        DataType::LargeUtf8 => Some(column.as_string::<i64>().value(row).into()),
        DataType::Utf8View => Some(column.as_string_view().value(row).into()),
        DataType::Boolean => Some(column.as_boolean().value(row).into()),
        DataType::Float64 => Value::from(column.as_primitive::<Float64Type>().value(row)).into(),
        DataType::Float32 => Value::from(column.as_primitive::<Float32Type>().value(row)).into(),
        DataType::Int64 => Some(column.as_primitive::<arrow_array::types::Int64Type>().value(row).into()),
        DataType::Int32 => Some(column.as_primitive::<arrow_array::types::Int32Type>().value(row).into()),
        DataType::UInt64 => Some(column.as_primitive::<arrow_array::types::UInt64Type>().value(row).into()),
        DataType::UInt32 => Some(column.as_primitive::<arrow_array::types::UInt32Type>().value(row).into()),
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Nanoseconds of a timestamp of any unit, or of a text as an event has it.
fn time_ns(column: &ArrayRef, row: usize) -> Option<i64> {
    use arrow_array::types::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    use arrow_schema::TimeUnit;
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Some(column.as_primitive::<TimestampNanosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            column.as_primitive::<TimestampMicrosecondType>().value(row).checked_mul(1_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().value(row).checked_mul(1_000_000)
        }
        DataType::Timestamp(TimeUnit::Second, _) => {
            column.as_primitive::<TimestampSecondType>().value(row).checked_mul(1_000_000_000)
        }
        _ => {
            let text = plain(&cell(column, row)?);
            let event = Event::from_json(&serde_json::json!({"type": "Time", "time": text}).to_string()).ok()?;
            event.time.timestamp_nanos_opt()
        }
    }
}

/// A list of floats.
fn vector(column: &ArrayRef, row: usize) -> Result<Option<Vec<f32>>, String> {
    if column.is_null(row) {
        return Ok(None);
    }
    let values = match column.data_type() {
        DataType::FixedSizeList(..) => column.as_fixed_size_list().value(row),
        DataType::List(_) => column.as_list::<i32>().value(row),
        DataType::LargeList(_) => column.as_list::<i64>().value(row),
        other => return Err(format!("wanted lists of floats as `vector`, got {other}")),
    };
    if values.null_count() > 0 {
        return Ok(None);
    }
    match values.data_type() {
        DataType::Float32 => Ok(Some(values.as_primitive::<Float32Type>().values().to_vec())),
        #[expect(clippy::cast_possible_truncation, reason = "a store keeps fewer digits still")]
        DataType::Float64 => {
            Ok(Some(values.as_primitive::<Float64Type>().values().iter().map(|value| *value as f32).collect()))
        }
        other => Err(format!("wanted floats of 32 or 64 bits in `vector`, got {other}")),
    }
}
