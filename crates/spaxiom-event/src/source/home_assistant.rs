//! Home Assistant's states in JSON and CSV.
//!
//! - `state_changed` events, bare or in a frame of the websocket;
//! - histories: of the REST interface (lists of states, one list per entity), of the websocket (`s`, `a`, `lc`, `lu`);
//! - the CSV of "Download data": `entity_id,state,last_changed`.
//!
//! The recorder's database is read by [`super::recorder`]; both share [`States`], which knows the last state of each entity.

mod csv;
mod states;

use serde_json::{Map, Value};

use self::csv::Download;
pub(super) use self::states::{Change, States};
use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::Parsed;
use crate::error::{EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;

/// States of Home Assistant.
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
        let members = match first {
            First::Object(members) => members,
            First::Line(line) => return csv::is_header(line),
        };
        let has = |name| members.contains_key(name);
        // Frames of the bus of the `spaxiom` package hold events, too.
        if members.get("type").and_then(Value::as_str) == Some("pattern_event") {
            return false;
        }
        let inner = |name| members.get("event").and_then(|event| event.get(name)).is_some();
        let is_state = has("entity_id") && has("state") && (has("last_changed") || has("last_updated"));
        inner("time_fired")
            || inner("data")
            || inner("states")
            || (has("event_type") && (has("time_fired") || has("origin")))
            || is_state
            || members.get("result").is_some_and(is_history)
            || is_history(&Value::Object(members.clone()))
    }

    fn parser(&self, head: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        if csv::is_header(head.first_line) {
            return Ok(Box::new(Download::new(head.first_line)));
        }
        Ok(Box::new(Json::default()))
    }
}

/// Lists of compressed states by entity.
fn is_history(value: &Value) -> bool {
    let is_compressed =
        |state: &Value| state.get("s").is_some() && (state.get("lu").is_some() || state.get("lc").is_some());
    value.as_object().is_some_and(|entities| {
        entities.values().any(|states| states.as_array().and_then(|states| states.first()).is_some_and(is_compressed))
    })
}

/// Parses JSON in the order of the input: what a state changes depends on the one before.
#[derive(Debug, Default)]
struct Json {
    states: States,
}

impl RecordParser for Json {
    fn is_ordered(&self) -> bool {
        true
    }

    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let (mut members, _) = json::object(text.strip_prefix("data:").map_or(text, str::trim_start))?;
        if let Some(result) = members.get("result") {
            return Ok(self.result(result, normalizer));
        }
        if let Some(event) = members.remove("event") {
            if let Some(history) = event.get("states") {
                return Ok(self.history(history, normalizer));
            }
            return match event {
                Value::Object(event) => self.bus_event(&event, normalizer),
                other => Err(LineError::NotText { field: "event", got: json::kind_of(&other) }),
            };
        }
        if members.contains_key("event_type") || members.contains_key("data") {
            return self.bus_event(&members, normalizer);
        }
        if members.contains_key("state") {
            return self.state(&members, normalizer);
        }
        if is_history(&Value::Object(members.clone())) {
            return Ok(self.history(&Value::Object(members), normalizer));
        }
        match members.get("type") {
            Some(Value::String(_)) => Ok(Parsed::Skipped("message without a state")),
            _ => Err(LineError::Missing { field: "event_type" }),
        }
    }
}

impl Json {
    /// The answer to a command of the websocket.
    fn result(&self, result: &Value, normalizer: &Normalizer) -> Parsed {
        match result {
            Value::Object(_) if is_history(result) => self.history(result, normalizer),
            Value::Array(states) => {
                let states = states.iter().filter_map(Value::as_object);
                several(states.map(|state| self.state(state, normalizer)))
            }
            _ => Parsed::Skipped("message without a state"),
        }
    }

