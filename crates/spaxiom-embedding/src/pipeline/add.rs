//! Events into the store.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use chrono::TimeDelta;
use spaxiom_event::{Event, EventSequence, group_by_site};
use spaxiom_index::{BuildReport, Presence, Progress, Put, Record};
use spaxiom_token::{EventTable, SequenceRows, TokenSequence};

use super::context::MAX_CONTEXT;
use super::handle::{EmbeddingPipeline, table_of};
use crate::data::Dataset;
use crate::error::EmbeddingError;

impl EmbeddingPipeline {
    /// One vector per event of a site, row after row: the event in the context of those before it.
    #[must_use]
    pub fn encode(&self, sequence: &EventSequence) -> Vec<f32> {
        let (table, rows) = table_of(sequence);
        let tokens = self.tokenize(sequence);
        self.vectors.reader(&tokens, &table, &rows).read(0..tokens.len())
    }

    /// Adds the events of a site batch by batch; batches that are already stored are not encoded again.
    ///
    /// Each is encoded in the context of those before it, of the store's too: as far back as a vector reaches.
    /// `progress` gets the number of events of each batch. Returns the number of new events.
    pub fn add_to_index(
        &self,
        sequence: &EventSequence,
        mut progress: impl FnMut(usize),
    ) -> Result<usize, EmbeddingError> {
        let mut adding = Adding { added: Added::default(), progress: &mut progress };
        let beside = self.stored_beside(sequence.events())?;
        if beside.is_empty() {
            let (table, rows) = table_of(sequence);
            let site = Site { tokens: &self.tokenize(sequence), table: &table, rows: &rows, own: None };
            self.add_site(&site, |batch| Cow::Borrowed(&sequence.events()[batch]), &mut adding)?;
        } else {
            self.add_beside(beside, sequence.events(), &mut adding)?;
        }
        Ok(adding.added.n_new)
    }

    /// Adds all events of a data set, as [`EmbeddingPipeline::add_to_index`] does for one site after the other.
    pub fn add_data(&self, data: &Dataset, mut progress: impl FnMut(usize)) -> Result<Added, EmbeddingError> {
        let (table, sequences) = data.columns();
        let mut adding = Adding { added: Added::default(), progress: &mut progress };
        let is_empty = self.store.stats()?.n_vectors == 0;
        for (rows, tokens) in sequences.iter().zip(data.tokenize(self.tokenizer())) {
            let events = |batch: Range<usize>| -> Cow<'_, [Event]> { table.events(&rows.rows[batch]).collect() };
            // Whole events are made for a site only where something of it is stored.
            let own = if is_empty { Cow::default() } else { events(0..rows.rows.len()) };
            let beside = self.stored_beside(&own)?;
            if beside.is_empty() {
                self.add_site(&Site { tokens: &tokens, table, rows, own: None }, events, &mut adding)?;
            } else {
                self.add_beside(beside, &own, &mut adding)?;
            }
        }
        Ok(adding.added)
    }

