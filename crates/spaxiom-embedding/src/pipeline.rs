//! The seed's `EmbeddingPipeline`: events to tokens to vectors to a store, and back as hits.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::Value;
use spaxiom_event::{Event, EventSequence, SequenceKey, group_by_site};
use spaxiom_index::{BuildReport, Filter, Hit, IndexKind, Presence, Progress, Record, Store, StoreHeader};
use spaxiom_token::{EventTable, SequenceRows, Sites, TokenSequence, Tokenizer};

use crate::data::Dataset;
use crate::engine::Engine;
use crate::error::EmbeddingError;
use crate::run::{Manifest, Run};
use crate::vector::{VectorName, VectorStream, Vectors};

/// Events of a site that lie no further from a nearer hit are of its moment.
const MOMENT_NS: i64 = 15 * 60 * 1_000_000_000;

/// How many events are asked for in place of a moment, and how many more where these are of too few moments.
const FOLD_FACTOR: usize = 8;

/// Events that are encoded together and stored in one transaction, as in the seed.
const BATCH_SIZE: usize = 256;

/// Half-lives that the context of a query reaches back: after five of them 3 % of a count are left.
const CONTEXT_HALF_LIVES: f64 = 5.0;

/// The same without a memory: a window of any encoder.
const LEAST_CONTEXT_SECS: f64 = 6.0 * 3_600.0;

/// Stored events that the context of a query has at most.
const MAX_CONTEXT: u32 = 50_000;

/// Tokenizer, encoder, memory and store of one run.
pub struct EmbeddingPipeline {
    vectors: Vectors,
    store: Store,
    batch_size: usize,
}

/// What makes the vectors of a run, and what a store says that it filled.
fn made_by(run: &Run, engine: &dyn Engine, name: VectorName) -> Result<(Vectors, StoreHeader), EmbeddingError> {
    let vectors = run.vectors(engine, name)?;
    let Manifest { tokenizer, weights, vector, .. } = run.manifest();
    let made = vector.as_ref().or(weights.as_ref()).expect("vectors were read, so the run has weights or a memory");
    let mut encoder: String = made.chars().take(16).collect();
    if name != VectorName::Both && vector.is_some() {
        encoder = format!("{encoder}-{}", name.as_str());
    }
    // Builds before walks filled stores with the vectors of windows, which are others.
    if vectors.encoder().is_some_and(|encoder| encoder.walk().is_some()) {
        encoder.push_str("-walk");
    }
    let header = StoreHeader { dim: vectors.dim(), tokenizer: tokenizer.clone(), encoder };
    Ok((vectors, header))
}

/// A hit as a person reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchResult {
    /// The event's id.
    pub id: String,
    /// The event's site.
    pub site: String,
    /// Cosine of the angle to the query, -1 to 1; greater is nearer.
    pub similarity: f32,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event's zone.
    pub zone: Option<String>,
    /// The event's time, RFC 3339.
    pub time: String,
    /// Hits of the same moment that were left out because this one is nearer; 0 where hits are single events.
    pub n_folded: usize,
    /// The whole event.
    pub metadata: Value,
}

/// What is searched for.
#[derive(Debug, Clone, Copy)]
pub enum Query<'a> {
    /// An event, and what was before it at its site; where nothing is, it is compared by what a bare event has.
    Event {
        /// The event.
        event: &'a Event,
        /// Events of its site before it; others are ignored.
        context: &'a [Event],
    },
    /// A stored event, by its id.
    Id(&'a str),
}

impl EmbeddingPipeline {
    /// Opens a store that the run filled; never creates one, and leaves its index kind and its vectors as they are.
    ///
    /// # Errors
    /// [`spaxiom_index::IndexError::NoStore`] without a store, [`spaxiom_index::IndexError::OtherRun`] if another run filled it.
    pub fn open(run: &Run, store: &Path, engine: &dyn Engine) -> Result<Self, EmbeddingError> {
        let store = Store::open(store)?;
        let (vectors, header) = made_by(run, engine, Self::parts(&store.stats()?.header))?;
        store.require(&header)?;
        Ok(Self::new(vectors, store))
    }

    /// Creates a store for the run; one that is there already keeps its events and gets the index kind.
    ///
    /// # Errors
    /// [`spaxiom_index::IndexError::OtherRun`] if another run filled the store.
    pub fn create(
        run: &Run,
        store: &Path,
        kind: Arc<dyn IndexKind>,
        engine: &dyn Engine,
    ) -> Result<Self, EmbeddingError> {
        Self::create_with(run, store, kind, engine, VectorName::Both)
    }

