//! The canonical event, and how it is written as one JSON object.

use std::num::NonZeroU64;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use crate::attrs::Attrs;
use crate::ids::{EntityId, EventId, EventType, SiteId, ZoneId};

/// One typed event.
///
/// In JSON the position is flat (`x`, `y`, `z`), and absent members are left out.
/// Read are also the names of the seed and the Spaxiom series: `event_type` for `type`; `timestamp`, `start_time`
/// and `t` for `time`; `duration_s` for an `end_time` so much later; `queue_name` and `facility` for `zone`.
/// Any other member on the top level becomes an attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Unique within its site; derived from the content where the source gives none.
    pub id: EventId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When it happened (UTC, nanoseconds inside).
    pub time: DateTime<Utc>,
    /// When it ended, for intervals; never before `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<DateTime<Utc>>,
    /// The building it comes from.
    pub site_id: SiteId,
    /// The leaf zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneId>,
    /// The zones around it, the widest first: `hospital-5f`, `floor3`, `ward_b`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zone_path: Vec<ZoneId>,
    /// Where in the site's own frame.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Pseudonymous subject. It serves windows, labels and splits, and never becomes a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<EntityId>,
    /// Everything else the sensor said.
    #[serde(skip_serializing_if = "Attrs::is_empty")]
    pub attrs: Attrs,
    /// How sure the source is, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// How much it matters, as the source sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Events that triggered this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<EventId>,
}

/// A point in the site's frame, in meters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Meters along the site's first axis.
    pub x: f64,
    /// Meters along the site's second axis.
    pub y: f64,
    /// Meters above the site's floor, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
}

/// How much an event matters, as its source sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing to do.
    Info,
    /// Somebody should look.
    Warn,
    /// Somebody has to act.
    Alert,
}

impl Severity {
    /// The severity of this name; `warning`, `error` and `critical` are names of the nearest one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "info" => Some(Self::Info),
            "warn" | "warning" => Some(Self::Warn),
            "alert" | "error" | "critical" => Some(Self::Alert),
            _ => None,
        }
    }

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Alert => "alert",
        }
    }
}

impl Event {
    /// An event with nothing but what every event has; the rest is filled in by the caller.
    ///
    /// The id is derived from the content when [`Event::with_derived_id`] is called.
    #[must_use]
    pub fn new(kind: impl Into<EventType>, site_id: impl Into<SiteId>, time: DateTime<Utc>) -> Self {
        Self {
            id: EventId::from(""),
            kind: kind.into(),
            time,
            end_time: None,
            site_id: site_id.into(),
            zone: None,
            zone_path: Vec::new(),
            position: None,
            entity_id: None,
            attrs: Attrs::new(),
            confidence: None,
            severity: None,
            caused_by: Vec::new(),
        }
    }

    /// Gives the event an id made from its content, unless it has one.
    #[must_use]
    pub fn with_derived_id(mut self) -> Self {
        self.derive_id();
        self
    }

    /// Gives an event without an id one, and the hash of its content that the id is made of.
    pub(crate) fn derive_id(&mut self) -> Option<NonZeroU64> {
        if !self.id.as_str().is_empty() {
            return None;
        }
        let text = serde_json::to_string(&self).expect("an event has string keys and finite numbers only");
        let hash = xxh64(text.as_bytes(), 0);
        self.id = EventId::from(format!("{hash:016x}"));
        NonZeroU64::new(hash)
    }

    /// When it ended: its own time for what has no extent.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.end_time.unwrap_or(self.time)
    }
}
