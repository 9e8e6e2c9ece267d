//! The memory of one entity against its whole history, read by hand.

use std::collections::BTreeMap;

use chrono::DateTime;
use proptest::prelude::*;
use spaxiom_event::{Event, SiteMap};
use spaxiom_token::{EntityMemory, EntityMemoryOptions, EntityState, Sites, TokenError};

const LONGEST_SECS: f64 = 3.0 * 86_400.0;

/// An event of a patient, some milliseconds after the start of a day.
fn event(kind: &str, zone: &str, millis: i64) -> Event {
    let mut event = Event::new(kind, "s0", DateTime::from_timestamp_millis(1_700_006_400_000 + millis).unwrap());
    event.zone = Some(zone.into());
    event.entity_id = Some("p1".into());
    event
}

/// Events in order of time, often seconds apart and sometimes days.
fn stay() -> impl Strategy<Value = Vec<Event>> {
    let gap = prop_oneof![0i64..20_000, 0i64..4_000_000, 0i64..400_000_000];
    let one = (prop_oneof!["A", "B", "C"], prop_oneof!["bed", "bath", "unmapped"], gap);
    proptest::collection::vec(one, 1..40).prop_map(|all| {
        let mut now = 0;
        let mut next = |(kind, zone, gap): (String, String, i64)| {
            now += gap;
            event(&kind, &zone, now)
        };
        all.into_iter().map(&mut next).collect()
    })
}

fn sites() -> Sites {
    let map = "format = 1\n[sites.s0]\ntime-zone = \"Europe/Berlin\"\n\
        [sites.s0.zones.bed]\nkind = \"bed\"\n[sites.s0.zones.bath]\nkind = \"bathroom\"\n";
    Sites::new(&SiteMap::parse(map).unwrap(), None)
}

fn kind_of(event: &Event) -> &'static str {
    match event.zone.as_ref().unwrap().as_str() {
        "bed" => "bed",
        "bath" => "bathroom",
        _ => "-",
    }
}

fn secs(event: &Event) -> f64 {
    event.time.timestamp_millis() as f64 / 1e3
}

/// What a row has to hold at the last of some events, by name, read from all of them.
fn by_hand(events: &[Event]) -> BTreeMap<String, f64> {
    let (last, before) = events.split_last().unwrap();
    let now = secs(last);
    let token = |event: &Event| format!("{}@{}", event.kind, kind_of(event));
    let since = |then: f64| (now - then).min(LONGEST_SECS);
    let latest = |name: &str| before.iter().rev().find(|event| token(event) == name).map(secs);
    let mut row = BTreeMap::new();
    for kind in ["A", "B", "C"] {
        for zone in ["bed", "bathroom", "-"] {
            let name = format!("{kind}@{zone}");
            let then = latest(&name);
            row.insert(format!("since {name}"), then.map_or(LONGEST_SECS, since).ln_1p());
            let times: Vec<f64> = before.iter().filter(|event| token(event) == name).map(secs).collect();
            let count: f64 = times.iter().map(|then| (-(now - then) / 600.0).exp2()).sum();
            row.insert(format!("count {name} (600 s)"), count.ln_1p());
            for other in ["A@bed", "B@bathroom"] {
                let lag = match (then, latest(other)) {
                    (Some(a), Some(b)) if a == b => 0.0,
                    (Some(a), Some(b)) => (a - b).signum() * (a - b).abs().min(LONGEST_SECS).ln_1p(),
                    (a, b) => 20.0 * (f64::from(u8::from(a.is_some())) - f64::from(u8::from(b.is_some()))),
                };
                row.insert(format!("lag {name} after {other}"), lag);
            }
        }
        for second in ["A", "B", "C"] {
            let follows = |two: &&[Event]| two[0].kind.as_str() == kind && two[1].kind.as_str() == second;
            let gaps: Vec<(f64, f64)> =
                events.windows(2).filter(follows).map(|two| (secs(&two[1]) - secs(&two[0]), secs(&two[1]))).collect();
            let gap = gaps.last().map_or(f64::NAN, |(gap, _)| gap.ln_1p());
            row.insert(format!("gap {kind} > {second}"), gap);
        }
    }
    row.insert("since event -1".into(), before.last().map_or(LONGEST_SECS, |event| since(secs(event))).ln_1p());
    row.insert(format!("type = {}", last.kind), 1.0);
    row.insert(format!("zone kind = {}", kind_of(last)), 1.0);
    // November in Berlin.
    row.insert("hour".into(), (now / 3_600.0 + 1.0).rem_euclid(24.0));
    row
}

fn is_near(got: f32, want: f64) -> bool {
    (got.is_nan() && want.is_nan()) || (f64::from(got) - want).abs() < 1e-4 * (1.0 + want.abs())
}

