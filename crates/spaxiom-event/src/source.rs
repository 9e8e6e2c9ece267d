//! Sources: bytes to [`Record`]s. A format is one file and one row of the table in `format.rs`.

mod blocks;
mod casas;
mod cloud_events;
mod column_map;
mod columns;
mod documents;
mod format;
mod home_assistant;
mod input;
mod interface;
mod jsonl;
mod options;
mod parquet;
mod reader;
mod record;
mod spaxiom;

pub(crate) use self::cloud_events::{SOURCE_PREFIX, SPEC_VERSION};
pub use self::column_map::ColumnMap;
pub use self::format::Format;
pub use self::interface::{First, Framing, Head, RecordParser, Source};
pub use self::options::ReadOptions;
pub use self::reader::EventReader;
pub use self::record::{ActivityMark, MarkEdge, Parsed, Record};
