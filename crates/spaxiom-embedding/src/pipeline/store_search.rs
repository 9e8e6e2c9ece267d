//! Searches that need a store alone: by what is in it, or by a vector.

use chrono::{DateTime, SecondsFormat, TimeZone};
use serde_json::Value;
use spaxiom_index::{Filter, Hit, Record, VectorStore, normalize};

use super::moments::{Own, moments};
use super::query::{Query, SearchResult};
use crate::error::EmbeddingError;

/// How many events are asked for in place of a moment at first, and how many times more at most where these are of too few moments.
const FOLD_FACTOR: usize = 8;

/// Events of a span whose vectors are averaged, at most: the last ones.
const MAX_OF_SPAN: u32 = 1_000;

/// Searches a store without the run that filled it.
#[derive(Debug)]
pub struct StoreSearch<'a> {
    store: &'a dyn VectorStore,
}

impl<'a> StoreSearch<'a> {
    /// Searches this store.
    #[must_use]
    pub fn new(store: &'a dyn VectorStore) -> Self {
        Self { store }
    }

    /// The `k` moments nearest to the query, as [`EmbeddingPipeline::search`](super::EmbeddingPipeline::search) gives them.
    ///
    /// # Errors
    /// [`EmbeddingError::NeedsRun`] for an event, which a run has to encode; [`EmbeddingError::NoSuchEvent`] for an id
    /// that is not there, [`EmbeddingError::NothingThen`] for a span without events.
    pub fn search(&self, query: Query<'_>, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        let (vector, own) = self.asked(query)?;
        self.moments(&vector, &own, k, filter)
    }

    /// The `k` events nearest to the query; what it is made of is not among them.
    ///
    /// # Errors
    /// As of [`StoreSearch::search`].
    pub fn search_all(&self, query: Query<'_>, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        let (vector, own) = self.asked(query)?;
        self.events(&vector, &own, k, filter)
    }

    /// The store.
    pub(super) fn store(&self) -> &dyn VectorStore {
        self.store
    }

    pub(super) fn moments(
        &self,
        vector: &[f32],
        own: &Own,
        k: usize,
        filter: &Filter,
    ) -> Result<Vec<SearchResult>, EmbeddingError> {
        self.store.require_known(filter)?;
        let mut n_events = FOLD_FACTOR * k;
        loop {
            let hits = self.store.search(vector, n_events, filter)?;
            let is_all = hits.len() < n_events;
            let mut moments = moments(hits, own);
            if moments.len() >= k || is_all {
                moments.truncate(k);
                return self.results(moments.into_iter().map(|moment| (moment.nearest, moment.n_folded)));
            }
            // As many as it takes if the next ones are of as few moments, and some more.
            let enough = n_events * (k + 1) / moments.len().max(1) * 5 / 4;
            n_events = enough.clamp(2 * n_events, FOLD_FACTOR * n_events);
        }
    }

    pub(super) fn events(
        &self,
        vector: &[f32],
        own: &Own,
        k: usize,
        filter: &Filter,
    ) -> Result<Vec<SearchResult>, EmbeddingError> {
        self.store.require_known(filter)?;
        let n_own = own.n_events().unwrap_or(MAX_OF_SPAN as usize);
        let mut hits = self.store.search(vector, k + n_own, filter)?;
        hits.retain(|hit| !own.is(&hit.record));
        hits.truncate(k);
        self.results(hits.into_iter().map(|hit| (hit, 0)))
    }

    /// The vector of a query, and what it is made of.
    pub(super) fn asked(&self, query: Query<'_>) -> Result<(Vec<f32>, Own), EmbeddingError> {
        match query {
            Query::Event { .. } => Err(EmbeddingError::NeedsRun),
            Query::Id(id) => self.example(id),
            Query::Span { site, from_ns, to_ns } => {
                let records = self.store.records_between(site, from_ns, to_ns, MAX_OF_SPAN)?;
                if records.is_empty() {
                    let time = |ns| DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::AutoSi, true);
                    return Err(EmbeddingError::NothingThen {
                        site: site.into(),
                        from: time(from_ns),
                        to: time(to_ns),
                    });
                }
                let vectors: Vec<Vec<f32>> = records.into_iter().map(|record| record.vector).collect();
                Ok((self.mean(&vectors), Own::of_span(site, from_ns, to_ns - 1)))
            }
            Query::Examples { like, unlike } => {
                let (like, own) = self.examples(like)?;
                let (unlike, unlike_own) = self.examples(unlike)?;
                Ok((like.iter().zip(unlike).map(|(a, b)| a - b).collect(), own.and(unlike_own)))
            }
            Query::Vector(vector) => Ok((vector.to_vec(), Own::default())),
        }
    }

    fn example(&self, id: &str) -> Result<(Vec<f32>, Own), EmbeddingError> {
        let Record { id, site, time_ns, vector, .. } =
            self.store.get(id)?.ok_or_else(|| EmbeddingError::NoSuchEvent { id: id.into() })?;
        Ok((vector, Own::of_event(&site, &id, time_ns)))
    }

    /// The mean of stored events, and what it is made of.
    fn examples(&self, ids: &[&str]) -> Result<(Vec<f32>, Own), EmbeddingError> {
        let (mut vectors, mut own) = (Vec::new(), Own::default());
        for id in ids {
            let (vector, of) = self.example(id)?;
            vectors.push(vector);
            own = own.and(of);
        }
        Ok((self.mean(&vectors), own))
    }

    /// The mean of vectors of length 1; zeros where there are none.
    pub(super) fn mean(&self, vectors: &[Vec<f32>]) -> Vec<f32> {
        let dim = self.store.header().dim;
        let mut mean = vec![0f32; dim];
        for vector in vectors {
            mean.iter_mut().zip(vector).for_each(|(mean, value)| *mean += value);
        }
        normalize(&mut mean, dim);
        mean
    }

    pub(super) fn results(
        &self,
        hits: impl Iterator<Item = (Hit, usize)>,
    ) -> Result<Vec<SearchResult>, EmbeddingError> {
        let clocks = self.store.time_zones()?;
        let result = |(Hit { similarity, record }, n_folded): (Hit, usize)| {
            let time = DateTime::from_timestamp_nanos(record.time_ns);
            let local = clocks.get(&record.site).map(|clock| clock.from_utc_datetime(&time.naive_utc()));
            SearchResult {
                similarity,
                kind: record.kind,
                zone: record.zone,
                time: time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                local_time: local.map(|local| local.to_rfc3339_opts(SecondsFormat::AutoSi, false)),
                n_folded,
                metadata: serde_json::from_str(&record.metadata).unwrap_or(Value::Null),
                evidence: None,
                id: record.id,
                site: record.site,
            }
        };
        Ok(hits.map(result).collect())
    }
}
