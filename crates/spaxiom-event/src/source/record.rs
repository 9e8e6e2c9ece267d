//! What a source gives.

use chrono::{DateTime, Utc};

use crate::error::LineError;
use crate::event::Event;
use crate::notes::Note;

/// What one line says: an event, and in annotated data what was going on.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What the sensor saw.
    pub event: Event,
    /// What an annotator wrote beside it. Never part of the event.
    pub mark: Option<ActivityMark>,
    /// What was left out or looks odd; the reader takes them out and counts them.
    pub(crate) notes: Vec<Note>,
    /// The hash of the content, where the id was made of it.
    pub(crate) derived_id: Option<u64>,
    /// Whether the id is to be the number of the line.
    pub(crate) has_line_id: bool,
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        Self { event, mark: None, notes: Vec::new(), derived_id: None, has_line_id: false }
    }
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

impl ActivityMark {
    /// Whether a label says that there is none.
    pub(crate) fn means_none(label: &str) -> bool {
        matches!(label, "" | "None" | "none" | "NONE" | "null" | "NULL" | "NA")
    }
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
    /// Several events, or reasons why there is none: a table with a column per sensor, a list of states.
    Several(Vec<Result<Parsed, LineError>>),
    /// Nothing that should be an event, for this reason.
    Skipped(&'static str),
}
