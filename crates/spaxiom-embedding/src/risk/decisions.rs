//! Decision points of a data set, each with what was known at it and what came of it.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;
use spaxiom_event::{DecisionOutcome, DecisionPoint, EntityId, EntityRecord, Event, SiteId, read_records};
use spaxiom_token::{EntityMemory, EntityState, SequenceRows};

use super::rule::{RiskRule, Watch};
use crate::data::{DataFolder, Dataset};
use crate::error::EmbeddingError;

const SECS_PER_DAY: f64 = 86_400.0;

/// A decision point with what came of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) event_id: String,
    pub(crate) site: String,
    pub(crate) entity: String,
    /// The ward or another part of the site; the site where nobody says it.
    pub(crate) unit: String,
    /// Seconds since 1970.
    pub(crate) secs: f64,
    /// Seconds to the outcome; none where nothing came.
    pub(crate) secs_to_outcome: Option<f64>,
    /// The hidden cause, where a simulation says it.
    pub(crate) cause: Option<String>,
    /// The Morse Fall Scale on admission, where it is known.
    pub(crate) morse: Option<u32>,
}

impl Decision {
    pub(crate) fn is_yes(&self) -> bool {
        self.secs_to_outcome.is_some()
    }
}

/// Decisions in order of site and time, with what is known at each.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    pub(crate) all: Vec<Decision>,
    n_features: usize,
    /// What the memory of the entity says, row after row.
    rows: Vec<f32>,
    /// Days that entities were there, by site: what alerts are counted against.
    pub(crate) entity_days: BTreeMap<String, f64>,
    /// Shifts of 8 hours times units, by site.
    pub(crate) unit_shifts: BTreeMap<String, f64>,
}

/// What is known of decisions beside the events.
struct Known {
    /// None where no file says what came: it follows from later events.
    points: Option<HashMap<(String, String), DecisionPoint>>,
    stays: HashMap<(String, String), EntityRecord>,
}

impl Known {
    fn read(data: &Dataset) -> Result<Self, EmbeddingError> {
        let folder = DataFolder::new(data.path());
        let is_there = |path: &std::path::PathBuf| data.path().is_dir() && path.exists();
        let points = Some(folder.decisions()).filter(is_there).map(|path| read_records::<DecisionPoint>(&path));
        let key = |point: &DecisionPoint| (point.site_id.as_str().to_owned(), point.event_id.as_str().to_owned());
        let points = points.transpose()?.map(|points| points.into_iter().map(|point| (key(&point), point)).collect());
        let stays = Some(folder.entities()).filter(is_there).map(|path| read_records::<EntityRecord>(&path));
        let key = |stay: &EntityRecord| (stay.site_id.as_str().to_owned(), stay.entity_id.as_str().to_owned());
        let stays = stays.transpose()?.unwrap_or_default().into_iter().map(|stay| (key(&stay), stay)).collect();
        Ok(Self { points, stays })
    }
}

/// The decisions of one site.
#[derive(Default)]
struct OfSite {
    site: String,
    all: Vec<Decision>,
    rows: Vec<f32>,
    entity_days: f64,
    unit_shifts: f64,
}

impl Decisions {
    /// Every decision point of the data, in the light of what its site knew up to it.
    ///
    /// Where the folder has `decisions.jsonl` these are its points; otherwise they follow from the rule, and outcomes from events.
    pub(crate) fn of_data(data: &Dataset, rule: &RiskRule, memory: &EntityMemory) -> Result<Self, EmbeddingError> {
        Self::of_some(data, rule, memory, |_| true, &|_| true)
    }

