//! A whole file of events in memory, in order of time, with its labels and its bad lines.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{EventError, Rejected};
use crate::event::Event;
use crate::label::LabelSpan;
use crate::mark::{SpanBuilder, UnpairedMark};
use crate::order::Deduplicator;
use crate::source::{EventReader, ReadOptions, Record};

/// What a file of events holds.
#[derive(Debug, Default)]
pub struct EventLog {
    /// In order of time; events of one instant stay in the order of the file.
    pub events: Vec<Event>,
    /// Activities that the file itself marks (CASAS, a `label` column); empty for other formats.
    pub spans: Vec<LabelSpan>,
    /// Lines that are no events.
    pub rejected: Vec<Rejected>,
    /// Marks without a partner.
    pub unpaired: Vec<UnpairedMark>,
    /// Events that were left out because one of their site and id was there.
    pub n_duplicates: u64,
    /// Lines that say nothing that should be an event, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Values that are in no event: lists, numbers that are none, columns without a place.
    pub n_left_out: u64,
}

/// Reads a whole file into memory, in order of time.
///
/// # Errors
/// As of [`EventReader::open`]. Bad lines are no error: they are in [`EventLog::rejected`].
pub fn read_log(path: &Path, options: &ReadOptions) -> Result<EventLog, EventError> {
    let mut events = Vec::new();
    let mut log = read_events(path, options, |event| events.push(event))?;
    if !events.is_sorted_by_key(|event: &Event| event.time) {
        events.sort_by_key(|event| event.time);
    }
    log.events = events;
    Ok(log)
}

/// Reads a whole file and hands over its events one after the other, in the order of the file and without duplicates.
///
/// The log has everything but the events.
///
/// # Errors
/// As of [`read_log`].
pub fn read_events(path: &Path, options: &ReadOptions, mut take: impl FnMut(Event)) -> Result<EventLog, EventError> {
    let mut reader = EventReader::open(path, options)?;
    let mut log = EventLog::default();
    let mut spans = SpanBuilder::default();
    let mut ids = Deduplicator::new(usize::MAX);
    for record in &mut reader {
        match record {
            Ok(Record { event, mark, .. }) => {
                if let Some(mark) = mark {
                    spans.push(&event.site_id, mark);
                }
                if !ids.is_duplicate(&event) {
                    take(event);
                }
            }
            Err(rejected) => log.rejected.push(rejected),
        }
    }
    log.n_duplicates = ids.n_duplicates();
    log.skipped = reader.skipped().clone();
    log.n_left_out = reader.n_left_out();
    (log.spans, log.unpaired) = spans.finish();
    Ok(log)
}
