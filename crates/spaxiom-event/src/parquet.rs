//! Apache Parquet: one row per event, the member names as column names, attributes as JSON text.

mod cells;
mod columns;
mod reader;
mod writer;

pub(crate) use self::reader::ParquetReader;
pub(crate) use self::writer::ParquetEvents;
