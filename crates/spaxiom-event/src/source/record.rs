//! What a source gives.

use std::num::NonZeroU64;

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
    /// The hash of the content, where the id was made of it.
    pub(crate) derived_id: Option<NonZeroU64>,
    /// What few records have; a box keeps all others small.
    aside: Option<Box<Aside>>,
}

/// What few records have.
#[derive(Debug, Clone, Default, PartialEq)]
struct Aside {
    /// What was left out or looks odd; the reader takes it out and counts it.
    notes: Vec<Note>,
    /// Whether the id is to be the number of the line.
    has_line_id: bool,
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        Self { event, mark: None, derived_id: None, aside: None }
    }
}

impl Record {
    /// Keeps notes until the reader counts them.
    pub(crate) fn take_notes_of(&mut self, notes: &mut Vec<Note>) {
        if !notes.is_empty() {
            self.aside.get_or_insert_default().notes.append(notes);
        }
    }

    /// Makes the number of the line the id, once that is known.
    pub(crate) fn want_line_id(&mut self) {
        self.aside.get_or_insert_default().has_line_id = true;
    }

    /// Settles what few records have: gives the id of its line to one that wants it, and the notes.
    pub(crate) fn settle(&mut self, line: u64) -> Vec<Note> {
        let Some(aside) = self.aside.take() else { return Vec::new() };
        if aside.has_line_id {
            // Events of one line have the names of their columns.
            self.event.id = match self.derived_id.take() {
                Some(_) => line.to_string().into(),
                None => format!("{line}/{}", self.event.id).into(),
            };
        }
        aside.notes
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