    fn bus_event(&self, event: &Map<String, Value>, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let event_type = event.get("event_type").and_then(Value::as_str);
        if event_type.ok_or(LineError::Missing { field: "event_type" })? != "state_changed" {
            return Ok(Parsed::Skipped("not a change of state"));
        }
        let data = event.get("data").and_then(Value::as_object).ok_or(LineError::Missing { field: "data" })?;
        let entity = data.get("entity_id").and_then(Value::as_str);
        let entity = entity.ok_or(LineError::Missing { field: "data.entity_id" })?;
        let Some(new) = data.get("new_state").and_then(Value::as_object) else {
            return Ok(Parsed::Skipped("entity removed"));
        };
        let context = event.get("context").or_else(|| new.get("context"));
        let of_context = |name| context.and_then(|context| context.get(name)).and_then(Value::as_str);
        let time = ["last_changed", "last_updated"].iter().find_map(|name| present(new, name));
        let time = time.or_else(|| present(event, "time_fired")).ok_or(LineError::Missing { field: "time_fired" })?;
        let attributes = attributes(new)?;
        self.states.take(
            Change {
                entity,
                state: state_of(new).ok_or(LineError::Missing { field: "data.new_state.state" })?,
                old: data.get("old_state").and_then(Value::as_object).and_then(state_of),
                attributes: attributes.as_deref(),
                time: json::time("last_changed", time, normalizer)?,
                context: of_context("id"),
                parent: of_context("parent_id"),
                zone: None,
                sensor_name: None,
            },
            normalizer,
        )
    }

    /// A state of a history; short ones leave out the entity and the attributes of the one before.
    fn state(&self, state: &Map<String, Value>, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let entity = state.get("entity_id").and_then(Value::as_str).map(str::to_owned);
        let entity = entity.or_else(|| self.states.last_entity()).ok_or(LineError::Missing { field: "entity_id" })?;
        let time = ["last_changed", "last_updated"].iter().find_map(|name| present(state, name));
        let attributes = attributes(state)?;
        let context = |name| state.get("context").and_then(|context| context.get(name)).and_then(Value::as_str);
        self.states.take(
            Change {
                entity: &entity,
                state: state_of(state).ok_or(LineError::Missing { field: "state" })?,
                old: None,
                attributes: attributes.as_deref(),
                time: json::time(
                    "last_changed",
                    time.ok_or(LineError::Missing { field: "last_changed" })?,
                    normalizer,
                )?,
                context: context("id"),
                parent: context("parent_id"),
                zone: None,
                sensor_name: None,
            },
            normalizer,
        )
    }

    /// Compressed states by entity: `s` the state, `a` its attributes, `lc` and `lu` when it changed.
    fn history(&self, history: &Value, normalizer: &Normalizer) -> Parsed {
        let entities = history.as_object().into_iter().flatten();
        let states = entities.flat_map(|(entity, states)| {
            let states = states.as_array().into_iter().flatten().filter_map(Value::as_object);
            states.map(move |state| (entity, state))
        });
        several(states.map(|(entity, state)| {
            let time =
                present(state, "lc").or_else(|| present(state, "lu")).ok_or(LineError::Missing { field: "lu" })?;
            self.states.take(
                Change {
                    entity,
                    state: state.get("s").and_then(Value::as_str).ok_or(LineError::Missing { field: "s" })?,
                    old: None,
                    attributes: state.get("a").and_then(Value::as_object),
                    time: json::time("lu", time, normalizer)?,
                    context: None,
                    parent: None,
                    zone: None,
                    sensor_name: None,
                },
                normalizer,
            )
        }))
    }
}

/// Records and reasons of several states; what is no change is counted.
fn several(parsed: impl Iterator<Item = Result<Parsed, LineError>>) -> Parsed {
    Parsed::Several(parsed.collect())
}

fn present<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn state_of(state: &Map<String, Value>) -> Option<&str> {
    state.get("state").and_then(Value::as_str)
}

/// Attributes as an object, or as the text of one, which the recorder's tables hold.
fn attributes(state: &Map<String, Value>) -> Result<Option<std::borrow::Cow<'_, Map<String, Value>>>, LineError> {
    match state.get("attributes") {
        Some(Value::Object(attributes)) => Ok(Some(std::borrow::Cow::Borrowed(attributes))),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(std::borrow::Cow::Owned(json::object(text)?.0))),
        _ => Ok(None),
    }
}
