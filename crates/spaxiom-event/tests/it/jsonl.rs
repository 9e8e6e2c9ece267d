//! Canonical events: what is read, what is refused and why.

use proptest::prelude::*;
use spaxiom_event::{AttrValue, Event, Position};

fn event(text: &str) -> Event {
    Event::from_json(text).unwrap()
}

fn refused(text: &str, want: &str) {
    let error = Event::from_json(text).expect_err(text).to_string();
    assert!(error.contains(want), "{text}\n  gave: {error}\n  want: {want}");
}

#[test]
fn the_seeds_listing_is_an_event() {
    let event =
        event(r#"{"type": "QueueFormed", "zone": "loading_dock", "length": 8, "timestamp": "2025-01-06T10:23:45Z"}"#);
    assert_eq!(event.kind.as_str(), "QueueFormed");
    assert_eq!(event.zone.as_ref().unwrap().as_str(), "loading_dock");
    assert_eq!(event.attrs["length"], AttrValue::Number(8.0));
    assert_eq!(event.time.to_rfc3339(), "2025-01-06T10:23:45+00:00");
    assert_eq!(event.site_id.as_str(), "default");
}

#[test]
fn an_id_is_derived_from_the_content_where_none_is_given() {
    let line = r#"{"type": "DoorOpened", "time": "2025-01-06T10:23:45Z"}"#;
    assert_eq!(event(line).id, event(line).id);
    assert_ne!(event(line).id, event(&line.replace("45Z", "46Z")).id);
    assert_eq!(event(r#"{"id": "a", "type": "T", "time": 0}"#).id.as_str(), "a");
}

#[test]
fn epoch_seconds_and_offsets_become_utc() {
    let of = |time: &str| event(&format!(r#"{{"type": "T", "time": {time}}}"#)).time.to_rfc3339();
    assert_eq!(of("1736159025.25"), "2025-01-06T10:23:45.250+00:00");
    assert_eq!(of("\"2025-01-06T12:23:45+02:00\""), "2025-01-06T10:23:45+00:00");
}

#[test]
fn a_position_needs_both_coordinates() {
    let at = event(r#"{"type": "FallEvent", "time": 0, "x": 12.5, "y": 8.3}"#).position;
    assert_eq!(at, Some(Position { x: 12.5, y: 8.3, z: None }));
    refused(r#"{"type": "FallEvent", "time": 0, "x": 12.5}"#, "`y` is missing");
}

#[test]
fn a_bad_line_says_what_was_wanted_and_what_was_got() {
    refused("{", "wanted one JSON object");
    refused("[]", "wanted one JSON object");
    refused(r#"{"time": 0}"#, "`type` is missing");
    refused(r#"{"type": "", "time": 0}"#, "`type` is missing");
    refused(r#"{"type": "T"}"#, "`time` is missing");
    refused(r#"{"type": "T", "time": "yesterday"}"#, "got `\"yesterday\"`");
    refused(r#"{"type": "T", "time": "2025-01-06T10:23:45"}"#, "names no time zone");
    refused(r#"{"type": "T", "time": -1e10}"#, "got `-10000000000`");
    refused(r#"{"type": "T", "time": 1e300}"#, "got `1e300`");
    refused(r#"{"type": "T", "time": 5, "end_time": 4}"#, "is before");
    refused(r#"{"type": "T", "time": 0, "x": "left", "y": 1}"#, "`x`: wanted a number, got `left`");
    refused(r#"{"type": "T", "time": 0, "o": {"n": 1, "n": 2}}"#, "`o.n` is given twice");
    refused(r#"{"type": "T", "time": 1736159025123}"#, "`[ms]`");
    refused(r#"{"type": "T", "time": "2026-07-19 15:36:01"}"#, "--time-zone");
}

prop_compose! {
    fn any_event()(
        kind in "[A-Z][a-z]{1,8}",
        site in "[a-z]{1,6}",
        zone in proptest::option::of("[a-z_]{1,8}"),
        nanos in 0i64..4_000_000_000_000_000_000,
        at in proptest::option::of((-1e6f64..1e6, -1e6f64..1e6)),
        numbers in proptest::collection::btree_map("[a-z]{3,6}", -1e9f64..1e9, 0..4),
        flag in any::<bool>(),
        word in "\\PC{0,12}",
        entity in proptest::option::of("[a-z0-9]{1,8}"),
    ) -> Event {
        let mut event = Event::new(kind, site, chrono::DateTime::from_timestamp_nanos(nanos));
        event.zone = zone.map(Into::into);
        event.position = at.map(|(x, y)| Position { x, y, z: None });
        event.entity_id = entity.map(Into::into);
        event.attrs = numbers.into_iter().map(|(name, value)| (name, AttrValue::Number(value))).collect();
        event.attrs.insert("flag", AttrValue::Flag(flag));
        event.attrs.insert("word", AttrValue::Text(word));
        event.with_derived_id()
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_equal(event in any_event()) {
        let text = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(Event::from_json(&text).unwrap(), event);
    }

    #[test]
    fn no_line_makes_it_panic(line in "\\PC{0,80}") {
        let _ = Event::from_json(&line);
    }
}
