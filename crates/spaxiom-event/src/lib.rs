//! Typed events from sensors in buildings.
//!
//! Takes bytes (JSON lines, CASAS text), gives [`Event`]s, [`LabelSpan`]s and [`EventSequence`]s.
//! Knows no tensors and no vector store, and never looks at a clock: the same bytes give the same events everywhere.
//!
//! An event is what a sensor or a rule over sensors reports: *a queue formed*, *a door opened*.
//! What was *really* going on (an activity, a hidden cause) is never part of an event; it lives in a [`LabelSpan`].

mod error;
mod event;
mod ids;
mod label;
mod log;
mod sequence;
mod source;

pub use crate::error::{EventError, LineError, Rejected};
pub use crate::event::{AttrValue, Event, Position};
pub use crate::ids::{EntityId, EventId, EventType, SiteId, ZoneId};
pub use crate::label::{LabelIndex, LabelSpan, Labelled, UNLABELLED, read_labels, write_labels};
pub use crate::log::{EventLog, UnpairedMark, read_log, write_jsonl};
pub use crate::sequence::{EventSequence, group_by_site};
pub use crate::source::{ActivityMark, EventReader, Format, MarkEdge, Record};
