//! Events as they come: each becomes a vector and a risk at once, and what was made of it is committed with what is needed to go on.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use spaxiom_event::{EntityId, Event, SiteId, group_by_site};
use spaxiom_index::{Presence, Record};

use super::add::{metadata, record};
use super::handle::EmbeddingPipeline;
use crate::error::EmbeddingError;
use crate::risk::{FallRiskClassifier, RiskScore, RiskStream};
use crate::vector::LiveVectors;

/// Names under which the store keeps what a stream goes on with.
const SITE: &str = "site/";
const ENTITY: &str = "entity/";

/// Between site and entity in a name; no id has it.
const BETWEEN: char = '\u{1f}';

/// Takes events of many sites in as they come.
///
/// After a restart it goes on with the last commit: vectors are to the last bit those of a stream that never stopped,
/// if what came after that commit is given again.
pub struct LivePipeline<'a> {
    pipeline: &'a EmbeddingPipeline,
    vectors: LiveVectors<'a>,
    risk: Option<RiskStream<'a>>,
    /// Sites whose state was looked for in the store.
    known_sites: HashSet<SiteId>,
    uncommitted: Uncommitted,
}

/// What came since the last commit.
#[derive(Default)]
struct Uncommitted {
    records: Vec<Record>,
    ids: HashSet<(SiteId, String)>,
    sites: BTreeSet<SiteId>,
    entities: BTreeSet<(SiteId, EntityId)>,
    late: Vec<Event>,
    /// What a commit that failed half way has made durable.
    done: Committed,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// It is the newest of its site.
    New {
        /// The vector of the moment; of length 1 in the store.
        vector: Vec<f32>,
        /// The risk, where it is decided about one at this event.
        risk: Option<RiskScore>,
    },
    /// Its site and id are there: it was delivered again.
    Known,
    /// Newer ones of its site came before it. It is stored in the context of those before its own time, and changes no later vector.
    Late,
}

/// What a commit made durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Events that are in the store now and were not before.
    pub n_new: usize,
    /// Those of them that were late.
    pub n_late: usize,
}

impl EmbeddingPipeline {
    /// Takes events in as they come, and goes on where the store's last commit ended; `risk` judges them too.
    ///
    /// # Errors
    /// [`EmbeddingError::NotLive`] for tokens of stretches of time, [`EmbeddingError::OtherState`] for what another
    /// classifier kept, [`EmbeddingError::NoBoosting`] for trees in a build without LightGBM.
    pub fn live<'a>(&'a self, risk: Option<&'a FallRiskClassifier>) -> Result<LivePipeline<'a>, EmbeddingError> {
        let mut risk = risk.map(FallRiskClassifier::stream).transpose()?;
        if let Some(risk) = &mut risk {
            for (name, state) in self.store.kept(ENTITY)? {
                let Some((site, entity)) = name[ENTITY.len()..].split_once(BETWEEN) else { continue };
                risk.resume(site.into(), entity.into(), &state)?;
            }
        }
        Ok(LivePipeline {
            pipeline: self,
            vectors: self.vectors.live()?,
            risk,
            known_sites: HashSet::new(),
            uncommitted: Uncommitted::default(),
        })
    }
}

