//! The desk itself, and what all questions share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use serde::Deserialize;
use serde_json::Value;
use spaxiom_embedding::{
    EmbeddingError, EmbeddingPipeline, Field, Filter, Names, SearchResult, SiteMap, Sites, StoreRecord, VectorStore,
};

use super::answers::{Counted, Hit, Provenance, Usual};
use crate::error::ServeError;

/// Hits that are given at most, and by default.
pub(super) const MAX_K: usize = 50;
const DEFAULT_K: usize = 10;

/// Vectors of which every pair is compared for what is usual.
const N_USUAL: usize = 200;

/// How far on is looked for what followed, in nanoseconds, and how many events at most.
const FOLLOWING_NS: i64 = 30 * 60 * 1_000_000_000;
const MAX_FOLLOWING: u32 = 10_000;

/// Types of what followed that are listed.
const N_FOLLOWED: usize = 5;

/// Until what is known of a store that grows is looked up again.
const LOOK_AGAIN_SECS: i64 = 10;

/// Answers questions about a store, or about some sites of it.
#[derive(Clone)]
pub struct Desk {
    shared: Arc<Shared>,
    /// The sites that it answers about; none of them stands for all.
    sites: Arc<[String]>,
}

struct Shared {
    store: Arc<dyn VectorStore>,
    /// Encodes one question after the other: not every backend lets threads share an encoder.
    pipeline: Mutex<EmbeddingPipeline>,
    overview: Mutex<Arc<Overview>>,
    /// Whether somebody is looking what there is.
    is_looking: AtomicBool,
    sites: Sites,
    map: SiteMap,
    run: String,
    now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

/// What is known of a store, for as long as nothing is added.
pub(super) struct Overview {
    pub(super) names: Names,
    usual: Usual,
    last_added: u64,
    looked_at: DateTime<Utc>,
}

/// What every question may be limited to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits<'a> {
    pub(super) types: &'a [String],
    pub(super) zones: &'a [String],
    pub(super) sites: &'a [String],
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) time_of_day: &'a str,
}

impl Desk {
    /// Over a store that the run called `run` filled; `map` has the floor plans of sites, as far as they are known; `now` is the time of the world, for `yesterday` in a text.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn new(
        pipeline: EmbeddingPipeline,
        run: &str,
        map: SiteMap,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Result<Self, ServeError> {
        let sites = pipeline.tokenizer().known_sites().clone();
        let overview = Overview::of(pipeline.store(), &sites, now())?;
        let shared = Shared {
            sites,
            is_looking: AtomicBool::new(false),
            store: pipeline.shared_store(),
            pipeline: Mutex::new(pipeline),
            overview: Mutex::new(Arc::new(overview)),
            map,
            run: run.to_owned(),
            now: Box::new(now),
        };
        Ok(Self { shared: Arc::new(shared), sites: Arc::default() })
    }

    /// The same desk for somebody who may know of these sites alone; of all if there are none.
    #[must_use]
    pub fn for_sites(&self, sites: &Arc<[String]>) -> Self {
        Self { shared: Arc::clone(&self.shared), sites: Arc::clone(sites) }
    }

    pub(crate) fn store(&self) -> &dyn VectorStore {
        self.shared.store.as_ref()
    }

