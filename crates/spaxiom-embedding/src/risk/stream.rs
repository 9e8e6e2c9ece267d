//! Judging events as they come, and what has to be kept to go on later.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use spaxiom_event::{EntityId, Event, SiteId};
use spaxiom_token::EntityState;

use super::classifier::{FallRiskClassifier, RiskScore};
use super::head::{Head, Scorer};
use super::rule::Watch;
use crate::error::EmbeddingError;

/// The newest format of a kept entity.
const FORMAT: u32 = 1;

/// Judges events one after the other; see [`FallRiskClassifier::stream`].
pub struct RiskStream<'a> {
    classifier: &'a FallRiskClassifier,
    scorers: Vec<Scorer<'a>>,
    watch: Watch,
    states: HashMap<(SiteId, EntityId), EntityState>,
}

/// What a stream holds of an entity.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KeptEntity {
    format: u32,
    /// Fingerprint of the memory that it belongs to.
    memory: String,
    is_decided: bool,
    state: EntityState,
}

impl FallRiskClassifier {
    /// Judges events one after the other; nothing is known of any entity yet.
    ///
    /// # Errors
    /// [`EmbeddingError::NoBoosting`] for trees in a build without LightGBM.
    pub fn stream(&self) -> Result<RiskStream<'_>, EmbeddingError> {
        let scorers = self.heads.iter().map(Head::scorer).collect::<Result<_, _>>()?;
        Ok(RiskStream { classifier: self, scorers, watch: Watch::default(), states: HashMap::new() })
    }
}

impl RiskStream<'_> {
    /// Takes the next event in, and judges it where it is a decision point. Events of one entity come in order of time.
    ///
    /// # Errors
    /// What LightGBM refuses.
    pub fn push(&mut self, event: &Event) -> Result<Option<RiskScore>, EmbeddingError> {
        let Self { classifier, scorers, watch, states } = self;
        let Some(entity) = &event.entity_id else { return Ok(None) };
        let memory = &classifier.memory;
        let state = states.entry((event.site_id.clone(), entity.clone())).or_insert_with(|| memory.begin());
        let mut judged = None;
        if watch.is_decision(&classifier.rule, event) {
            let row = memory.read(state, event);
            let scores = scorers.iter().map(|scorer| Ok(scorer.scores(&row, row.len())?[0]));
            let (probability, is_unsure) = classifier.judged(&scores.collect::<Result<Vec<f64>, EmbeddingError>>()?);
            judged = Some(RiskScore {
                event_id: event.id.as_str().to_owned(),
                site: event.site_id.as_str().to_owned(),
                entity: entity.as_str().to_owned(),
                probability,
                is_alert: probability >= classifier.threshold,
                is_unsure,
            });
        }
        memory.push(state, event);
        Ok(judged)
    }

    /// Forgets entities of which nothing came since a time in nanoseconds since 1970, and gives how many these are.
    pub fn forget_before(&mut self, time_ns: i64) -> usize {
        let n_before = self.states.len();
        self.states.retain(|_, state| state.last_ns().is_some_and(|last| last >= time_ns));
        n_before - self.states.len()
    }

    /// What it holds of an entity, to be gone on with by [`RiskStream::resume`]; none for one of which nothing came.
    #[must_use]
    pub fn state(&self, site: &SiteId, entity: &EntityId) -> Option<Vec<u8>> {
        let key = (site.clone(), entity.clone());
        let kept = KeptEntity {
            format: FORMAT,
            memory: self.classifier.memory.fingerprint(),
            is_decided: self.watch.has_decided(&key),
            state: self.states.get(&key)?.clone(),
        };
        Some(serde_json::to_vec(&kept).expect("a state has string keys and finite numbers only"))
    }

    /// Goes on with what [`RiskStream::state`] gave.
    ///
    /// # Errors
    /// [`EmbeddingError::OtherState`] for that of another classifier or of a newer build.
    pub fn resume(&mut self, site: SiteId, entity: EntityId, state: &[u8]) -> Result<(), EmbeddingError> {
        let other = || EmbeddingError::OtherState { of: format!("`{entity}` at `{site}`") };
        let kept: KeptEntity = serde_json::from_slice(state).map_err(|_| other())?;
        let memory = &self.classifier.memory;
        if kept.format != FORMAT || kept.memory != memory.fingerprint() {
            return Err(other());
        }
        let state = memory.resumed(kept.state).map_err(|_| other())?;
        self.watch.set_decided((site.clone(), entity.clone()), kept.is_decided);
        self.states.insert((site, entity), state);
        Ok(())
    }
}
