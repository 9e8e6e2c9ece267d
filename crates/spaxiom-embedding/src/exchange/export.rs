//! A store as Parquet, as NumPy's array, or as a table for Embedding Atlas.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeListBuilder, Float32Builder, Int64Builder, ListBuilder, StringBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spaxiom_file::NewFile;
use spaxiom_index::{Filter, Layout, Record, Store};

use crate::error::EmbeddingError;
use crate::vector::Array;

/// Neighbors of each vector in a table for Embedding Atlas.
const N_NEIGHBORS: usize = 10;

/// Rows that are written at once.
const BATCH: usize = 1_024;

/// What a store is exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Ids, sites, types, zones, times, metadata, vectors and two coordinates, as Parquet.
    Parquet,
    /// The vectors as an array for NumPy, and the other columns as `FILE.ids.parquet` beside it.
    Npy,
    /// A table for Embedding Atlas: coordinates as `projection_x` and `projection_y`, neighbors as row numbers.
    Atlas,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Npy, Self::Atlas];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Npy => "npy",
            Self::Atlas => "atlas",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// Writes every record of a store to a file; `progress` gets the number of records of each batch.
///
/// Coordinates are those of the store's layout, which is made if there is none.
///
/// # Errors
/// A store that cannot be read, and a disk that is full: the file appears when it is whole.
pub fn export_store(
    store: &Store,
    format: ExportFormat,
    out: &Path,
    progress: &mut dyn FnMut(usize),
) -> Result<usize, EmbeddingError> {
    let layout = match store.layout()? {
        Some(layout) => layout,
        None => store.lay_out()?,
    };
    let dim = store.header().dim;
    let n_vectors = store.stats()?.n_vectors;
    let (table, array) = match format {
        ExportFormat::Npy => (out.with_extension("ids.parquet"), Some(Array::create(out, dim, n_vectors)?)),
        ExportFormat::Parquet | ExportFormat::Atlas => (out.to_owned(), None),
    };
    // Neighbors are named by their row in the table.
    let numbers = if format == ExportFormat::Atlas { numbered(store)? } else { HashMap::new() };
    let mut table = Table::create(&table, format, dim, layout, numbers)?;
    let mut array = array;
    let mut waiting: Vec<Record> = Vec::with_capacity(BATCH);
    let mut n_written = 0;
    let mut write = |records: &mut Vec<Record>| -> Result<(), EmbeddingError> {
        if let Some(array) = &mut array {
            for record in records.iter() {
                array.write(&record.vector, 1)?;
            }
        }
        table.write(store, records)?;
        n_written += records.len();
        progress(records.len());
        records.clear();
        Ok(())
    };
    store.for_each(|record| {
        waiting.push(record);
        if waiting.len() == BATCH { write(&mut waiting) } else { Ok(()) }
    })?;
    write(&mut waiting)?;
    table.writer.into_inner()?.commit()?;
    array.map(Array::finish).transpose()?;
    Ok(n_written)
}

/// The number of each record in the order of the export.
fn numbered(store: &Store) -> Result<HashMap<(String, String), i64>, EmbeddingError> {
    let mut numbers = HashMap::new();
    store.for_each(|record| {
        let number = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
        numbers.insert((record.site, record.id), number);
        Ok::<(), EmbeddingError>(())
    })?;
    Ok(numbers)
}

struct Table {
    writer: ArrowWriter<NewFile>,
    schema: Arc<Schema>,
    format: ExportFormat,
    dim: usize,
    layout: Layout,
    numbers: HashMap<(String, String), i64>,
}