    /// The same for some parts of the vectors.
    ///
    /// # Errors
    /// As [`EmbeddingPipeline::create`], and if the store was filled with other parts.
    pub fn create_with(
        run: &Run,
        store: &Path,
        kind: Arc<dyn IndexKind>,
        engine: &dyn Engine,
        parts: VectorName,
    ) -> Result<Self, EmbeddingError> {
        let (vectors, header) = made_by(run, engine, parts)?;
        Ok(Self::new(vectors, Store::open_or_create(store, &header, kind)?))
    }

    /// The parts of the vectors of a store.
    #[must_use]
    pub fn parts(header: &StoreHeader) -> VectorName {
        let parts = VectorName::ALL.into_iter().find(|name| header.encoder.ends_with(&format!("-{}", name.as_str())));
        parts.unwrap_or_default()
    }

    fn new(vectors: Vectors, store: Store) -> Self {
        Self { vectors, store, batch_size: BATCH_SIZE }
    }

    /// The same pipeline with another number of events that are encoded together and stored in one transaction; 256 by default.
    #[must_use]
    pub fn with_batch_size(self, batch_size: usize) -> Self {
        Self { batch_size: batch_size.max(1), ..self }
    }

    /// The same pipeline for sites that were not in training: their clocks and kinds of zones.
    #[must_use]
    pub fn with_sites(mut self, sites: &Sites) -> Self {
        self.vectors = self.vectors.with_sites(sites);
        self
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        self.vectors.tokenizer()
    }

    /// What makes the vectors.
    #[must_use]
    pub fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// One row of ids per event.
    #[must_use]
    pub fn tokenize(&self, sequence: &EventSequence) -> TokenSequence {
        self.tokenizer().tokenize(sequence)
    }

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
    /// As of [`Store::build`].
    pub fn build_index(&self, progress: &dyn Progress) -> Result<BuildReport, EmbeddingError> {
        Ok(self.store.build(progress)?)
    }

    /// The `k` moments nearest to the query, each by its nearest event with the number of others.
    ///
    /// Events of a site within 15 minutes of a nearer hit are of its moment. The query's own moment is not among the hits.
    ///
    /// # Errors
    /// As of [`EmbeddingPipeline::search_event`] and [`EmbeddingPipeline::search_id`].
    pub fn search(&self, query: Query<'_>, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        let (vector, own) = self.asked(query)?;
        self.store.require_known(filter)?;
        let mut n_events = FOLD_FACTOR * k;
        loop {
            let hits = self.store.search(&vector, n_events, filter)?;
            let is_all = hits.len() < n_events;
            let mut moments = moments(hits, &own);
            if moments.len() >= k || is_all {
                moments.truncate(k);
                return Ok(moments.into_iter().map(|moment| result(moment.nearest, moment.n_folded)).collect());
            }
            n_events *= FOLD_FACTOR;
        }
    }

    /// The `k` events nearest to `event`, of which nothing before is known: only what its encoder says of it is compared.
    ///
    /// # Errors
    /// [`spaxiom_token::TokenError::Unknown`] for a type or zone that training never saw,
    /// [`spaxiom_index::IndexError::NothingPasses`] for a filter with a value that the store does not have.
    pub fn search_event(&self, event: &Event, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        self.search_all(Query::Event { event, context: &[] }, k, filter)
    }

    /// The `k` events nearest to the one with this id, which is not among them.
    ///
    /// # Errors
    /// [`EmbeddingError::NoSuchEvent`] where the store has no such event.
    pub fn search_id(&self, id: &str, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        self.search_all(Query::Id(id), k, filter)
    }

    /// The `k` events nearest to the query, which is not among them.
    ///
    /// # Errors
    /// As of [`EmbeddingPipeline::search_event`] and [`EmbeddingPipeline::search_id`].
    pub fn search_all(&self, query: Query<'_>, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        let (vector, own) = self.asked(query)?;
        self.store.require_known(filter)?;
        let mut hits = self.store.search(&vector, k + 1, filter)?;
        hits.retain(|hit| hit.record.id != own.id || hit.record.site != own.site);
        hits.truncate(k);
        Ok(hits.into_iter().map(|hit| result(hit, 0)).collect())
    }