impl LivePipeline<'_> {
    /// Takes the next event in; it is durable after the next commit.
    ///
    /// # Errors
    /// A store that cannot be read, and [`EmbeddingError::OtherState`] for what another run kept of the site.
    pub fn push(&mut self, event: &Event) -> Result<Taken, EmbeddingError> {
        self.begin(&event.site_id)?;
        let last = self.vectors.last(&event.site_id).map(|last| last.time);
        // What is newer than everything cannot have come before.
        if last.is_some_and(|last| event.time <= last) {
            if self.is_known(event)? {
                return Ok(Taken::Known);
            }
            if last.is_some_and(|last| event.time < last) {
                self.uncommitted.ids.insert((event.site_id.clone(), event.id.to_string()));
                self.uncommitted.late.push(event.clone());
                return Ok(Taken::Late);
            }
        }
        let vector = self.vectors.push(event);
        let risk = self.risk.as_mut().map(|risk| risk.push(event)).transpose()?.flatten();
        let Uncommitted { records, ids, sites, entities, late: _, done: _ } = &mut self.uncommitted;
        records.push(record(event, metadata(event), &vector));
        ids.insert((event.site_id.clone(), event.id.to_string()));
        sites.insert(event.site_id.clone());
        if let (true, Some(entity)) = (self.risk.is_some(), &event.entity_id) {
            entities.insert((event.site_id.clone(), entity.clone()));
        }
        Ok(Taken::New { vector, risk })
    }

    /// How many events came since the last commit.
    #[must_use]
    pub fn n_uncommitted(&self) -> usize {
        self.uncommitted.records.len() + self.uncommitted.late.len()
    }

    /// Makes everything that came durable, with what is needed to go on, and with what the caller keeps under names of its own.
    ///
    /// Only after this may the source forget what it gave.
    ///
    /// # Errors
    /// A store that cannot be written: nothing is lost, and the same may be tried again.
    pub fn commit(&mut self, mut kept: BTreeMap<String, Vec<u8>>) -> Result<Committed, EmbeddingError> {
        let Uncommitted { records, sites, entities, .. } = &self.uncommitted;
        for site in sites {
            kept.extend(self.vectors.state(site).map(|state| (format!("{SITE}{site}"), state)));
            if let Some(zone) = self.pipeline.tokenizer().known_sites().time_zone(site.as_str()) {
                self.pipeline.store.set_time_zones(&[(site.to_string(), zone.to_string())])?;
            }
        }
        for (site, entity) in entities {
            let state = self.risk.as_ref().and_then(|risk| risk.state(site, entity));
            kept.extend(state.map(|state| (format!("{ENTITY}{site}{BETWEEN}{entity}"), state)));
        }
        self.uncommitted.done.n_new += self.pipeline.store.commit(records.clone(), &kept)?;
        self.uncommitted.records.clear();
        // What is late stands between events that are durable now. Each is skipped when it is tried again.
        for sequence in group_by_site(self.uncommitted.late.iter().cloned()) {
            let n_late = self.pipeline.add_to_index(&sequence, |_| ())?;
            self.uncommitted.done.n_new += n_late;
            self.uncommitted.done.n_late += n_late;
        }
        Ok(std::mem::take(&mut self.uncommitted).done)
    }

    /// What the caller kept under names that begin with `prefix`.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn kept(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, EmbeddingError> {
        Ok(self.pipeline.store.kept(prefix)?)
    }

    fn is_known(&self, event: &Event) -> Result<bool, EmbeddingError> {
        if self.uncommitted.ids.contains(&(event.site_id.clone(), event.id.to_string())) {
            return Ok(true);
        }
        let presence = self.pipeline.store.compare(event.site_id.as_str(), &[(event.id.as_str(), "")])?;
        Ok(presence != [Presence::Missing])
    }

    /// Goes on with what is kept of a site; where nothing is, with what the store has of it.
    fn begin(&mut self, site: &SiteId) -> Result<(), EmbeddingError> {
        if !self.known_sites.insert(site.clone()) {
            return Ok(());
        }
        let name = format!("{SITE}{site}");
        if let Some(state) = self.pipeline.store.kept(&name)?.remove(&name) {
            return self.vectors.resume(site, &state);
        }
        for text in self.pipeline.store.metadata_between(site.as_str(), i64::MIN, i64::MAX, u32::MAX)? {
            let damaged = |source| EmbeddingError::StoredEvent { id: format!("an event of {site}"), source };
            let event = Event::from_json(&text).map_err(damaged)?;
            self.vectors.push(&event);
        }
        Ok(())
    }
}
