//! Vectors into files that other programs read: Parquet, or NumPy's array with the ids beside it.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, StringBuilder, TimestampNanosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spaxiom_event::Event;
use spaxiom_file::NewFile;

use super::array::Array;
use crate::error::EmbeddingError;

/// Writes the vectors of events to `FILE.parquet`, or to `FILE.npy` with `FILE.ids.parquet` beside it.
///
/// The columns of Parquet are `id`, `site_id`, `time` (UTC, nanoseconds) and `vector` (a list of 32-bit floats of fixed size);
/// of an array the rows are those of its ids. Files appear when they are whole.
pub struct VectorFile {
    rows: Rows,
    dim: usize,
    array: Option<Array>,
}

/// A Parquet file.
struct Rows {
    writer: ArrowWriter<NewFile>,
    schema: Arc<Schema>,
}

impl VectorFile {
    /// Begins the file of `n_rows` vectors.
    ///
    /// # Errors
    /// [`EmbeddingError::VectorFormat`] for another ending than `.parquet` and `.npy`, and a folder that cannot be written.
    pub fn create(path: &Path, dim: usize, n_rows: usize) -> Result<Self, EmbeddingError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("parquet") => Ok(Self { rows: Rows::create(path, Some(dim))?, dim, array: None }),
            Some("npy") => {
                let rows = Rows::create(&path.with_extension("ids.parquet"), None)?;
                Ok(Self { rows, dim, array: Some(Array::create(path, dim, n_rows)?) })
            }
            _ => Err(EmbeddingError::VectorFormat { path: path.to_owned() }),
        }
    }

    /// Appends events and their vectors, row after row.
    ///
    /// # Errors
    /// A disk that is full.
    ///
    /// # Panics
    /// Where there are not as many vectors as events: only a programmer can do that.
    pub fn write(&mut self, events: &[Event], vectors: &[f32]) -> Result<(), EmbeddingError> {
        assert_eq!(vectors.len(), events.len() * self.dim, "one vector per event");
        let in_rows = if let Some(array) = &mut self.array {
            array.write(vectors, events.len())?;
            None
        } else {
            Some((vectors, self.dim))
        };
        self.rows.write(events, in_rows)
    }

    /// Writes what is left, and gives the files their names.
    ///
    /// # Errors
    /// A disk that is full.
    ///
    /// # Panics
    /// Where an array got another number of rows than it was begun with.
    pub fn finish(self) -> Result<(), EmbeddingError> {
        let Self { rows, dim: _, array } = self;
        rows.writer.into_inner()?.commit()?;
        array.map_or(Ok(()), Array::finish)
    }
}

impl Rows {
    fn create(path: &Path, dim: Option<usize>) -> Result<Self, EmbeddingError> {
        let mut fields = vec![
            Field::new("id", DataType::Utf8, false),
            Field::new("site_id", DataType::Utf8, false),
            Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false),
        ];
        fields.extend(dim.map(|dim| Field::new("vector", DataType::FixedSizeList(item(), width(dim)), false)));
        let schema = Arc::new(Schema::new(fields));
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let writer = ArrowWriter::try_new(NewFile::create(path)?, Arc::clone(&schema), Some(properties))?;
        Ok(Self { writer, schema })
    }

    fn write(&mut self, events: &[Event], vectors: Option<(&[f32], usize)>) -> Result<(), EmbeddingError> {
        let (mut ids, mut sites) = (StringBuilder::new(), StringBuilder::new());
        let mut times = TimestampNanosecondBuilder::new();
        for event in events {
            ids.append_value(event.id.as_str());
            sites.append_value(event.site_id.as_str());
            times.append_option(event.time.timestamp_nanos_opt());
        }
        let times = times.finish().with_timezone("UTC");
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids.finish()), Arc::new(sites.finish()), Arc::new(times)];
        if let Some((vectors, dim)) = vectors {
            let mut lists = FixedSizeListBuilder::new(Float32Builder::new(), width(dim)).with_field(item());
            for vector in vectors.chunks_exact(dim) {
                lists.values().append_slice(vector);
                lists.append(true);
            }
            columns.push(Arc::new(lists.finish()));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("columns of the schema");
        Ok(self.writer.write(&batch)?)
    }
}

fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float32, false))
}

fn width(dim: usize) -> i32 {
    i32::try_from(dim).expect("vectors have fewer than 2^31 numbers")
}
