//! Vectors of other programs from Parquet.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, TimestampNanosecondType, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, TimeUnit};
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
                opened.insert(Store::open_or_create(store, &header, Arc::new(Exact))?)
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
    let vectors = vectors(column("vector").ok_or_else(|| format!("wanted a column `vector`; there are {known}"))?)?;
    let vectors = vectors.as_list::<i32>();
    let times = column("time").map(times).unwrap_or_default();
    let mut records = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let Some(id) = cell(ids, row).filter(|_| vectors.is_valid(row)) else { continue };
        let vector = vectors.value(row);
        if vector.null_count() > 0 {
            continue;
        }
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
        records.push(Record {
            id: plain(&id),
            site: text("site_id").unwrap_or_else(|| "default".into()),
            kind: text("type").unwrap_or_else(|| "Vector".into()),
            zone: text("zone"),
            time_ns: times.get(row).copied().flatten().unwrap_or(0),
            metadata: Value::Object(metadata).to_string(),
            vector: vector.as_primitive::<Float32Type>().values().to_vec(),
        });
    }
    Ok(records)
}

/// A text, number or truth value.
fn cell(column: &ArrayRef, row: usize) -> Option<Value> {
    if column.is_null(row) {
        return None;
    }
    let as_type = |wanted: &DataType| cast(&column.slice(row, 1), wanted).ok();
    match column.data_type() {
        DataType::Boolean => Some(column.as_boolean().value(row).into()),
        kind if kind.is_signed_integer() => {
            Some(as_type(&DataType::Int64)?.as_primitive::<Int64Type>().value(0).into())
        }
        kind if kind.is_unsigned_integer() => {
            Some(as_type(&DataType::UInt64)?.as_primitive::<UInt64Type>().value(0).into())
        }
        kind if kind.is_numeric() => Some(as_type(&DataType::Float64)?.as_primitive::<Float64Type>().value(0).into()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            Some(as_type(&DataType::Utf8)?.as_string::<i32>().value(0).into())
        }
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Nanoseconds of times, which are timestamps of any unit or texts as an event has them; none where there is none.
fn times(column: &ArrayRef) -> Vec<Option<i64>> {
    let nanoseconds = DataType::Timestamp(TimeUnit::Nanosecond, None);
    if let (DataType::Timestamp(..), Ok(times)) = (column.data_type(), cast(column, &nanoseconds)) {
        return times.as_primitive::<TimestampNanosecondType>().iter().collect();
    }
    let time = |row| {
        let text = plain(&cell(column, row)?);
        let event = Event::from_json(&serde_json::json!({"type": "Time", "time": text}).to_string()).ok()?;
        event.time.timestamp_nanos_opt()
    };
    (0..column.len()).map(time).collect()
}

/// Lists of numbers of any kind as lists of 32-bit floats.
fn vectors(column: &ArrayRef) -> Result<ArrayRef, String> {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let wanted = |error: &dyn std::fmt::Display| format!("wanted lists of numbers as `vector`, got {error}");
    match column.data_type() {
        DataType::FixedSizeList(..) | DataType::List(_) | DataType::LargeList(_) => {
            cast(column, &DataType::List(item)).map_err(|error| wanted(&error))
        }
        other => Err(wanted(other)),
    }
}
