//! Events into the store.

use std::borrow::Cow;
use std::ops::Range;

use spaxiom_event::{Event, EventSequence};
use spaxiom_index::{BuildReport, Presence, Progress, Record};
use spaxiom_token::{EventTable, SequenceRows, TokenSequence};

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
    /// `progress` gets the number of events of each batch. Returns the number of new events.
    pub fn add_to_index(
        &mut self,
        sequence: &EventSequence,
        mut progress: impl FnMut(usize),
    ) -> Result<usize, EmbeddingError> {
        let (table, rows) = table_of(sequence);
        let events = |batch| Cow::Borrowed(&sequence.events()[batch]);
        let mut added = Added::default();
        self.add_batches(&self.tokenize(sequence), &table, &rows, events, &mut added, &mut progress)?;
        Ok(added.n_new)
    }

    /// Adds all events of a data set, as [`EmbeddingPipeline::add_to_index`] does for one site after the other.
    pub fn add_data(&mut self, data: &Dataset, mut progress: impl FnMut(usize)) -> Result<Added, EmbeddingError> {
        let (table, sequences) = data.columns();
        let mut added = Added::default();
        for (sequence, tokens) in sequences.iter().zip(data.tokenize(self.tokenizer())) {
            let events = |batch| table.events(&sequence.rows[batch]).collect();
            self.add_batches(&tokens, table, sequence, events, &mut added, &mut progress)?;
        }
        Ok(added)
    }

    fn add_batches<'e>(
        &mut self,
        tokens: &TokenSequence,
        table: &EventTable,
        rows: &SequenceRows,
        events: impl Fn(Range<usize>) -> Cow<'e, [Event]>,
        added: &mut Added,
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), EmbeddingError> {
        let site = rows.site_id.as_str();
        if let Some(zone) = self.tokenizer().known_sites().time_zone(site) {
            self.store.set_time_zones(&[(site.into(), zone.to_string())])?;
        }
        let mut reader = self.vectors.reader(tokens, table, rows);
        for start in (0..tokens.len()).step_by(self.batch_size) {
            let batch = start..(start + self.batch_size).min(tokens.len());
            let events = events(batch.clone());
            let texts: Vec<String> = events.iter().map(metadata).collect();
            let asked: Vec<_> =
                events.iter().map(|event| event.id.as_str()).zip(texts.iter().map(String::as_str)).collect();
            let presence = self.store.compare(site, &asked)?;
            added.count(&presence);
            if presence.contains(&Presence::Missing) {
                let vectors = reader.read(batch);
                let rows = vectors.chunks_exact(self.vectors.dim());
                let records =
                    events.iter().zip(texts).zip(rows).map(|((event, text), vector)| record(event, text, vector));
                added.n_new += self.store.add(records.collect())?;
            }
            progress(events.len());
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

/// What a store keeps of an event beside its vector.
fn metadata(event: &Event) -> String {
    serde_json::to_string(event).expect("an event has string keys and finite numbers only")
}

fn record(event: &Event, metadata: String, vector: &[f32]) -> Record {
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
    /// Those of them that say something else; the store keeps what it had.
    pub n_different: usize,
}

impl Added {
    fn count(&mut self, presence: &[Presence]) {
        let count = |wanted: Presence| presence.iter().filter(|found| **found == wanted).count();
        self.n_different += count(Presence::Different);
        self.n_known += count(Presence::Same) + count(Presence::Different);
    }
}