    /// The vector of a query, and what it is.
    fn asked(&self, query: Query<'_>) -> Result<(Vec<f32>, Own), EmbeddingError> {
        match query {
            Query::Event { event, context } => {
                self.tokenizer().require_known(event)?;
                let own = Own {
                    id: event.id.to_string(),
                    site: event.site_id.to_string(),
                    time_ns: event.time.timestamp_nanos_opt().unwrap_or(i64::MAX),
                };
                Ok((self.vector_after(event, context), own))
            }
            Query::Id(id) => {
                let Record { id, site, time_ns, vector, .. } =
                    self.store.get(id)?.ok_or_else(|| EmbeddingError::NoSuchEvent { id: id.into() })?;
                Ok((vector, Own { id, site, time_ns }))
            }
        }
    }

    /// The vector of an event after others of its site; of a bare event where there are none.
    fn vector_after(&self, event: &Event, context: &[Event]) -> Vec<f32> {
        let is_before =
            |other: &&Event| other.site_id == event.site_id && other.time <= event.time && other.id != event.id;
        let before: Vec<Event> = context.iter().filter(is_before).cloned().collect();
        if before.is_empty() {
            return self.vectors.of_bare(event);
        }
        // Sorting is stable: of equal times the event is the last.
        let sequence = group_by_site(before.into_iter().chain([event.clone()])).remove(0);
        let (table, rows) = table_of(&sequence);
        let tokens = self.tokenize(&sequence);
        let last = tokens.len() - 1;
        self.vectors.reader(&tokens, &table, &rows).read(last..last + 1)
    }

    /// What the store has of the site of an event up to its time: as far back as its vector reaches.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn stored_context(&self, event: &Event) -> Result<Vec<Event>, EmbeddingError> {
        let secs =
            self.vectors.memory().map_or(0.0, |memory| CONTEXT_HALF_LIVES * memory.options().longest_half_life_secs());
        let end = event.time.timestamp_nanos_opt().unwrap_or(i64::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "days are far below the greatest number of nanoseconds")]
        let start = end.saturating_sub((secs.max(LEAST_CONTEXT_SECS) * 1e9) as i64);
        let stored = self.store.metadata_between(event.site_id.as_str(), start, end.saturating_add(1), MAX_CONTEXT)?;
        let events = stored.iter().filter_map(|event| Event::from_json(event).ok());
        Ok(events.filter(|other| other.id != event.id).collect())
    }

    /// A stream of events of one site, each encoded in the context of those pushed before it.
    #[must_use]
    pub fn stream(&self) -> VectorStream<'_> {
        self.vectors.stream()
    }
}

/// The events of a site as columns, and their rows.
fn table_of(sequence: &EventSequence) -> (EventTable, SequenceRows) {
    let mut table = EventTable::new(SequenceKey::Site);
    sequence.events().iter().for_each(|event| table.push(event));
    let rows = (0u32..).take(sequence.events().len()).collect();
    (table, SequenceRows { site_id: sequence.site_id().clone(), rows })
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

/// Events of one moment.
struct Moment {
    nearest: Hit,
    n_folded: usize,
}

/// Which event a query is.
struct Own {
    id: String,
    site: String,
    time_ns: i64,
}

/// Hits by moments, nearest first; none of the moment of `own`.
fn moments(hits: Vec<Hit>, own: &Own) -> Vec<Moment> {
    let is_near = |site: &str, time_ns: i64, of: &Record| {
        site == of.site && time_ns.saturating_sub(of.time_ns).saturating_abs() <= MOMENT_NS
    };
    let mut moments: Vec<Moment> = Vec::new();
    for hit in hits.into_iter().filter(|hit| !is_near(&own.site, own.time_ns, &hit.record)) {
        let Record { site, time_ns, .. } = &hit.record;
        match moments.iter_mut().find(|moment| is_near(site, *time_ns, &moment.nearest.record)) {
            Some(moment) => moment.n_folded += 1,
            None => moments.push(Moment { nearest: hit, n_folded: 0 }),
        }
    }
    moments
}

fn result(Hit { similarity, record }: Hit, n_folded: usize) -> SearchResult {
    SearchResult {
        id: record.id,
        site: record.site,
        similarity,
        kind: record.kind,
        zone: record.zone,
        time: DateTime::from_timestamp_nanos(record.time_ns).to_rfc3339_opts(SecondsFormat::AutoSi, true),
        n_folded,
        metadata: serde_json::from_str(&record.metadata).unwrap_or(Value::Null),
    }
}