    /// The same of some sites, and of the events that are wanted alone.
    pub(crate) fn of_some(
        data: &Dataset,
        rule: &RiskRule,
        memory: &EntityMemory,
        is_site: impl Fn(&SiteId) -> bool,
        is_wanted: &(dyn Fn(&Event) -> bool + Sync),
    ) -> Result<Self, EmbeddingError> {
        let known = Known::read(data)?;
        let (table, sequences) = data.columns();
        let memory = memory.clone().with_sites(data.sites());
        let sequences: Vec<&SequenceRows> = sequences.iter().filter(|sequence| is_site(&sequence.site_id)).collect();
        let of_site = |sequence: &&SequenceRows| {
            let mut found = OfSite { site: sequence.site_id.as_str().to_owned(), ..OfSite::default() };
            found.read(table.events(&sequence.rows).filter(is_wanted), rule, &memory, &known);
            found
        };
        let sites: Vec<OfSite> = sequences.par_iter().map(of_site).collect();
        let mut decisions = Self { n_features: memory.n_features(), ..Self::default() };
        for OfSite { site, all, rows, entity_days, unit_shifts } in sites {
            decisions.all.extend(all);
            decisions.rows.extend(rows);
            decisions.entity_days.insert(site.clone(), entity_days);
            decisions.unit_shifts.insert(site, unit_shifts);
        }
        Ok(decisions)
    }

    /// What is known at a decision.
    pub(crate) fn row(&self, at: usize) -> &[f32] {
        &self.rows[at * self.n_features..(at + 1) * self.n_features]
    }
}

impl OfSite {
    fn read(&mut self, events: impl Iterator<Item = Event>, rule: &RiskRule, memory: &EntityMemory, known: &Known) {
        let mut states: HashMap<EntityId, EntityState> = HashMap::new();
        let mut spans: BTreeMap<String, [f64; 2]> = BTreeMap::new();
        let mut units: BTreeMap<String, [f64; 2]> = BTreeMap::new();
        // Decisions of each entity that an outcome may still come of.
        let mut open: HashMap<EntityId, usize> = HashMap::new();
        let mut watch = Watch::default();
        for event in events {
            let Some(entity) = &event.entity_id else { continue };
            let secs = secs_of(&event);
            let state = states.entry(entity.clone()).or_insert_with(|| memory.begin());
            let stay = known.stays.get(&(self.site.clone(), entity.as_str().to_owned()));
            let unit = stay.map_or_else(|| unit_of(&event), |stay| stay.unit.clone());
            stretch(&mut spans, entity.as_str(), secs);
            stretch(&mut units, &unit, secs);
            let decided = match &known.points {
                Some(points) => points.get(&(self.site.clone(), event.id.as_str().to_owned())).map(Some),
                None => watch.is_decision(rule, &event).then_some(None),
            };
            if known.points.is_none()
                && rule.is_outcome(&event)
                && let Some(decision) = open.remove(entity)
            {
                let secs_to = secs - self.all[decision].secs;
                self.all[decision].secs_to_outcome = Some(secs_to).filter(|secs| *secs <= rule.horizon_secs);
            }
            if let Some(point) = decided {
                let is_outcome = |point: &&DecisionPoint| point.outcome != DecisionOutcome::None;
                let outcome = point.filter(is_outcome).map(|point| point.secs_to_outcome.unwrap_or(rule.horizon_secs));
                open.insert(entity.clone(), self.all.len());
                self.rows.extend(memory.read(state, &event));
                self.all.push(Decision {
                    event_id: event.id.as_str().to_owned(),
                    site: self.site.clone(),
                    entity: entity.as_str().to_owned(),
                    unit,
                    secs,
                    secs_to_outcome: outcome,
                    cause: point.and_then(|point| point.cause.clone()),
                    morse: stay.map(|stay| stay.morse),
                });
            }
            memory.push(state, &event);
        }
        let days = |spans: &BTreeMap<String, [f64; 2]>| {
            spans.values().map(|[from, to]| (to - from) / SECS_PER_DAY).sum::<f64>()
        };
        self.entity_days = days(&spans);
        self.unit_shifts = 3.0 * days(&units);
    }
}

/// Seconds since 1970.
pub(crate) fn secs_of(event: &Event) -> f64 {
    event.time.timestamp_millis() as f64 / 1e3
}

/// The part of the site that an event lies in: the outermost zone of its path, or the site.
pub(crate) fn unit_of(event: &Event) -> String {
    event.zone_path.first().map_or_else(|| event.site_id.as_str().to_owned(), |unit| unit.as_str().to_owned())
}

fn stretch(spans: &mut BTreeMap<String, [f64; 2]>, name: &str, secs: f64) {
    match spans.get_mut(name) {
        Some(span) => *span = [span[0].min(secs), span[1].max(secs)],
        None => drop(spans.insert(name.to_owned(), [secs, secs])),
    }
}
