//! What is written is read back equal, in every format that is written.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use spaxiom_event::{AttrValue, Event, EventReader, EventWriter, Position, ReadOptions, Severity, Target};

prop_compose! {
    fn any_event()(
        kind in prop_oneof!["[A-Z][a-z]{1,8}", Just("QueueFormed".to_owned()), Just("OccupancyChanged".to_owned())],
        site in "[a-z]{1,6}",
        zone in proptest::option::of("[^\\p{C}]{1,30}"),
        path in proptest::collection::vec("[a-z0-9]{1,6}", 0..3),
        nanos in 0i64..9_000_000_000_000_000_000,
        lasts in proptest::option::of(0i64..1_000_000_000_000),
        at in proptest::option::of((-1e6f64..1e6, -1e6f64..1e6, proptest::option::of(-10.0f64..10.0))),
        numbers in proptest::collection::btree_map("[a-z]{3,6}_x", any::<f64>().prop_filter("finite", |n| n.is_finite()), 0..4),
        flag in proptest::option::of(any::<bool>()),
        word in proptest::option::of("\\PC{0,40}"),
        entity in proptest::option::of("[a-z0-9]{1,40}"),
        confidence in proptest::option::of(0.0f64..=1.0),
        severity in proptest::option::of(prop_oneof![Just(Severity::Info), Just(Severity::Warn), Just(Severity::Alert)]),
        causes in proptest::collection::vec("[a-z0-9]{1,6}", 0..3),
        length in proptest::option::of(0.0f64..50.0),
    ) -> Event {
        let mut event = Event::new(kind, site, DateTime::from_timestamp_nanos(nanos));
        event.end_time = lasts.map(|lasts| event.time + TimeDelta::nanoseconds(lasts));
        event.zone = zone.map(Into::into);
        event.zone_path = path.into_iter().map(Into::into).collect();
        event.position = at.map(|(x, y, z)| Position { x, y, z });
        event.entity_id = entity.map(Into::into);
        event.attrs = numbers.into_iter().map(|(name, value)| (name, AttrValue::Number(value))).collect();
        flag.map(|flag| event.attrs.insert("flag", AttrValue::Flag(flag)));
        word.map(|word| event.attrs.insert("word", AttrValue::Text(word)));
        length.map(|length| event.attrs.insert("length", AttrValue::Number(length)));
        event.confidence = confidence;
        event.severity = severity;
        event.caused_by = causes.into_iter().map(Into::into).collect();
        event.with_derived_id()
    }
}

fn round_trip(events: &[Event], target: Target, name: &str) -> Vec<Event> {
    let path = crate::written(name, b"");
    let mut writer = EventWriter::create(&path, target).unwrap();
    for event in events {
        writer.write(event).unwrap();
    }
    writer.finish().unwrap();
    let reader = EventReader::open(&path, &ReadOptions::default()).unwrap();
    reader.map(|record| record.unwrap_or_else(|rejected| panic!("{rejected}: {}", rejected.raw)).event).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read_back_equal(events in proptest::collection::vec(any_event(), 1..20)) {
        prop_assert_eq!(&round_trip(&events, Target::Jsonl, "trip.jsonl"), &events);
        prop_assert_eq!(&round_trip(&events, Target::Jsonl, "trip.jsonl.gz"), &events);
        prop_assert_eq!(&round_trip(&events, Target::Jsonl, "trip.jsonl.zst"), &events);
        prop_assert_eq!(&round_trip(&events, Target::CloudEvents, "trip.cloudevents"), &events);
        prop_assert_eq!(&round_trip(&events, Target::Parquet, "trip.parquet"), &events);
    }
}

#[test]
fn the_subject_never_reaches_the_context_attributes() {
    let mut event = Event::new("FallEvent", "ward-5f", DateTime::from_timestamp(0, 0).unwrap());
    event.entity_id = Some("patient-7".into());
    let path = crate::written("context.cloudevents", b"");
    let mut writer = EventWriter::create(&path, Target::CloudEvents).unwrap();
    writer.write(&event.with_derived_id()).unwrap();
    writer.finish().unwrap();
    let mut envelope: serde_json::Value = serde_json::from_slice(&fs_err::read(&*path).unwrap()).unwrap();
    assert_eq!(envelope["data"].take()["entity_id"], "patient-7");
    assert!(!envelope.to_string().contains("patient-7"), "{envelope}");
    // CloudEvents 1.0: names of lower-case letters and digits, 20 at most; these have to be there.
    let names = envelope.as_object().unwrap().keys();
    assert!(names.clone().all(|n| n.len() <= 20 && n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())));
    assert!(["id", "source", "specversion", "type"].iter().all(|needed| names.clone().any(|name| name == needed)));
}

#[test]
fn an_unfinished_file_replaces_nothing() {
    let path = crate::written("kept.jsonl", b"old");
    let mut writer = EventWriter::create(&path, Target::Jsonl).unwrap();
    writer.write(&Event::new("T", "s", DateTime::from_timestamp(0, 0).unwrap())).unwrap();
    drop(writer);
    assert_eq!(fs_err::read(&*path).unwrap(), b"old");
}