    pub(super) fn map(&self) -> &SiteMap {
        &self.shared.map
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.shared.now)()
    }

    /// What encodes, for as long as nobody else has it.
    pub(super) fn pipeline(&self) -> MutexGuard<'_, EmbeddingPipeline> {
        self.shared.pipeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn run_name(&self) -> &str {
        &self.shared.run
    }

    /// Whether this desk answers about a site.
    pub(super) fn knows(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|own| own == site)
    }

    /// Whether it answers about some sites alone.
    pub(super) fn is_limited(&self) -> bool {
        !self.sites.is_empty()
    }

    /// A stored event of a site that this desk answers about.
    pub(super) fn record(&self, id: &str) -> Result<StoreRecord, ServeError> {
        let record = self.store().get(id)?.filter(|record| self.knows(&record.site));
        Ok(record.ok_or_else(|| EmbeddingError::NoSuchEvent { id: id.to_owned() })?)
    }

    /// What is known of the store; of one that grows, as of some seconds ago.
    pub(super) fn overview(&self) -> Result<Arc<Overview>, ServeError> {
        let known = || self.shared.overview.lock().unwrap_or_else(PoisonError::into_inner);
        let (overview, now) = (Arc::clone(&known()), self.now());
        let is_fresh = (now - overview.looked_at).num_seconds().abs() < LOOK_AGAIN_SECS;
        if is_fresh || self.store().last_added()? == overview.last_added {
            return Ok(overview);
        }
        // One looks; the others go on with what was known.
        if self.shared.is_looking.swap(true, Ordering::AcqRel) {
            return Ok(overview);
        }
        let looked = Overview::of(self.store(), &self.shared.sites, now).map(Arc::new);
        self.shared.is_looking.store(false, Ordering::Release);
        let overview = looked?;
        *known() = Arc::clone(&overview);
        Ok(overview)
    }

    /// Events in the store; none where it cannot be read now.
    pub(crate) fn n_events(&self) -> Option<usize> {
        self.store().stats().ok().map(|stats| stats.n_vectors)
    }

    pub(super) fn provenance(&self) -> Result<Provenance, ServeError> {
        Ok(Provenance { run: self.shared.run.clone(), usual_similarity: self.overview()?.usual })
    }

    /// The time on the clock that all sites have, or UTC.
    pub(super) fn local_now(&self) -> Result<NaiveDateTime, ServeError> {
        let zones = self.store().time_zones()?;
        let now = self.now();
        let mut zones = zones.values();
        let first = zones.next().copied();
        let shared = first.filter(|first| zones.all(|zone| zone == first));
        Ok(shared.map_or_else(|| now.naive_utc(), |zone| now.with_timezone(&zone).naive_local()))
    }

    /// The condition that limits say.
    pub(super) fn filter(&self, limits: &Limits<'_>) -> Result<Filter, ServeError> {
        let Limits { types, zones, sites, from, to, time_of_day } = *limits;
        let is = |field: Field, values: &[String]| match values {
            [] => Filter::All,
            values => Filter::Is { field, values: values.to_vec() },
        };
        if let Some(other) = sites.iter().find(|site| !self.knows(site)) {
            let own = self.sites.join(", ");
            return Err(ServeError::Asked(format!("`{other}` is none of the sites that this token is for: {own}")));
        }
        let mut filter = is(Field::Type, types).and(is(Field::Zone, zones)).and(is(Field::Site, sites));
        for (name, word, text) in
            [("from", "time >=", from), ("to", "time <", to), ("time_of_day", "hour in", time_of_day)]
        {
            if !text.is_empty() {
                let parsed = Filter::parse(&format!("{word} {text}"));
                filter = filter.and(parsed.map_err(|error| ServeError::Asked(format!("`{name}`: {error}")))?);
            }
        }
        self.store().require_known(&filter)?;
        // After that: a site of the token that has no event yet is no reason to refuse.
        Ok(if sites.is_empty() { filter.and(is(Field::Site, &self.sites)) } else { filter })
    }

    pub(super) fn hits(&self, results: Vec<SearchResult>, is_full: bool) -> Result<Vec<Hit>, ServeError> {
        results.into_iter().map(|result| self.hit(result, is_full)).collect()
    }

    fn hit(&self, result: SearchResult, is_full: bool) -> Result<Hit, ServeError> {
        let SearchResult { id, site, similarity, kind, zone, time, local_time, n_folded, metadata, .. } = result;
        let at = DateTime::parse_from_rfc3339(&time).ok().and_then(|time| time.timestamp_nanos_opt());
        Ok(Hit {
            followed: at.map_or_else(|| Ok(Vec::new()), |at| self.followed(&site, at))?,
            id,
            site,
            kind,
            zone: zone.unwrap_or_default(),
            time: local_time.unwrap_or(time),
            similarity,
            folded: n_folded,
            event: if is_full { metadata } else { Value::Null },
        })
    }

    /// Events by type that followed a time at a site.
    pub(super) fn followed(&self, site: &str, time_ns: i64) -> Result<Vec<Counted>, ServeError> {
        let events =
            self.store().metadata_between(site, time_ns + 1, time_ns.saturating_add(FOLLOWING_NS), MAX_FOLLOWING)?;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for kind in events.iter().filter_map(|event| serde_json::from_str::<Kind>(event).ok()) {
            *counts.entry(kind.kind.into_owned()).or_default() += 1;
        }
        let mut counts = counted(counts);
        counts.truncate(N_FOLLOWED);
        Ok(counts)
    }
}

/// The type of an event alone: for a hit hundreds of events are counted.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// A time on the clock of a site, with its offset; UTC where no clock is known.
pub(super) fn local<Z: TimeZone<Offset: Display>>(zone: Option<&Z>, time: DateTime<Utc>) -> String {
    match zone {
        Some(zone) => time.with_timezone(zone).to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    }
}

/// Greatest first, and then by name.
pub(super) fn counted(counts: BTreeMap<String, usize>) -> Vec<Counted> {
    let mut counts: Vec<Counted> = counts.into_iter().map(|(name, count)| Counted { name, count }).collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    counts
}

/// How many hits are wanted, within what is allowed.
pub(super) fn wanted(k: usize) -> Result<usize, ServeError> {
    match k {
        0 => Ok(DEFAULT_K),
        1..=MAX_K => Ok(k),
        _ => Err(ServeError::Asked(format!("`k` is at most {MAX_K}, not {k}: narrow the question"))),
    }
}

/// Cosine of two stored vectors, which have length 1.
pub(super) fn similarity(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Overview {
    fn of(store: &dyn VectorStore, sites: &Sites, now: DateTime<Utc>) -> Result<Self, ServeError> {
        let last_added = store.last_added()?;
        let names = Names::of_store(store, sites)?;
        Ok(Self { names, usual: usual(store)?, last_added, looked_at: now })
    }
}

fn usual(store: &dyn VectorStore) -> Result<Usual, ServeError> {
    let vectors: Vec<Vec<f32>> =
        store.sample(N_USUAL, &Filter::All)?.records.into_iter().map(|record| record.vector).collect();
    let pairs = vectors.iter().enumerate().flat_map(|(at, a)| vectors[at + 1..].iter().map(move |b| (a, b)));
    let mut similarities: Vec<f32> = pairs.map(|(a, b)| similarity(a, b)).collect();
    similarities.sort_by(f32::total_cmp);
    let at = |percent: usize| similarities.get(similarities.len() * percent / 100).copied().unwrap_or(0.0);
    Ok(Usual { median: at(50), p99: at(99) })
}
