//! The canonical event, and how it is read from and written to one JSON object.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh64::xxh64;

use crate::error::LineError;
use crate::ids::{EntityId, EventId, EventType, SiteId, ZoneId};

/// The site of events that name none.
const DEFAULT_SITE: &str = "default";

/// One typed event.
///
/// In JSON the position is flat (`x`, `y`, `z`), and absent members are left out.
/// `timestamp` is read as `time` and `event_type` as `type`, as in the seed's listings;
/// any other member on the top level becomes an attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Unique within its source; derived from the content where the source gives none.
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
    /// Where in the site's own frame.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Pseudonymous subject; never tokenised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<EntityId>,
    /// Everything else the sensor said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attrs: BTreeMap<String, AttrValue>,
    /// Events that triggered this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<EventId>,
}

/// A point in the site's frame, in metres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Position {
    /// Metres along the site's first axis.
    pub x: f64,
    /// Metres along the site's second axis.
    pub y: f64,
    /// Metres above the site's floor, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "Value")]
pub enum AttrValue {
    /// A finite number.
    Number(f64),
    /// A flag.
    Flag(bool),
    /// A word out of an open set.
    Text(String),
}

impl From<AttrValue> for Value {
    fn from(value: AttrValue) -> Self {
        match value {
            // Whole numbers are written without a fraction, as they were read.
            AttrValue::Number(n) if n.fract() == 0.0 && n.abs() < 2f64.powi(53) =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^53")]
                Value::from(n as i64)
            }
            AttrValue::Number(n) => Value::from(n),
            AttrValue::Flag(flag) => Value::from(flag),
            AttrValue::Text(text) => Value::from(text),
        }
    }
}

impl From<f64> for AttrValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
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
            position: None,
            entity_id: None,
            attrs: BTreeMap::new(),
            caused_by: Vec::new(),
        }
    }

    /// Reads one JSON object.
    ///
    /// # Errors
    /// [`LineError`] says which member was wrong, what was wanted and what was found.
    pub fn from_json(text: &str) -> Result<Self, LineError> {
        let raw: RawEvent = serde_json::from_str(text).map_err(LineError::Json)?;
        raw.into_event()
    }

    /// Gives the event an id made from its content, unless it has one.
    #[must_use]
    pub fn with_derived_id(mut self) -> Self {
        if self.id.as_str().is_empty() {
            let text = serde_json::to_string(&self).expect("an event has string keys and finite numbers only");
            self.id = EventId::from(format!("{:016x}", xxh64(text.as_bytes(), 0)));
        }
        self
    }
}

/// The members as they stand in JSON, before they are checked.
#[derive(Deserialize)]
struct RawEvent {
    id: Option<String>,
    #[serde(rename = "type", alias = "event_type")]
    kind: Option<String>,
    #[serde(alias = "timestamp")]
    time: Option<Value>,
    end_time: Option<Value>,
    site_id: Option<String>,
    zone: Option<String>,
    x: Option<f64>,
    y: Option<f64>,
    z: Option<f64>,
    entity_id: Option<String>,
    #[serde(default)]
    attrs: BTreeMap<String, Value>,
    #[serde(default)]
    caused_by: Vec<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl RawEvent {
    fn into_event(self) -> Result<Event, LineError> {
        let Self { id, kind, time, end_time, site_id, zone, x, y, z, entity_id, attrs, caused_by, others } = self;
        let kind = kind.filter(|kind| !kind.is_empty()).ok_or(LineError::Missing { field: "type" })?;
        let time = parse_time("time", &time.ok_or(LineError::Missing { field: "time" })?)?;
        let end_time = end_time.map(|value| parse_time("end_time", &value)).transpose()?;
        if let Some(end) = end_time.filter(|end| *end < time) {
            return Err(LineError::EndsBeforeStart { start: time, end });
        }
        let mut event = Event::new(kind, site_id.unwrap_or_else(|| DEFAULT_SITE.into()), time);
        event.id = EventId::from(id.unwrap_or_default());
        event.end_time = end_time;
        event.zone = zone.filter(|zone| !zone.is_empty()).map(ZoneId::from);
        event.position = position(x, y, z)?;
        event.entity_id = entity_id.map(EntityId::from);
        event.caused_by = caused_by.into_iter().map(EventId::from).collect();
        for (name, value) in others.into_iter().chain(attrs) {
            if let Some(value) = attribute(&name, value)? {
                event.attrs.insert(name, value);
            }
        }
        Ok(event.with_derived_id())
    }
}

fn position(x: Option<f64>, y: Option<f64>, z: Option<f64>) -> Result<Option<Position>, LineError> {
    match (x, y) {
        (Some(x), Some(y)) => Ok(Some(Position { x, y, z })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(LineError::Missing { field: "y" }),
        (None, Some(_)) => Err(LineError::Missing { field: "x" }),
    }
}

fn attribute(name: &str, value: Value) -> Result<Option<AttrValue>, LineError> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(AttrValue::Flag(flag))),
        Value::String(text) => Ok(Some(AttrValue::Text(text))),
        Value::Number(number) => number
            .as_f64()
            .filter(|n| n.is_finite())
            .map(|n| Some(AttrValue::Number(n)))
            .ok_or_else(|| LineError::Attribute { name: name.into(), got: number.to_string() }),
        other => Err(LineError::Attribute { name: name.into(), got: other.to_string() }),
    }
}

/// RFC 3339 with an offset, or seconds since 1970 as a number.
fn parse_time(field: &'static str, value: &Value) -> Result<DateTime<Utc>, LineError> {
    let wrong = || LineError::Time { field, got: value.to_string() };
    match value {
        Value::String(text) => {
            DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(|_| wrong())
        }
        Value::Number(number) => number.as_f64().and_then(from_epoch_secs).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// Epoch seconds to the microsecond: beyond that an `f64` of today's size has no digits.
fn from_epoch_secs(secs: f64) -> Option<DateTime<Utc>> {
    // Years 1970 to 2262, the range of nanoseconds in an `i64`.
    if !(0.0..9.2e9).contains(&secs) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 9.2e15")]
    Utc.timestamp_micros((secs * 1e6).round() as i64).single()
}
