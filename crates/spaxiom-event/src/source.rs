//! Sources: bytes to [`Record`]s. A format is one file and one row of the table in `format.rs`.

mod blocks;
mod casas;
mod cloud_events;
mod columns;
mod documents;
mod format;
mod head;
mod home_assistant;
mod input;
mod interface;
mod json_path;
mod jsonl;
mod mapping;
mod options;
mod parquet;
mod parser;
mod reader;
mod record;
#[cfg(feature = "sqlite")]
mod recorder;
mod repeats;
mod rows;
mod spaxiom;
mod suggest;

pub(crate) use self::cloud_events::{SOURCE_PREFIX, SPEC_VERSION, TYPE_PREFIX};
pub use self::format::Format;
pub use self::input::TextEncoding;
pub use self::interface::{First, Framing, Head, RecordParser, Source};
pub use self::mapping::ColumnMap;
#[cfg(feature = "parquet")]
pub(crate) use self::mapping::{Cell, Column, Here, Kind, Mapping, Names, Row};
pub use self::options::ReadOptions;
#[cfg(feature = "parquet")]
pub(crate) use self::parser::{ParsedBlock, take_parsed};
pub use self::reader::EventReader;
pub use self::record::{ActivityMark, MarkEdge, Parsed, Record};
#[cfg(feature = "parquet")]
pub(crate) use self::suggest::suggested;
