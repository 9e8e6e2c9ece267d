//! The doctor: one odd stream per finding.

use chrono::DateTime;
use spaxiom_event::{Doctor, DoctorOptions, Event, Health, Registry, SiteMap};

fn examined(events: &[Event]) -> Health {
    examined_with(events, SiteMap::default())
}

fn examined_with(events: &[Event], site_map: SiteMap) -> Health {
    let mut doctor = Doctor::new(DoctorOptions::default(), Registry::built_in().clone(), site_map);
    for event in events {
        doctor.observe(event);
    }
    doctor.finish()
}

fn event(secs: i64, zone: &str) -> Event {
    let mut event = Event::new("MotionDetected", "s", DateTime::from_timestamp(secs, 0).unwrap());
    event.zone = Some(zone.into());
    event.with_derived_id()
}

fn count(health: &Health, kind: &str) -> u64 {
    health.findings.iter().filter(|finding| finding.kind == kind).map(|finding| finding.count).sum()
}

#[test]
fn a_healthy_stream_has_no_findings() {
    let events: Vec<Event> = (0..100).map(|i| event(i * 60, if i % 2 == 0 { "a" } else { "b" })).collect();
    let health = examined(&events);
    assert_eq!(health.findings, []);
    assert_eq!((health.events, health.zones["a"], health.types["MotionDetected"]), (100, 50, 100));
}

#[test]
fn disorder_is_told_by_how_far_it_goes() {
    let health = examined(&[event(1_000, "a"), event(990, "a"), event(900, "a"), event(1_001, "a")]);
    assert_eq!((count(&health, "out-of-order"), count(&health, "late")), (2, 1));
    assert_eq!(count(&health, "clock-jump"), 0);
    let jumped: Vec<Event> =
        [0, 100, 200].into_iter().chain([-7_000, -6_900, -6_800]).map(|s| event(s + 10_000, "a")).collect();
    let health = examined(&jumped);
    assert_eq!(
        (count(&health, "clock-jump"), count(&health, "out-of-order")),
        (1, 1),
        "told once, not for all that follows"
    );
}

#[test]
fn duplicates_and_gaps_are_counted() {
    let health = examined(&[event(0, "a"), event(0, "a"), event(30_000, "a")]);
    assert_eq!((count(&health, "duplicates"), count(&health, "gap")), (1, 1));
    assert!(health.findings.iter().all(|finding| !finding.advice.is_empty()));
}

#[test]
fn a_sensor_may_say_too_much_or_fall_silent() {
    let mut events: Vec<Event> = (0..61).map(|i| event(i / 2, "loud")).collect();
    events.extend((0..20).map(|i| event(i * 100, "dead")));
    events.extend((0..100).map(|i| event(i * 3_600, "alive")));
    events.sort_by_key(|event| event.time);
    for (i, event) in events.iter_mut().enumerate() {
        event.id = i.to_string().into();
    }
    let health = examined(&events);
    assert_eq!(count(&health, "chattering-sensor"), 1);
    let dead: Vec<&str> =
        health.findings.iter().filter(|f| f.kind == "dead-sensor").map(|f| f.detail.as_str()).collect();
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert!(dead[0].contains("`dead`") && dead[1].contains("`loud`"), "{dead:?}");
}

#[test]
fn what_the_registry_does_not_know_is_counted_and_kept() {
    let mut odd = event(0, "a");
    odd.attrs.insert("color", "red".into());
    let mut wet = Event::new("MeasurementChanged", "s", odd.time);
    wet.attrs.insert("value_pct", 140.0.into());
    let unknown = Event::new("PalletScanned", "s", odd.time);
    let health = examined(&[odd, wet.with_derived_id(), unknown.with_derived_id()]);
    assert_eq!((count(&health, "unknown-type"), count(&health, "unknown-attribute")), (1, 1));
    let range = health.findings.iter().find(|finding| finding.kind == "out-of-range").unwrap();
    assert!(
        range.detail.contains("`MeasurementChanged.value_pct` between 140 and 140, wanted 0 to 100"),
        "{}",
        range.detail
    );
}

#[test]
fn a_sensor_of_the_map_that_never_spoke_is_named() {
    let map = SiteMap::parse("format = 1\n[sites.s.sensors]\nM001 = {}\nM002 = {}\n").unwrap();
    let health = examined_with(&[event(0, "M001")], map);
    assert_eq!(count(&health, "silent-sensor"), 1);
    assert!(health.findings[0].detail.contains("`M002`"));
}