proptest! {
    /// What is updated event by event, saved and restored in between, is what the whole history says.
    #[test]
    fn a_row_is_what_the_whole_history_says(train in stay(), events in stay(), cut in 0usize..40) {
        let memory = EntityMemory::fit(&EntityMemoryOptions::default(), &sites(), &train).unwrap();
        let memory = EntityMemory::from_json(&memory.to_json()).unwrap().with_sites(&sites());
        let names = memory.feature_names();
        prop_assert_eq!(names.len(), memory.n_features());
        let mut state = memory.begin();
        for at in 0..events.len() {
            if at == cut {
                let saved = serde_json::to_string(&state).unwrap();
                state = memory.resumed(serde_json::from_str(&saved).unwrap()).unwrap();
            }
            let row = memory.read(&state, &events[at]);
            prop_assert_eq!(row.len(), names.len());
            let want = by_hand(&events[..=at]);
            for (name, got) in names.iter().zip(&row) {
                if let Some(want) = want.get(name) {
                    prop_assert!(is_near(*got, *want), "{}: {} for {}", name, got, want);
                }
            }
            memory.push(&mut state, &events[at]);
        }
    }

    /// What comes later changes nothing: a row is the same whatever follows.
    #[test]
    fn a_row_knows_nothing_of_the_future(events in stay(), later in stay()) {
        let memory = EntityMemory::fit(&EntityMemoryOptions::default(), &sites(), events.iter().chain(&later)).unwrap();
        let rows = |events: &[Event]| {
            let mut state = memory.begin();
            let mut rows: Vec<Vec<u32>> = Vec::new();
            for event in events {
                rows.push(memory.read(&state, event).iter().map(|value| value.to_bits()).collect());
                memory.push(&mut state, event);
            }
            rows
        };
        let longer: Vec<Event> = events.iter().chain(&later).cloned().collect();
        prop_assert_eq!(&rows(&longer)[..events.len()], &rows(&events)[..]);
    }
}

#[test]
fn the_shortest_gap_is_forgotten_after_its_reach() {
    let memory = |events: &[Event]| EntityMemory::fit(&EntityMemoryOptions::default(), &sites(), events).unwrap();
    let hours = |hours: i64| hours * 3_600_000;
    let events = [
        event("A", "bed", 0),
        event("B", "bed", 5_000),
        event("A", "bed", hours(1)),
        event("B", "bed", hours(1) + 90_000),
        event("C", "bed", hours(2)),
        event("C", "bed", hours(10)),
    ];
    let memory = memory(&events);
    let at = memory.feature_names().iter().position(|name| name == "shortest gap A > B").unwrap();
    let mut state = memory.begin();
    let mut shortest = Vec::new();
    for event in &events {
        shortest.push(memory.read(&state, event)[at]);
        memory.push(&mut state, event);
    }
    assert!(shortest[0].is_nan());
    assert!(shortest[1..5].iter().all(|gap| is_near(*gap, 5f64.ln_1p())), "{shortest:?}");
    // Eight hours after the second pair there is none any more.
    assert!(shortest[5].is_nan(), "{shortest:?}");
}

#[test]
fn what_training_never_saw_changes_nothing_and_breaks_nothing() {
    let train = [event("A", "bed", 0), event("B", "bed", 1_000), event("A", "bath", 9_000)];
    let memory = EntityMemory::fit(&EntityMemoryOptions::default(), &sites(), &train).unwrap();
    let mut state = memory.begin();
    memory.push(&mut state, &event("Unknown", "cellar", 10_000));
    let row = memory.read(&state, &event("A", "bed", 12_000));
    let at = memory.feature_names().iter().position(|name| name == "since A@bed").unwrap();
    assert!(is_near(row[at], LONGEST_SECS.ln_1p()));
}

#[test]
fn what_is_no_memory_is_refused() {
    let options = EntityMemoryOptions::default();
    let anonymous = Event { entity_id: None, ..event("A", "bed", 0) };
    assert!(matches!(EntityMemory::fit(&options, &sites(), [anonymous]), Err(TokenError::NoEvents)));
    let bad = EntityMemoryOptions { half_lives_secs: vec![60.0, 10.0], ..options.clone() };
    assert!(matches!(EntityMemory::fit(&bad, &sites(), [event("A", "bed", 0)]), Err(TokenError::Setting { .. })));
    let memory = EntityMemory::fit(&options, &sites(), [event("A", "bed", 0)]).unwrap();
    let newer = memory.to_json().replacen("\"format\": 1", "\"format\": 2", 1);
    assert!(matches!(EntityMemory::from_json(&newer), Err(TokenError::Format { found: 2, want: 1 })));
    let other = EntityMemory::fit(&options, &sites(), [event("A", "bed", 0), event("B", "bed", 1)]).unwrap();
    let state: EntityState = other.begin();
    assert!(matches!(memory.resumed(state), Err(TokenError::MemoryState)));
}
