//! What a source gives.

use chrono::{DateTime, Utc};

use crate::event::Event;

/// What one line says: an event, and in annotated data what was going on.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What the sensor saw.
    pub event: Event,
    /// What an annotator wrote beside it. Never part of the event.
    pub mark: Option<ActivityMark>,
}

/// What an annotator wrote beside an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityMark {
    /// The name of the activity.
    pub activity: String,
    /// Where in the activity the event stands.
    pub edge: MarkEdge,
    /// When.
    pub time: DateTime<Utc>,
}

/// Where in an activity a marked event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkEdge {
    /// The first event of the activity.
    Begin,
    /// The last event of the activity.
    End,
    /// Somewhere in it: sources that write the activity on every event.
    Within,
}

/// What a record of the input turned out to be.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every line is a record, and a box would be an allocation for each"
)]
pub enum Parsed {
    /// An event.
    Record(Record),
    /// Nothing that should be an event, for this reason.
    Skipped(&'static str),
}
