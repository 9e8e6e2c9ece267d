//! What was around an event?

use serde_json::{Value, json};
use spaxiom_embedding::{EmbeddingError, Event};

use super::answers::{Context, EventRow};
use super::asked::ContextAsked;
use super::state::{Desk, local};
use crate::error::ServeError;

/// Events on each side at most.
const MAX_ROWS: usize = 200;

/// How far on is looked, in nanoseconds.
const AFTER_NS: i64 = 2 * 3_600 * 1_000_000_000;

impl Desk {
    /// The events before and after a stored one at its site.
    ///
    /// # Errors
    /// An event that is not there, [`ServeError::Asked`] for more rows than are given.
    pub fn context(&self, asked: &ContextAsked) -> Result<Context, ServeError> {
        let ContextAsked { event_id, before, after } = asked;
        if (*before).max(*after) > MAX_ROWS {
            return Err(ServeError::Asked(format!("`before` and `after` are at most {MAX_ROWS}")));
        }
        let record = self.record(event_id)?;
        let event = stored(&record.metadata)?;
        let (site, at) = (record.site.as_str(), record.time_ns);
        let zones = self.store().time_zones()?;
        let row = |other: &Event| EventRow {
            id: other.id.to_string(),
            kind: other.kind.to_string(),
            zone: other.zone.as_ref().map(ToString::to_string).unwrap_or_default(),
            time: local(zones.get(site), other.time),
            secs: (other.time - event.time).as_seconds_f64(),
            entity: other.entity_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            attributes: serde_json::to_value(&other.attrs).unwrap_or(Value::Null),
        };
        let rows = |texts: Vec<String>| -> Result<Vec<EventRow>, ServeError> {
            let events = texts.iter().map(|text| stored(text)).collect::<Result<Vec<Event>, _>>()?;
            Ok(events.iter().filter(|other| other.id != event.id).map(row).collect())
        };
        let limit = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mut earlier =
            rows(self.store().metadata_between(site, i64::MIN, at.saturating_add(1), limit(before + 1))?)?;
        earlier.drain(..earlier.len().saturating_sub(*before));
        let later = self.store().metadata_between(site, at.saturating_add(1), at.saturating_add(AFTER_NS), u32::MAX)?;
        let mut later = later;
        later.truncate(*after);
        Ok(Context { site: site.to_owned(), event: row(&event), before: earlier, after: rows(later)? })
    }
}

fn stored(text: &str) -> Result<Event, ServeError> {
    let id = || serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!({}))["id"].to_string();
    Ok(Event::from_json(text).map_err(|source| EmbeddingError::StoredEvent { id: id(), source })?)
}