impl Table {
    fn create(
        path: &Path,
        format: ExportFormat,
        dim: usize,
        layout: Layout,
        numbers: HashMap<(String, String), i64>,
    ) -> Result<Self, EmbeddingError> {
        let text = |name, is_optional| Field::new(name, DataType::Utf8, is_optional);
        let mut fields = vec![
            text("id", false),
            text("site_id", false),
            text("type", false),
            text("zone", true),
            Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false),
            text("metadata", false),
            Field::new("projection_x", DataType::Float32, false),
            Field::new("projection_y", DataType::Float32, false),
        ];
        match format {
            ExportFormat::Parquet => fields.push(Field::new("vector", vector_type(dim), false)),
            ExportFormat::Atlas => fields.push(Field::new("neighbors", DataType::Struct(neighbor_fields()), false)),
            ExportFormat::Npy => (),
        }
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let writer = ArrowWriter::try_new(NewFile::create(path)?, Arc::clone(&schema), Some(properties))?;
        Ok(Self { writer, schema, format, dim, layout, numbers })
    }

    fn write(&mut self, store: &Store, records: &[Record]) -> Result<(), EmbeddingError> {
        let text = |of: &dyn Fn(&Record) -> Option<String>| -> ArrayRef {
            let mut column = StringBuilder::new();
            for record in records {
                column.append_option(of(record));
            }
            Arc::new(column.finish())
        };
        let mut times = TimestampNanosecondBuilder::new();
        let (mut xs, mut ys) = (Float32Builder::new(), Float32Builder::new());
        for record in records {
            times.append_value(record.time_ns);
            let [x, y] = self.layout.place(&record.vector);
            xs.append_value(x);
            ys.append_value(y);
        }
        let mut columns: Vec<ArrayRef> = vec![
            text(&|record| Some(record.id.clone())),
            text(&|record| Some(record.site.clone())),
            text(&|record| Some(record.kind.clone())),
            text(&|record| record.zone.clone()),
            Arc::new(times.finish().with_timezone("UTC")),
            text(&|record| Some(record.metadata.clone())),
            Arc::new(xs.finish()),
            Arc::new(ys.finish()),
        ];
        match self.format {
            ExportFormat::Parquet => columns.push(self.vectors(records)),
            ExportFormat::Atlas => columns.push(self.neighbors(store, records)?),
            ExportFormat::Npy => (),
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("columns of the schema");
        Ok(self.writer.write(&batch)?)
    }

    fn vectors(&self, records: &[Record]) -> ArrayRef {
        let DataType::FixedSizeList(item, width) = vector_type(self.dim) else { unreachable!("a list of fixed size") };
        let mut lists = FixedSizeListBuilder::new(Float32Builder::new(), width).with_field(item);
        for record in records {
            lists.values().append_slice(&record.vector);
            lists.append(true);
        }
        Arc::new(lists.finish())
    }

    fn neighbors(&self, store: &Store, records: &[Record]) -> Result<ArrayRef, EmbeddingError> {
        let mut all_ids = ListBuilder::new(Int64Builder::new());
        let mut all_distances = ListBuilder::new(Float32Builder::new());
        for record in records {
            let hits = store.search(&record.vector, N_NEIGHBORS + 1, &Filter::All)?;
            let others =
                hits.into_iter().filter(|hit| (&hit.record.site, &hit.record.id) != (&record.site, &record.id));
            let (mut ids, mut distances) = (Vec::new(), Vec::new());
            for hit in others.take(N_NEIGHBORS) {
                // A record that was added meanwhile is not in the table.
                if let Some(number) = self.numbers.get(&(hit.record.site, hit.record.id)) {
                    ids.push(Some(*number));
                    distances.push(Some(1.0 - hit.similarity));
                }
            }
            all_ids.append_value(ids);
            all_distances.append_value(distances);
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(all_ids.finish()), Arc::new(all_distances.finish())];
        Ok(Arc::new(StructArray::new(neighbor_fields(), columns, None)))
    }
}

fn vector_type(dim: usize) -> DataType {
    let width = i32::try_from(dim).expect("vectors have fewer than 2^31 numbers");
    DataType::FixedSizeList(Arc::new(Field::new("item", DataType::Float32, false)), width)
}

/// Row numbers and cosine distances, the nearest first.
fn neighbor_fields() -> Fields {
    let list = |name, item| Field::new(name, DataType::List(Arc::new(Field::new("item", item, true))), true);
    Fields::from(vec![list("ids", DataType::Int64), list("distances", DataType::Float32)])
}
