//! A format of somebody else drives the reader.

use std::sync::Arc;

use serde_json::json;
use spaxiom_event::{
    AttrValue, EventError, EventReader, First, Framing, Head, LineError, Normalizer, Parsed, ReadOptions, Record,
    RecordParser, Rejected, Source, read_log,
};

use crate::{read_with, written};

/// Lines as `1736158980 dock_2 opened 3`: seconds, door, what it did, and how many people went through.
#[derive(Debug)]
struct DoorLog;

impl Source for DoorLog {
    fn name(&self) -> &'static str {
        "door-log"
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        matches!(first, First::Line(line) if line.split(' ').count() == 4)
    }

    fn parser(&self, _: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Ok(Box::new(parse))
    }
}

fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    if text.starts_with('#') {
        return Ok(Parsed::Skipped("comment"));
    }
    let columns: Vec<&str> = text.split(' ').collect();
    let [secs, door, action, n_people] = columns[..] else {
        return Err(LineError::Columns { got: columns.len() });
    };
    let kind = if action == "opened" { "DoorOpened" } else { "DoorClosed" };
    let n_people: Option<u32> = n_people.parse().ok();
    let members = json!({"type": kind, "zone": door, "time": secs.parse::<f64>().ok(), "people": n_people});
    normalizer.record(&members).map(Parsed::Record)
}

fn options() -> ReadOptions {
    ReadOptions { source: Some(Arc::new(DoorLog)), ..ReadOptions::default() }
}

const LOG: &str = "# doors of the depot\n1736158980 dock_2 opened 3\n1736158990 dock_2\n1736159000 dock_2 closed 1\n";

#[test]
fn a_source_from_outside_is_read() {
    let records = read_with(LOG, &options());
    let [Ok(opened), Err(reason), Ok(closed)] = &records[..] else { panic!("{records:?}") };
    assert_eq!(opened.event.kind.as_str(), "DoorOpened");
    assert_eq!(opened.event.zone.as_ref().unwrap().as_str(), "dock_2");
    assert_eq!(opened.event.time.to_rfc3339(), "2025-01-06T10:23:00+00:00");
    assert_eq!(opened.event.attrs.get("people"), Some(&AttrValue::Number(3.0)));
    assert_eq!(closed.event.kind.as_str(), "DoorClosed");
    assert!(reason.contains('2'), "{reason}");

    // The same from a file, with the name and the counts that a command reports.
    let file = written("doors.log", LOG.as_bytes());
    let reader = EventReader::open(&file, &options()).unwrap();
    assert_eq!(reader.format_name(), "door-log");
    let log = read_log(&file, &options()).unwrap();
    assert_eq!((log.events.len(), log.rejected.len()), (2, 1));
}

#[test]
fn a_source_from_outside_is_parsed_on_several_threads() {
    let lines = (0..20_000).map(|at| format!("{} dock_{} opened {at}\n", 1_736_158_980 + at, at % 7));
    let file = written("doors.log", lines.collect::<String>().as_bytes());
    let people = |threads| {
        let options = ReadOptions { threads: Some(threads), ..options() };
        let fold = |seen: &mut Vec<AttrValue>, record: Result<Record, Rejected>| {
            seen.push(record.unwrap().event.attrs.get("people").unwrap().clone());
        };
        let mut all = Vec::new();
        EventReader::open(&file, &options).unwrap().fold_blocks(Vec::new, fold, |seen| all.extend(seen));
        all
    };
    let want: Vec<AttrValue> = (0..20_000).map(|at| AttrValue::Number(at.into())).collect();
    assert_eq!(people(1), want);
    assert_eq!(people(3), want);
}
