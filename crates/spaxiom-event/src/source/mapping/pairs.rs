//! Rows that begin and end something, to intervals.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::fill::Filled;
use crate::error::LineError;
use crate::normalizer::Normalizer;
use crate::source::record::{Parsed, Record};

/// What the two rows of an interval have in common: site, entity, type and zone.
type Key = [String; 4];

/// Beginnings that wait for their ends, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pairs(Mutex<BTreeMap<Key, VecDeque<Record>>>);

impl Pairs {
    /// A row as it is, or the interval that it ends; a beginning waits.
    pub(crate) fn take(&self, filled: Filled<'_>, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let Some(is_start) = filled.edge else { return filled.into_record(normalizer).map(Parsed::Record) };
        let record = filled.into_record(normalizer)?;
        let event = &record.event;
        let key = [
            event.site_id.to_string(),
            event.entity_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            event.kind.to_string(),
            event.zone.as_ref().map(ToString::to_string).unwrap_or_default(),
        ];
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_start {
            open.entry(key).or_default().push_back(record);
            return Ok(Parsed::Skipped("beginning of an interval"));
        }
        let Some(mut start) = open.get_mut(&key).and_then(VecDeque::pop_front) else {
            return Err(LineError::EndWithoutStart { kind: record.event.kind.to_string() });
        };
        if record.event.time < start.event.time {
            return Err(LineError::EndsBeforeStart { start: start.event.time, end: record.event.time });
        }
        start.event.end_time = Some(record.event.time);
        for (name, value) in record.event.attrs.iter() {
            if start.event.attrs.get(name).is_none() {
                start.event.attrs.insert(name, value.clone());
            }
        }
        Ok(Parsed::Record(start))
    }

    /// Beginnings that no row ended: events without an end.
    pub(crate) fn finish(&self) -> Vec<Record> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest: Vec<Record> = std::mem::take(&mut *open).into_values().flatten().collect();
        rest.sort_by_key(|record| record.event.time);
        rest
    }
}