    /// What the store has of the site of these events, in order of time, from as far before them as vectors reach
    /// up to the last, without those that are among them.
    fn stored_beside(&self, events: &[Event]) -> Result<Vec<Event>, EmbeddingError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(Vec::new()) };
        let (from, to) = (first.time - self.reach(), last.time + TimeDelta::nanoseconds(1));
        let mut stored = self.stored_between(first.site_id.as_str(), from, to, MAX_CONTEXT)?;
        let own: HashSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
        stored.retain(|event| !own.contains(event.id.as_str()));
        Ok(stored)
    }

    fn add_beside(&self, beside: Vec<Event>, own: &[Event], adding: &mut Adding<'_>) -> Result<(), EmbeddingError> {
        let ids: HashSet<&str> = own.iter().map(|event| event.id.as_str()).collect();
        // Sorting is stable: of equal times the stored ones come first, as they did.
        let sequence = group_by_site(beside.into_iter().chain(own.iter().cloned())).remove(0);
        let (table, rows) = table_of(&sequence);
        let site = Site { tokens: &self.tokenize(&sequence), table: &table, rows: &rows, own: Some(&ids) };
        self.add_site(&site, |batch| Cow::Borrowed(&sequence.events()[batch]), adding)
    }

    fn add_site<'e>(
        &self,
        site: &Site<'_>,
        events: impl Fn(Range<usize>) -> Cow<'e, [Event]>,
        adding: &mut Adding<'_>,
    ) -> Result<(), EmbeddingError> {
        let Site { tokens, table, rows, own } = *site;
        let name = rows.site_id.as_str();
        if let Some(zone) = self.tokenizer().known_sites().time_zone(name) {
            self.store.set_time_zones(&[(name.into(), zone.to_string())])?;
        }
        let mut reader = self.vectors.reader(tokens, table, rows);
        for start in (0..tokens.len()).step_by(self.batch_size) {
            let batch = start..(start + self.batch_size).min(tokens.len());
            let events = events(batch.clone());
            let is_own = |event: &Event| own.is_none_or(|own| own.contains(event.id.as_str()));
            let texts: Vec<String> = events.iter().filter(|event| is_own(event)).map(metadata).collect();
            let ids = events.iter().filter(|event| is_own(event)).map(|event| event.id.as_str());
            let asked: Vec<_> = ids.zip(texts.iter().map(String::as_str)).collect();
            let presence = self.store.compare(name, &asked)?;
            adding.added.count(&presence);
            let is_wanted = |presence: Presence| match presence {
                Presence::Missing => true,
                Presence::Different => self.is_replacing,
                Presence::Same => false,
            };
            if presence.iter().copied().any(is_wanted) {
                let vectors = reader.read(batch);
                let rows = events.iter().zip(vectors.chunks_exact(self.vectors.dim()));
                let rows = rows.filter(|(event, _)| is_own(event)).zip(texts).zip(&presence);
                let rows = rows.filter(|(_, presence)| is_wanted(**presence));
                let records = rows.map(|(((event, vector), text), _)| record(event, text, vector)).collect();
                let put = if self.is_replacing {
                    self.store.put(records)?
                } else {
                    Put { n_new: self.store.add(records)?, n_replaced: 0 }
                };
                adding.added.n_new += put.n_new;
                adding.added.n_replaced += put.n_replaced;
            }
            (adding.progress)(presence.len());
        }
        Ok(())
    }

    /// Builds the index over everything that was added; `()` follows nothing.
    ///
    /// # Errors
    /// As of [`spaxiom_index::Store::build`].
    pub fn build_index(&self, progress: &dyn Progress) -> Result<BuildReport, EmbeddingError> {
        Ok(self.store.build(progress)?)
    }
}

/// Events of a site in order of time.
struct Site<'a> {
    tokens: &'a TokenSequence,
    table: &'a EventTable,
    rows: &'a SequenceRows,
    /// Ids of those that are to be added, the others being in the store; all if there are none.
    own: Option<&'a HashSet<&'a str>>,
}

/// What goes on while events are added.
struct Adding<'a> {
    added: Added,
    progress: &'a mut dyn FnMut(usize),
}

/// What a store keeps of an event beside its vector.
pub(super) fn metadata(event: &Event) -> String {
    serde_json::to_string(event).expect("an event has string keys and finite numbers only")
}

pub(super) fn record(event: &Event, metadata: String, vector: &[f32]) -> Record {
    Record {
        id: event.id.to_string(),
        site: event.site_id.to_string(),
        kind: event.kind.to_string(),
        zone: event.zone.as_ref().map(ToString::to_string),
        time_ns: event.time.timestamp_nanos_opt().unwrap_or(i64::MAX),
        metadata,
        vector: vector.to_vec(),
    }
}

/// What became of the events of a data set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Events that are in the store now and were not before.
    pub n_new: usize,
    /// Events whose site and id were there.
    pub n_known: usize,
    /// Those of them that say something else; the store keeps what it had, unless it replaces them.
    pub n_different: usize,
    /// Those of them that took the place of what was there.
    pub n_replaced: usize,
}

impl Added {
    fn count(&mut self, presence: &[Presence]) {
        let count = |wanted: Presence| presence.iter().filter(|found| **found == wanted).count();
        self.n_different += count(Presence::Different);
        self.n_known += count(Presence::Same) + count(Presence::Different);
    }
}
