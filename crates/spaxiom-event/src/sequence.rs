//! Sequences: events of one entity, zone or site in order, from which contexts are cut.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::error::SequenceError;
use crate::event::Event;
use crate::ids::SiteId;

/// Events that belong together, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSequence {
    site_id: SiteId,
    events: Vec<Event>,
}

impl EventSequence {
    /// The site.
    #[must_use]
    pub fn site_id(&self) -> &SiteId {
        &self.site_id
    }

    /// The events, in order of time.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Only the events that `keep` wants, still in order.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Event) -> bool) -> Self {
        let events = self.events.iter().filter(|event| keep(event)).cloned().collect();
        Self { site_id: self.site_id.clone(), events }
    }
}

/// One sequence per site, sites in order of their ids, events in order of time (stable for equal times).
#[must_use]
pub fn group_by_site(events: impl IntoIterator<Item = Event>) -> Vec<EventSequence> {
    let mut sites: BTreeMap<SiteId, Vec<Event>> = BTreeMap::new();
    for event in events {
        match sites.get_mut(&event.site_id) {
            Some(events) => events.push(event),
            None => {
                sites.insert(event.site_id.clone(), vec![event]);
            }
        }
    }
    sites
        .into_iter()
        .map(|(site_id, mut events)| {
            if !events.is_sorted_by_key(|event| event.time) {
                events.sort_by_key(|event| event.time);
            }
            EventSequence { site_id, events }
        })
        .collect()
}

/// What the events of a sequence have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SequenceKey {
    /// The site.
    #[default]
    Site,
    /// Zone and site; events without a zone are left out.
    Zone,
    /// Entity and site; events without an entity are left out.
    Entity,
}

/// What a person may set about sequences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SequencerOptions {
    /// What the events of a sequence have in common; `site`.
    pub key: SequenceKey,
    /// Events of a sequence at most; 512, as in the seed.
    pub max_len: usize,
    /// A longer pause between two events ends a sequence; none.
    pub max_gap_secs: Option<f64>,
    /// Events from the start of one sequence to the start of the next; as many as `max-len`, so that none is in two.
    pub stride: Option<usize>,
}

impl Default for SequencerOptions {
    fn default() -> Self {
        Self { key: SequenceKey::Site, max_len: 512, max_gap_secs: None, stride: None }
    }
}

/// Cuts a stream in order of time into sequences; the same ones however the stream is handed over.
///
/// A run is all events of a key without a pause longer than the gap. Its sequences start at its events
/// 0, `stride`, 2 `stride`, ...; the last of them is the first that reaches the end of the run.
#[derive(Debug)]
pub struct Sequencer {
    key: SequenceKey,
    max_len: usize,
    max_gap: Option<TimeDelta>,
    stride: usize,
    open: BTreeMap<(SiteId, String), Run>,
}

/// The sequence of a key that is being filled.
#[derive(Debug, Default)]
struct Run {
    events: VecDeque<Event>,
    /// Those at the front that were in a sequence already.
    n_given: usize,
}

impl Sequencer {
    /// Checks the options.
    ///
    /// # Errors
    /// [`SequenceError`] for a length or stride of 0, a stride above the length, or a gap that is not above 0.
    pub fn new(options: &SequencerOptions) -> Result<Self, SequenceError> {
        let SequencerOptions { key, max_len, max_gap_secs, stride } = options;
        let wrong = |name, want, got: String| SequenceError { name, want, got };
        if *max_len == 0 {
            return Err(wrong("max-len", "1 or more", "0".into()));
        }
        let stride = stride.unwrap_or(*max_len);
        if stride == 0 || stride > *max_len {
            return Err(wrong("stride", "1 to `max-len`", stride.to_string()));
        }
        if let Some(gap) = max_gap_secs.filter(|gap| !(*gap > 0.0 && *gap < 1e9)) {
            return Err(wrong("max-gap-secs", "above 0 and below 1e9", gap.to_string()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 1e18")]
        let max_gap = max_gap_secs.map(|gap| TimeDelta::nanoseconds((gap * 1e9) as i64));
        Ok(Self { key: *key, max_len: *max_len, max_gap, stride, open: BTreeMap::new() })
    }

    /// Takes the next event; gives the sequences that it ended or filled.
    pub fn push(&mut self, event: Event) -> Vec<EventSequence> {
        let part = match self.key {
            SequenceKey::Site => Some(""),
            SequenceKey::Zone => event.zone.as_ref().map(crate::ids::ZoneId::as_str),
            SequenceKey::Entity => event.entity_id.as_ref().map(crate::ids::EntityId::as_str),
        };
        let Some(part) = part else { return Vec::new() };
        let key = (event.site_id.clone(), part.to_owned());
        let run = self.open.entry(key).or_default();
        let mut done = Vec::new();
        let is_pause = |last: &Event| self.max_gap.is_some_and(|gap| event.time - last.time > gap);
        if run.events.back().is_some_and(is_pause) {
            done.extend(std::mem::take(run).rest());
        }
        run.events.push_back(event);
        if run.events.len() == self.max_len {
            done.push(sequence(run.events.iter().cloned().collect()));
            run.events.drain(..self.stride);
            run.n_given = run.events.len();
        }
        done
    }

    /// The sequences that are still open, in order of their keys.
    #[must_use]
    pub fn finish(self) -> Vec<EventSequence> {
        self.open.into_values().filter_map(Run::rest).collect()
    }
}

impl Run {
    /// What is left, unless all of it was in the sequence before.
    fn rest(self) -> Option<EventSequence> {
        (self.events.len() > self.n_given).then(|| sequence(self.events.into()))
    }
}

fn sequence(events: Vec<Event>) -> EventSequence {
    let site_id = events.first().expect("a sequence has events").site_id.clone();
    EventSequence { site_id, events }
}
