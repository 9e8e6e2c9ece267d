//! Typed events from sensors in buildings.
//!
//! Takes bytes (JSON lines, CloudEvents, Spaxiom's own shapes, Home Assistant, CASAS, delimited text, Parquet),
//! gives [`Event`]s, [`LabelSpan`]s and [`EventSequence`]s, and writes them again.
//! Knows no tensors and no vector store, and never looks at a clock: the same bytes give the same events everywhere.
//!
//! An event is what a sensor or a rule over sensors reports: *a queue formed*, *a door opened*.
//! What was *really* going on (an activity, a hidden cause) is never part of an event; it lives in a [`LabelSpan`].
//!
//! The [`Registry`] declares types, attributes and units; the [`SiteMap`] describes zones and sensors.
//!
//! # Example
//!
//! ```
//! use spaxiom_event::{Event, group_by_site};
//!
//! let line = r#"{"type": "QueueFormed", "zone": "dock", "length": 8, "time": "2025-01-06T10:23:45Z", "site_id": "dc-4"}"#;
//! let event = Event::from_json(line)?;
//! assert_eq!((event.kind.as_str(), event.site_id.as_str()), ("QueueFormed", "dc-4"));
//! assert_eq!(group_by_site([event])[0].events().len(), 1);
//! # Ok::<(), spaxiom_event::LineError>(())
//! ```
//!
//! Files of any format are read by [`EventReader`], or whole by [`read_log`].
//!
//! # Features
//!
//! - `parquet` (default): reads and writes Parquet.
//! - `sqlite` (default): reads the recorder database of Home Assistant.
//! - `clap`: formats and targets are values of a command line.

mod attrs;
mod doctor;
mod draft;
mod error;
mod event;
mod ids;
mod json;
mod label;
mod log;
mod mark;
mod normalizer;
mod notes;
mod order;
#[cfg(feature = "parquet")]
mod parquet;
mod pseudonym;
mod registry;
mod sequence;
mod site_map;
mod source;
mod time;
mod unit;
mod writer;

pub use crate::attrs::{AttrValue, Attrs};
pub use crate::doctor::{Doctor, DoctorOptions, Finding, Health, SensorHealth};
pub use crate::error::{ColumnMapError, EventError, LineError, Rejected, SequenceError};
pub use crate::event::{Event, Position, Severity};
pub use crate::ids::{EntityId, EventId, EventType, SiteId, ZoneId};
pub use crate::label::{
    DecisionOutcome, DecisionPoint, EntityRecord, KnownLabel, LabelIndex, LabelSpan, RelevanceRecord, read_labels,
    read_records, write_labels, write_records,
};
pub use crate::log::{EventLog, read_events, read_log};
pub use crate::mark::{SpanBuilder, UnpairedMark};
pub use crate::normalizer::Normalizer;
pub use crate::notes::Note;
pub use crate::order::{Deduplicator, Late, Reorder};
pub use crate::pseudonym::Pseudonymizer;
pub use crate::registry::{AttrSpec, Registry, TypeSpec};
pub use crate::sequence::{EventSequence, SequenceKey, Sequencer, SequencerOptions, group_by_site};
pub use crate::site_map::{Sensor, Shape, Site, SiteMap, Zone};
pub use crate::source::{
    ActivityMark, ColumnMap, EventReader, First, Format, Framing, Head, MarkEdge, Parsed, ReadOptions, Record,
    RecordParser, Source, TextEncoding,
};
pub use crate::unit::Unit;
pub use crate::writer::{EventWriter, Target, write_broken_line, write_jsonl};
