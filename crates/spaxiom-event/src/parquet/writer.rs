//! Events to Parquet.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, ListBuilder, StringBuilder, TimestampNanosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::columns::{FORMAT, FORMAT_KEY, schema};
use crate::event::Event;

/// Rows that are collected before they are written.
const BATCH_ROWS: usize = 8192;

/// Writes events to Parquet, compressed with zstd.
pub(crate) struct ParquetEvents<W: Write + Send> {
    writer: ArrowWriter<W>,
    rows: Rows,
    n_rows: usize,
}

impl<W: Write + Send> ParquetEvents<W> {
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let format = KeyValue::new(FORMAT_KEY.into(), FORMAT.to_owned());
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(vec![format]))
            .build();
        let writer = ArrowWriter::try_new(out, schema(), Some(properties)).map_err(io_error)?;
        Ok(Self { writer, rows: Rows::new(), n_rows: 0 })
    }

    pub(crate) fn write(&mut self, event: &Event) -> io::Result<()> {
        self.rows.push(event)?;
        self.n_rows += 1;
        if self.n_rows.is_multiple_of(BATCH_ROWS) { self.flush() } else { Ok(()) }
    }

    /// Writes the last rows and the footer.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        self.writer.into_inner().map_err(io_error)
    }

    fn flush(&mut self) -> io::Result<()> {
        let batch = self.rows.take();
        self.writer.write(&batch).map_err(io_error)
    }
}

/// A full disk stays the error that it is.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

/// The columns that are being filled.
struct Rows {
    id: StringBuilder,
    kind: StringBuilder,
    time: TimestampNanosecondBuilder,
    end_time: TimestampNanosecondBuilder,
    site_id: StringBuilder,
    zone: StringBuilder,
    zone_path: ListBuilder<StringBuilder>,
    x: Float64Builder,
    y: Float64Builder,
    z: Float64Builder,
    entity_id: StringBuilder,
    attrs: StringBuilder,
    confidence: Float64Builder,
    severity: StringBuilder,
    caused_by: ListBuilder<StringBuilder>,
}

impl Rows {
    fn new() -> Self {
        let text = StringBuilder::new;
        let time = || TimestampNanosecondBuilder::new().with_timezone("UTC");
        Self {
            id: text(),
            kind: text(),
            time: time(),
            end_time: time(),
            site_id: text(),
            zone: text(),
            zone_path: ListBuilder::new(text()),
            x: Float64Builder::new(),
            y: Float64Builder::new(),
            z: Float64Builder::new(),
            entity_id: text(),
            attrs: text(),
            confidence: Float64Builder::new(),
            severity: text(),
            caused_by: ListBuilder::new(text()),
        }
    }

    fn push(&mut self, event: &Event) -> io::Result<()> {
        let Event {
            id,
            kind,
            time,
            end_time,
            site_id,
            zone,
            zone_path,
            position,
            entity_id,
            attrs,
            confidence,
            severity,
            caused_by,
        } = event;
        let nanos = |time: &chrono::DateTime<chrono::Utc>| {
            time.timestamp_nanos_opt().ok_or_else(|| io::Error::other(format!("{time} has no nanoseconds in 64 bits")))
        };
        self.id.append_value(id.as_str());
        self.kind.append_value(kind.as_str());
        self.time.append_value(nanos(time)?);
        self.end_time.append_option(end_time.as_ref().map(nanos).transpose()?);
        self.site_id.append_value(site_id.as_str());
        self.zone.append_option(zone.as_ref().map(crate::ids::ZoneId::as_str));
        append_list(&mut self.zone_path, zone_path.iter().map(crate::ids::ZoneId::as_str));
        self.x.append_option(position.map(|at| at.x));
        self.y.append_option(position.map(|at| at.y));
        self.z.append_option(position.and_then(|at| at.z));
        self.entity_id.append_option(entity_id.as_ref().map(crate::ids::EntityId::as_str));
        let attrs = (!attrs.is_empty()).then(|| serde_json::to_string(attrs)).transpose()?;
        self.attrs.append_option(attrs);
        self.confidence.append_option(*confidence);
        self.severity.append_option(severity.map(crate::event::Severity::name));
        append_list(&mut self.caused_by, caused_by.iter().map(crate::ids::EventId::as_str));
        Ok(())
    }

    fn take(&mut self) -> RecordBatch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.time.finish()),
            Arc::new(self.end_time.finish()),
            Arc::new(self.site_id.finish()),
            Arc::new(self.zone.finish()),
            Arc::new(self.zone_path.finish()),
            Arc::new(self.x.finish()),
            Arc::new(self.y.finish()),
            Arc::new(self.z.finish()),
            Arc::new(self.entity_id.finish()),
            Arc::new(self.attrs.finish()),
            Arc::new(self.confidence.finish()),
            Arc::new(self.severity.finish()),
            Arc::new(self.caused_by.finish()),
        ];
        RecordBatch::try_new(schema(), columns).expect("the builders follow the schema")
    }
}

/// An empty list is written as none.
fn append_list<'a>(list: &mut ListBuilder<StringBuilder>, items: impl ExactSizeIterator<Item = &'a str>) {
    let is_some = items.len() > 0;
    items.for_each(|item| list.values().append_value(item));
    list.append(is_some);
}
