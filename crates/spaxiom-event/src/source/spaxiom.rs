//! What the published `spaxiom` package and its edge server emit.
//!
//! - pattern events: `{"event_type", "timestamp" (seconds), "pattern_name", ...}`;
//! - edge records: `{"id", "timestamp", "event_type", "source", "data", "severity"}`;
//! - frames of the event bus: `{"type": "pattern_event", "agent_id", "event": {...}, "timestamp"}`, with or without
//!   the `data:` of server-sent events.

use chrono::NaiveDateTime;
use serde_json::{Map, Value};

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::Parsed;
use crate::error::{EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;

/// The shapes of the `spaxiom` package.
#[derive(Debug)]
pub(super) struct Spaxiom;

impl Source for Spaxiom {
    fn name(&self) -> &'static str {
        "spaxiom"
    }

    fn framing(&self) -> Framing {
        Framing::Json
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        let First::Object(members) = first else { return false };
        let has = |name| members.contains_key(name);
        let is_bus = members.get("type").and_then(Value::as_str) == Some("pattern_event") && has("event");
        is_bus || has("pattern_name") || (has("event_type") && has("data"))
    }

    fn parser(&self, _: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Ok(Box::new(parse))
    }
}

fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    let text = text.strip_prefix("data:").map_or(text, str::trim_start);
    let (frame, notes) = json::object(text)?;
    let members = Value::Object(flattened(unwrapped(frame))?);
    let mut draft = json::draft_of(&members, normalizer)?;
    draft.notes.extend(notes);
    draft.take_record(normalizer).map(Parsed::Record)
}

/// The event inside a frame of the bus, which keeps the agent's name.
fn unwrapped(mut frame: Map<String, Value>) -> Map<String, Value> {
    let is_frame = frame.get("type").and_then(Value::as_str) == Some("pattern_event");
    match frame.get_mut("event").map(Value::take) {
        Some(Value::Object(mut event)) if is_frame => {
            if let Some(agent) = frame.remove("agent_id") {
                event.entry("agent_id").or_insert(agent);
            }
            if let Some(time) = frame.remove("timestamp").filter(|_| !event.contains_key("timestamp")) {
                event.insert("timestamp".into(), time);
            }
            event
        }
        Some(other) => {
            frame.insert("event".into(), other);
            frame
        }
        None => frame,
    }
}

/// Brings the members of records and lists to the top.
fn flattened(mut members: Map<String, Value>) -> Result<Map<String, Value>, LineError> {
    if let Some(Value::Number(id)) = members.get("id") {
        let id = id.to_string();
        members.insert("id".into(), id.into());
    }
    // The database writes `2025-01-06 10:23:45` and means UTC.
    if let Some(Value::String(text)) = members.get("timestamp") {
        let text = text.replace(' ', "T");
        if text.parse::<NaiveDateTime>().is_ok() {
            members.insert("timestamp".into(), format!("{text}Z").into());
        }
    }
    let data = match members.remove("data") {
        Some(Value::String(text)) => json::any(&text)?.0,
        other => other.unwrap_or(Value::Null),
    };
    if let Value::Object(data) = data {
        for (name, value) in data {
            members.entry(name).or_insert(value);
        }
    }
    for list in ["hotspots", "hotspot_coords"] {
        match members.remove(list) {
            Some(Value::Array(hotspots)) => summarize(&mut members, &hotspots),
            Some(other) => drop(members.insert(list.into(), other)),
            None => {}
        }
    }
    Ok(members)
}

/// A list of hot spots becomes its length and its heaviest member: an attribute is one value.
fn summarize(members: &mut Map<String, Value>, hotspots: &[Value]) {
    members.insert("hotspot_count".into(), hotspots.len().into());
    let weight = |spot: &&Value| spot.get("weight").and_then(Value::as_f64).unwrap_or(0.0);
    let heaviest = hotspots.iter().max_by(|a, b| weight(a).total_cmp(&weight(b)));
    for member in ["x", "y", "weight"] {
        if let Some(value) = heaviest.and_then(|spot| spot.get(member)) {
            members.insert(format!("hotspot_{member}"), value.clone());
        }
    }
}
