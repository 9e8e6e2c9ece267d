//! Hidden causes of warehouses and shops, and the episodes in which they work.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use spaxiom_event::{Event, LabelSpan, RelevanceRecord, SiteId};

use crate::random::Random;
use crate::time::{HOUR, hour_of_day, instant};

/// What is really going on in an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Nothing unusual.
    Normal,
    /// Most trucks of the episode come late and together.
    LateBatch,
    /// One dock starts no service before the episode is over.
    BlockedDock,
    /// Service takes longer, and fewer people come and go.
    Understaffing,
    /// A door springs open again after it closed.
    DoorFault,
    /// More customers come, and many of them to one aisle.
    Promotion,
    /// Nobody is served; everybody goes out, and in a warehouse comes back.
    AlarmDrill,
}

impl Cause {
    /// The label; `normal` where nothing is unusual.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::LateBatch => "late_batch",
            Self::BlockedDock => "blocked_dock",
            Self::Understaffing => "understaffing",
            Self::DoorFault => "door_fault",
            Self::Promotion => "promotion",
            Self::AlarmDrill => "alarm_drill",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each cause comes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct CauseWeights(BTreeMap<Cause, f64>);

impl CauseWeights {
    /// Whether all weights are above 0, their sum is 1, and there is none but of these causes.
    pub(crate) fn are_of(&self, causes: &[Cause]) -> bool {
        let sum: f64 = self.0.values().sum();
        (sum - 1.0).abs() < 1e-9
            && self.0.values().all(|w| *w > 0.0)
            && self.0.keys().all(|cause| causes.contains(cause))
    }

    fn sample(&self, random: &mut Random) -> Cause {
        let weights: Vec<f64> = self.0.values().copied().collect();
        let at = random.weighted(&weights);
        *self.0.keys().nth(at).expect("as many causes as weights")
    }
}

/// How strong the effects of causes are; 1 is as the constants say.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct EffectOptions {
    pub easy: f64,
    pub medium: f64,
    pub hard: f64,
}

/// A stretch of time at one site with one hidden cause; times in seconds from the start of the simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Episode {
    /// Counted from the start of the simulation.
    pub(crate) number: u32,
    pub(crate) cause: Cause,
    pub(crate) start: f64,
    pub(crate) end: f64,
    /// How strong the cause is, 0 to 1.
    pub(crate) magnitude: f64,
    /// Which dock, door or aisle it is about, as a share of all of them.
    pub(crate) place: f64,
    /// When a batch comes or an alarm sounds: in the middle half, so that what was before is seen.
    pub(crate) moment: f64,
}

impl Episode {
    pub(crate) fn sample(weights: &CauseWeights, number: u32, start: f64, hours: u32, random: &mut Random) -> Self {
        let length = f64::from(hours) * HOUR;
        Self {
            number,
            cause: weights.sample(random),
            start,
            end: start + length,
            magnitude: random.between(0.0, 1.0),
            place: random.between(0.0, 1.0),
            moment: start + length * random.between(0.25, 0.6),
        }
    }

    pub(crate) fn is(&self, cause: Cause) -> bool {
        self.cause == cause
    }

    /// Which one of `n` the episode is about.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
    pub(crate) fn place_of(&self, n: usize) -> usize {
        ((self.place * n as f64) as usize).min(n - 1)
    }

    fn id(&self, site_id: &SiteId) -> String {
        format!("{site_id}-{}", self.number)
    }

    pub(crate) fn span(&self, site_id: &SiteId, start: DateTime<Utc>) -> LabelSpan {
        LabelSpan {
            site_id: site_id.clone(),
            entity_id: None,
            episode_id: self.id(site_id),
            label: self.cause.to_string(),
            start: instant(start, self.start),
            // The next episode begins at this instant.
            end: instant(start, self.end) - TimeDelta::nanoseconds(1),
        }
    }

    /// What `event` is an example of, so many seconds after the start of the simulation.
    fn relevance(&self, event: &Event, secs: f64, zone_kind: &str) -> RelevanceRecord {
        let thousandth = |share: f64| libm::round(share * 1000.0) / 1000.0;
        RelevanceRecord {
            event_id: event.id.clone(),
            site_id: event.site_id.clone(),
            kind: event.kind.clone(),
            time: event.time,
            episode_id: self.id(&event.site_id),
            cause: (!self.is(Cause::Normal)).then(|| self.cause.to_string()),
            zone_kind: zone_kind.into(),
            magnitude: thousandth(self.magnitude),
            phase: thousandth((secs - self.start) / (self.end - self.start)),
            hour: libm::round(hour_of_day(secs) * 100.0) / 100.0,
        }
    }
}

/// What every event that lies in an episode is an example of.
pub(crate) fn relevance(
    events: &[Event],
    episodes: &[Episode],
    start: DateTime<Utc>,
    zone_kind: impl Fn(&str) -> &'static str,
) -> Vec<RelevanceRecord> {
    let of = |event: &Event| {
        let secs = (event.time - start).as_seconds_f64();
        let episode = episodes.iter().find(|episode| (episode.start..episode.end).contains(&secs))?;
        let zone = event.zone.as_ref().map_or("", |zone| zone.as_str());
        Some(episode.relevance(event, secs, zone_kind(zone)))
    };
    events.iter().filter_map(of).collect()
}
