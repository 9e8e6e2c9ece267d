//! What a simulation knows beyond the causes: decision points, stays, and what is relevant to what.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::EventError;
use crate::ids::{EntityId, EventId, EventType, SiteId};

/// What came of a decision point within the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionOutcome {
    /// Nothing.
    None,
    /// Staff caught somebody who was about to fall.
    NearFall,
    /// Somebody fell.
    Fall,
}

/// A moment at which a system has to decide whether it warns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionPoint {
    /// The event at which it is decided; nothing after it may be looked at.
    pub event_id: EventId,
    /// Where.
    pub site_id: SiteId,
    /// Whom it is about: splits keep all decisions of one entity together.
    pub entity_id: EntityId,
    /// The episode, as in the label file.
    pub episode_id: String,
    /// When it is decided.
    pub time: DateTime<Utc>,
    /// What came of it.
    pub outcome: DecisionOutcome,
    /// Seconds from the decision to the outcome.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secs_to_outcome: Option<f64>,
    /// The hidden cause, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
}

/// An entity and what is known of it from the start: a patient's stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityRecord {
    /// Its pseudonym.
    pub entity_id: EntityId,
    /// Where.
    pub site_id: SiteId,
    /// The part of the site that it belongs to.
    pub unit: String,
    /// First instant.
    pub start: DateTime<Utc>,
    /// Last instant, as far as the simulation goes.
    pub end: DateTime<Utc>,
    /// The Morse Fall Scale on admission, 0 to 125; greater is riskier.
    pub morse: u32,
    /// Falls in this stay.
    pub n_falls: u32,
    /// Near-falls in this stay.
    pub n_near_falls: u32,
}

/// What an event is an example of, as only a simulation knows it.
///
/// Nothing here is made of the tokens that an encoder sees, but for the type (see [`RelevanceRecord::grade`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelevanceRecord {
    /// The event.
    pub event_id: EventId,
    /// Its site.
    pub site_id: SiteId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Its episode, as in the label file; no answer to a query of the same one.
    pub episode_id: String,
    /// The hidden cause, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
    /// What its zone is for.
    pub zone_kind: String,
    /// How strong the cause is in this episode, from 0 to 1; in hospitals how frail the patient is, as a rank.
    pub magnitude: f64,
    /// How far the episode has gone, from 0 to 1.
    pub phase: f64,
    /// The hour of the site's day.
    pub hour: f64,
}

/// Two magnitudes or phases are alike where they differ by no more.
const ALIKE: f64 = 0.25;

/// Two hours of the day are alike where they differ by no more.
const ALIKE_HOURS: f64 = 2.0;

/// Contexts of so many seconds around a query would find the query itself.
const NEAR_SECS: i64 = 3600;

impl RelevanceRecord {
    /// How well `other` answers a query by this event, 0 to 3; greater is better.
    ///
    /// - 3: the same hidden cause in a zone for the same purpose, similarly strong and similarly far gone
    /// - 2: the same hidden cause otherwise
    /// - 1: the same type at a similar hour, from another cause
    /// - 0: anything else, the query's own episode, and what happened at its site within the hour
    #[must_use]
    pub fn grade(&self, other: &Self) -> u8 {
        if self.is_near(other) {
            return 0;
        }
        if self.cause.is_some() && self.cause == other.cause {
            let is_alike =
                (self.magnitude - other.magnitude).abs() <= ALIKE && (self.phase - other.phase).abs() <= ALIKE;
            return if is_alike && self.zone_kind == other.zone_kind { 3 } else { 2 };
        }
        let apart = (self.hour - other.hour).abs();
        u8::from(self.kind == other.kind && apart.min(24.0 - apart) <= ALIKE_HOURS)
    }

    /// Whether `other` is the query itself or trivially like it, and is to be left out of the corpus.
    #[must_use]
    pub fn is_near(&self, other: &Self) -> bool {
        let is_same_site = self.site_id == other.site_id;
        is_same_site
            && (self.episode_id == other.episode_id || (self.time - other.time).num_seconds().abs() <= NEAR_SECS)
    }
}

/// Reads a file of records, one per line.
pub fn read_records<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, EventError> {
    let mut records = Vec::new();
    for (line, text) in (1..).zip(BufReader::new(fs_err::File::open(path)?).lines()) {
        let damaged = |source| EventError::Label { path: path.to_owned(), line, source };
        records.push(serde_json::from_str(&text?).map_err(damaged)?);
    }
    Ok(records)
}

/// Writes records, one per line.
pub fn write_records<T: Serialize>(mut out: impl Write, records: &[T]) -> Result<(), EventError> {
    for record in records {
        serde_json::to_writer(&mut out, record).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
