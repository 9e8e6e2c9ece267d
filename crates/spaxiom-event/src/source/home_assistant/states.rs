//! States of entities, one after the other, to changes: an outage in between is no change.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::draft::{Draft, DraftValue};
use crate::error::LineError;
use crate::ids::EventId;
use crate::normalizer::Normalizer;
use crate::source::record::Parsed;
use crate::unit::Unit;

/// Contexts that are remembered to name causes.
const N_CONTEXTS: usize = 4096;

/// A state that an entity took.
#[derive(Debug, Clone, Copy)]
pub(in crate::source) struct Change<'a> {
    pub(in crate::source) entity: &'a str,
    pub(in crate::source) state: &'a str,
    /// The state before, where the source says it.
    pub(in crate::source) old: Option<&'a str>,
    /// None where they are those of the state before.
    pub(in crate::source) attributes: Option<&'a Map<String, Value>>,
    pub(in crate::source) time: DateTime<Utc>,
    pub(in crate::source) context: Option<&'a str>,
    pub(in crate::source) parent: Option<&'a str>,
    /// The area of the entity, where the source knows it.
    pub(in crate::source) zone: Option<&'a str>,
    /// What people call the entity.
    pub(in crate::source) sensor_name: Option<&'a str>,
}

/// What is known of each entity, and which event belongs to which context.
#[derive(Debug, Default)]
pub(in crate::source) struct States(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    entities: HashMap<String, Known>,
    last_entity: Option<String>,
    contexts: HashMap<String, EventId>,
    older_contexts: HashMap<String, EventId>,
}

/// What is known of an entity.
#[derive(Debug, Default)]
struct Known {
    /// The last state, `unavailable` included.
    state: String,
    /// The last state that says something.
    last_said: Option<String>,
    class: Option<String>,
    unit: Option<String>,
}

impl States {
    /// The entity of the state before, which short states of a history leave out.
    pub(super) fn last_entity(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last_entity.clone()
    }

    /// The event of a state, if it is a change.
    ///
    /// A number is a reading whatever was before. Any other first state of an entity is no change.
    pub(in crate::source) fn take(&self, change: Change<'_>, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { entities, last_entity, .. } = &mut *memory;
        if last_entity.as_deref() != Some(change.entity) {
            *last_entity = Some(change.entity.to_owned());
        }
        if !entities.contains_key(change.entity) {
            entities.insert(change.entity.to_owned(), Known::default());
        }
        let known = entities.get_mut(change.entity).expect("it was just put in");
        let draft = known.take(&change);
        let mut draft = match draft {
            Ok(draft) => draft,
            Err(reason) => return Ok(Parsed::Skipped(reason)),
        };
        let micros = change.time.timestamp_micros();
        let context = change.context.map(|context| format!("{context}/")).unwrap_or_default();
        draft.id = Some(format!("{context}{}/{micros}", change.entity).into());
        draft.time = Some(change.time);
        draft.sensor = Some(change.entity.into());
        if let Some(zone) = change.zone {
            // The name of the sensor would be lost behind that of its area.
            draft.zone = Some(zone.into());
            draft.attrs.push(("sensor".into(), DraftValue::Text(change.entity.into())));
        }
        draft.caused_by = memory.causes(&change);
        if let Some(name) = change.sensor_name {
            draft.attrs.push(("sensor_name".into(), DraftValue::Text(name.into())));
        }
        let record = draft.take_record(normalizer)?;
        memory.remember(change.context, &record.event.id);
        Ok(Parsed::Record(record))
    }
}

impl Memory {
    /// The event whose context is the parent of this one: what an automation reacted to.
    fn causes(&self, change: &Change<'_>) -> Vec<EventId> {
        let of = |context: &str| self.contexts.get(context).or_else(|| self.older_contexts.get(context));
        change.parent.and_then(of).cloned().into_iter().collect()
    }

    /// The first event of a context is the one that others react to.
    fn remember(&mut self, context: Option<&str>, id: &EventId) {
        let Some(context) = context.filter(|context| !self.contexts.contains_key(*context)) else { return };
        if self.contexts.len() >= N_CONTEXTS {
            self.older_contexts = std::mem::take(&mut self.contexts);
        }
        self.contexts.insert(context.to_owned(), id.clone());
    }
}

impl Known {
    /// The change as a draft, or why it is none.
    fn take<'a>(&mut self, change: &Change<'a>) -> Result<Draft<'a>, &'static str> {
        let Change { state, old, attributes, .. } = *change;
        if let Some(attributes) = attributes {
            let text = |name: &str| attributes.get(name).and_then(Value::as_str).map(str::to_owned);
            (self.class, self.unit) = (text("device_class"), text("unit_of_measurement"));
        }
        let before = old.map_or_else(|| self.state.clone(), str::to_owned);
        let known = old.filter(|old| !is_unknown(old)).map(str::to_owned).or_else(|| self.last_said.clone());
        state.clone_into(&mut self.state);
        if is_unknown(state) {
            self.last_said = known;
            return Err("state unknown or unavailable");
        }
        self.last_said = Some(state.to_owned());
        if before == state {
            return Err("only attributes changed");
        }
        if let Some(number) = state.parse().ok().filter(|number: &f64| number.is_finite()) {
            return Ok(self.measurement(number));
        }
        match known.as_deref() {
            None => Err("first known state, not a change"),
            Some(known) if known == state => Err("came back, not a change"),
            Some(known) => Ok(self.switched(state, known)),
        }
    }

    /// The number with its unit; a unit that nobody knows stands beside it as a word.
    fn measurement<'a>(&self, number: f64) -> Draft<'a> {
        let mut draft = Draft { kind: Some("MeasurementChanged".into()), ..Draft::default() };
        let value = match self.unit.as_deref().and_then(Unit::from_symbol) {
            Some(unit) => DraftValue::Quantity(number, unit),
            None => DraftValue::Number(number),
        };
        if let (DraftValue::Number(_), Some(symbol)) = (&value, &self.unit) {
            draft.attrs.push(("unit".into(), DraftValue::Text(symbol.clone().into())));
        }
        draft.attrs.push(("value".into(), value));
        draft.attrs.extend(self.class.clone().map(|class| ("device_class".into(), DraftValue::Text(class.into()))));
        draft
    }

    fn switched<'a>(&self, state: &'a str, known: &str) -> Draft<'a> {
        let mut draft = Draft::default();
        let kind = match (self.class.as_deref().unwrap_or_default(), state) {
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
                let class = self.class.clone();
                draft.attrs.extend(class.map(|class| ("device_class".into(), DraftValue::Text(class.into()))));
                if state == "on" { "SensorOn" } else { "SensorOff" }
            }
            _ => {
                draft.attrs.push(("state".into(), DraftValue::Text(state.into())));
                draft.attrs.push(("previous_state".into(), DraftValue::Text(known.to_owned().into())));
                "StateChanged"
            }
        };
        draft.kind = Some(kind.into());
        draft
    }
}

fn is_unknown(state: &str) -> bool {
    matches!(state, "unknown" | "unavailable" | "")
}
