//! Home Assistant's `state_changed`, bare or in a frame of its websocket.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::{Parsed, Record};
use crate::draft::{Draft, DraftValue};
use crate::error::{EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;
use crate::unit::Unit;

#[derive(Deserialize)]
struct Frame {
    event: Option<BusEvent>,
    #[serde(flatten)]
    bare: BusEvent,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BusEvent {
    event_type: Option<String>,
    time_fired: Option<Value>,
    context: Option<Context>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Context {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    entity_id: Option<String>,
    old_state: Option<State>,
    new_state: Option<State>,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "state")]
    value: Option<String>,
    last_changed: Option<Value>,
    #[serde(default)]
    attributes: Map<String, Value>,
}

impl State {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }
}

/// `state_changed` events of Home Assistant.
#[derive(Debug)]
pub(super) struct HomeAssistant;

impl Source for HomeAssistant {
    fn name(&self) -> &'static str {
        "home-assistant"
    }

    fn framing(&self) -> Framing {
        Framing::Json
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        let First::Object(members) = first else { return false };
        let has = |name| members.contains_key(name);
        let inner = |name| members.get("event").and_then(|event| event.get(name)).is_some();
        inner("time_fired") || inner("data") || (has("event_type") && (has("time_fired") || has("origin")))
    }

    fn parser(&self, _: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Ok(Box::new(parse))
    }
}

fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    let Frame { event, bare } = serde_json::from_str(text).map_err(LineError::Json)?;
    let BusEvent { event_type, time_fired, context, data } = event.unwrap_or(bare);
    let event_type = event_type.ok_or(LineError::Missing { field: "event_type" })?;
    if event_type != "state_changed" {
        return Ok(Parsed::Skipped("not a change of state"));
    }
    let Data { entity_id, old_state, new_state } = data.ok_or(LineError::Missing { field: "data" })?;
    let entity = entity_id.ok_or(LineError::Missing { field: "data.entity_id" })?;
    let Some(new) = new_state else { return Ok(Parsed::Skipped("entity removed")) };
    let state = new.value.as_deref().ok_or(LineError::Missing { field: "data.new_state.state" })?;
    let old = old_state.as_ref().and_then(|old| old.value.as_deref());
    if old == Some(state) {
        return Ok(Parsed::Skipped("only attributes changed"));
    }
    if is_unknown(state) {
        return Ok(Parsed::Skipped("state unknown or unavailable"));
    }
    let Some(mut draft) = change(&entity, state, old, &new) else {
        return Ok(Parsed::Skipped("came back, not a change"));
    };
    let time = new.last_changed.as_ref().or(time_fired.as_ref()).ok_or(LineError::Missing { field: "time_fired" })?;
    draft.time = Some(json::time("last_changed", time)?);
    // One context can cause many changes.
    draft.id = context.and_then(|context| context.id).map(|id| format!("{id}/{entity}").into());
    draft.sensor = Some(entity.as_str().into());
    let event = draft.take_event(normalizer)?;
    Ok(Parsed::Record(Record { event, mark: None }))
}

fn is_unknown(state: &str) -> bool {
    matches!(state, "unknown" | "unavailable")
}

/// The change as an event, or none where a two-state sensor only came back from being unavailable.
fn change<'a>(entity: &str, state: &'a str, old: Option<&'a str>, new: &'a State) -> Option<Draft<'a>> {
    let class = new.attribute("device_class");
    let is_two_state = matches!(state, "on" | "off");
    if is_two_state && old.is_none_or(is_unknown) {
        return None;
    }
    let mut draft = Draft::default();
    let kind = match (class.unwrap_or_default(), state) {
        ("door" | "garage_door" | "window" | "opening", "on") => "DoorOpened",
        ("door" | "garage_door" | "window" | "opening", "off") => "DoorClosed",
        ("motion" | "moving", "on") => "MotionDetected",
        ("motion" | "moving", "off") => "MotionCleared",
        ("occupancy" | "presence", "on" | "off") => {
            let count = if state == "on" { 1.0 } else { 0.0 };
            draft.attrs.push(("count".into(), DraftValue::Number(count)));
            "OccupancyChanged"
        }
        ("moisture", "on") => "SpillDetected",
        (_, "on" | "off") => {
            draft.attrs.extend(class.map(|class| ("device_class".into(), DraftValue::Text(class.into()))));
            if state == "on" { "SensorOn" } else { "SensorOff" }
        }
        _ if entity.starts_with("sensor.") && state.parse::<f64>().is_ok_and(f64::is_finite) => {
            measurement(&mut draft, state.parse().ok()?, new);
            "MeasurementChanged"
        }
        _ => {
            draft.attrs.push(("state".into(), DraftValue::Text(state.into())));
            let previous = old.filter(|old| !is_unknown(old));
            draft.attrs.extend(previous.map(|old| ("previous_state".into(), DraftValue::Text(old.into()))));
            "StateChanged"
        }
    };
    draft.kind = Some(kind.into());
    Some(draft)
}

/// The number with its unit; a unit that nobody knows stands beside it as a word.
fn measurement<'a>(draft: &mut Draft<'a>, number: f64, new: &'a State) {
    let symbol = new.attribute("unit_of_measurement");
    let value = match symbol.and_then(Unit::from_symbol) {
        Some(unit) => DraftValue::Quantity(number, unit),
        None => DraftValue::Number(number),
    };
    if let (DraftValue::Number(_), Some(symbol)) = (&value, symbol) {
        draft.attrs.push(("unit".into(), DraftValue::Text(symbol.into())));
    }
    draft.attrs.push(("value".into(), value));
    let class = new.attribute("device_class");
    draft.attrs.extend(class.map(|class| ("device_class".into(), DraftValue::Text(class.into()))));
}
