//! What a simulation gives: a day of a site at a time, the events apart from the truth.

use chrono::{DateTime, Utc};
use spaxiom_event::{DecisionPoint, EntityRecord, Event, EventId, LabelSpan, RelevanceRecord, SiteId, Zone};

use crate::hospital::HospitalTally;

/// A site that is lived through day by day; its memory does not grow with the days.
pub trait SimulatedSite {
    /// Its name.
    fn id(&self) -> &SiteId;

    /// Lives through the next day.
    fn next_day(&mut self) -> Day;

    /// What is not over when the simulation ends.
    fn finish(&self) -> Vec<EntityRecord> {
        Vec::new()
    }

    /// What was counted so far, where it is a hospital.
    fn hospital_tally(&self) -> Option<&HospitalTally> {
        None
    }

    /// Its zones with kinds, outlines and neighbors, for a site map.
    fn zones(&self) -> Vec<(String, Zone)>;
}

/// One day of one site.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Day {
    /// What sensors report, in order of time.
    pub events: Vec<Event>,
    /// What was really going on; nothing of it is in the events.
    pub truth: Truth,
}

impl Day {
    /// Takes out what a slow clock puts before the first midnight.
    pub(crate) fn drop_before(&mut self, start: DateTime<Utc>) {
        let Self { events, truth: Truth { spans, decisions, entities: _, relevance } } = self;
        events.retain(|event| event.time >= start);
        spans.retain(|span| span.end >= start);
        decisions.retain(|decision| decision.time >= start);
        relevance.retain(|record| record.time >= start);
    }

    /// Puts all in order of time, and takes out what is at `end` or later.
    pub(crate) fn split_off(&mut self, end: DateTime<Utc>) -> Self {
        let Self { events, truth: Truth { spans, decisions, entities: _, relevance } } = self;
        Self {
            events: later(events, end, |event| (event.time, event.id.clone())),
            truth: Truth {
                spans: later(spans, end, |span| (span.end, EventId::from(span.episode_id.as_str()))),
                decisions: later(decisions, end, |decision| (decision.time, decision.event_id.clone())),
                entities: Vec::new(),
                relevance: later(relevance, end, |record| (record.time, record.event_id.clone())),
            },
        }
    }
}

/// Ids decide between equal times, so that the order of making them does not matter.
fn later<T>(items: &mut Vec<T>, end: DateTime<Utc>, key: impl Fn(&T) -> (DateTime<Utc>, EventId)) -> Vec<T> {
    items.sort_by_cached_key(&key);
    let n_before = items.partition_point(|item| key(item).0 < end);
    items.split_off(n_before)
}

/// What was really going on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// Hidden causes with their times.
    pub spans: Vec<LabelSpan>,
    /// Moments of decision and what came of them.
    pub decisions: Vec<DecisionPoint>,
    /// Entities that left on this day, or that are still there at the end.
    pub entities: Vec<EntityRecord>,
    /// What the events are examples of.
    pub relevance: Vec<RelevanceRecord>,
}

/// How sure the sensors are of what tells the hidden cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Difficulty {
    /// Nearly all evidence of a cause is present
    Easy,
    /// Some of the evidence is missing or misleading
    #[default]
    Medium,
    /// A quarter of the evidence is missing or misleading
    Hard,
}

impl Difficulty {
    /// The one of three constants that is meant.
    pub(crate) fn pick<T>(self, easy: T, medium: T, hard: T) -> T {
        match self {
            Self::Easy => easy,
            Self::Medium => medium,
            Self::Hard => hard,
        }
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}
