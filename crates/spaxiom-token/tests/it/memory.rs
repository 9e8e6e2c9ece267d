//! The memory against counts by hand, and a stream against a whole sequence.

use chrono::DateTime;
use proptest::prelude::*;
use spaxiom_event::{Event, SiteId, SiteMap};
use spaxiom_token::{ClockedMemory, EventTable, MemoryOptions, MemoryState, Sites, TokenError, TokenizerFit};

use crate::table::{any_event, table};

/// Bit by bit.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn event(kind: &str, zone: &str, secs: f64) -> Event {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a test")]
    let nanos = (secs * 1e9) as i64;
    let mut event = Event::new(kind, "s0", DateTime::from_timestamp_nanos(nanos));
    event.zone = Some(zone.into());
    event
}

fn sites(zones: &[(&str, &str)]) -> Sites {
    let zone = |(name, kind): &(&str, &str)| format!("[sites.s0.zones.{name}]\nkind = \"{kind}\"\n");
    let text: String = zones.iter().map(zone).collect();
    Sites::new(&SiteMap::parse(&format!("format = 1\n{text}")).unwrap(), None)
}

fn fitted(options: &MemoryOptions, sites: &Sites, train: &EventTable) -> ClockedMemory {
    let fit = TokenizerFit { sites: sites.clone(), ..TokenizerFit::default() };
    ClockedMemory::fit(options, &fit, train).unwrap()
}

/// The rows of all events of the first site, read at once.
fn rows(memory: &ClockedMemory, table: &EventTable) -> Vec<Vec<f32>> {
    let sequence = &table.by_sequence()[0];
    let wanted: Vec<usize> = (0..sequence.rows.len()).collect();
    memory.read_rows(table, sequence, &wanted).chunks_exact(memory.n_features()).map(<[f32]>::to_vec).collect()
}

proptest! {
    /// Fed event by event, saved and restored in between, it says what it says of the whole sequence.
    #[test]
    fn a_stream_remembers_what_a_sequence_does(
        train in proptest::collection::vec(any_event(), 1..60),
        events in proptest::collection::vec(any_event(), 1..60),
        cut in 0usize..60,
        is_mapped: bool,
    ) {
        let known = if is_mapped { sites(&[("hall", "hall"), ("dock", "dock"), ("bed", "dock")]) } else { Sites::default() };
        let memory = fitted(&MemoryOptions { max_tokens: 3, max_pairs: 4, ..MemoryOptions::default() }, &known, &table(&train));
        let memory = ClockedMemory::from_json(&memory.to_json()).unwrap();
        let mut events: Vec<Event> = events.into_iter().map(|event| Event { site_id: "s0".into(), ..event }).collect();
        events.sort_by_key(|event| event.time);
        let site = SiteId::from("s0");
        let mut stream = memory.stream(&site);
        let whole = rows(&memory, &table(&events));
        for (at, (event, want)) in events.iter().zip(&whole).enumerate() {
            if at == cut {
                let saved = serde_json::to_string(stream.state()).unwrap();
                let state: MemoryState = serde_json::from_str(&saved).unwrap();
                stream = memory.resumed(&site, state).unwrap();
            }
            prop_assert_eq!(bits(&stream.push(event)), bits(want));
        }
    }

    /// Some rows of a sequence are read as they are among all of them.
    #[test]
    fn rows_are_read_alone_as_among_all(events in proptest::collection::vec(any_event(), 1..40), step in 1usize..7) {
        let events: Vec<Event> = events.into_iter().map(|event| Event { site_id: "s0".into(), ..event }).collect();
        let table = table(&events);
        let memory = fitted(&MemoryOptions::default(), &Sites::default(), &table);
        let wanted: Vec<usize> = (0..events.len()).step_by(step).collect();
        let some = memory.read_rows(&table, &table.by_sequence()[0], &wanted);
        let all = rows(&memory, &table);
        let want: Vec<u32> = wanted.iter().flat_map(|&at| bits(&all[at])).collect();
        prop_assert_eq!(bits(&some), want);
    }

    /// Counts are sums of powers of two, whatever has been and however long ago.
    #[test]
    fn counts_are_those_of_the_definition(gaps in proptest::collection::vec((0.0f64..20_000.0, 0usize..2), 1..80)) {
        let mut secs = 1.7e9;
        let events: Vec<(f64, usize)> = gaps.into_iter().map(|(gap, kind)| { secs += gap; (secs, kind) }).collect();
        let kinds = ["A", "B"];
        let train = table(&[event("A", "hall", 0.0), event("B", "hall", 1.0)]);
        let half_lives = vec![20.0, 600.0];
        let options = MemoryOptions { half_lives_secs: half_lives.clone(), repeats_secs: Vec::new(), ..MemoryOptions::default() };
        let memory = fitted(&options, &Sites::default(), &train);
        let named: Vec<Event> = events.iter().map(|&(secs, kind)| event(kinds[kind], "hall", secs)).collect();
        let found = rows(&memory, &table(&named));
        for (at, &(now, _)) in events.iter().enumerate() {
            for kind in 0..2 {
                for (half_life_at, half_life) in half_lives.iter().enumerate() {
                    let past = events[..=at].iter().filter(|(_, of)| *of == kind);
                    let want: f64 = past.map(|(secs, _)| (-(now - secs) / half_life).exp2()).sum::<f64>().ln_1p();
                    let got = f64::from(found[at][kind * half_lives.len() + half_life_at]);
                    prop_assert!((got - want).abs() < 1e-4, "{got} for {want} of {}", kinds[kind]);
                }
            }
        }
    }

    /// What zones are called, and in which order they were seen, makes no difference where their kind is known.
    #[test]
    fn zones_of_a_kind_have_no_names(events in proptest::collection::vec((0usize..3, 0usize..3, 0.0f64..500.0), 1..60), turn in 0usize..3) {
        let map = sites(&[("dock_1", "dock"), ("dock_2", "dock"), ("dock_3", "dock")]);
        let mut secs = 0.0;
        let mut of = |turn: usize| -> Vec<Event> {
            secs = 0.0;
            let event = |&(kind, zone, gap): &(usize, usize, f64)| {
                secs += gap;
                event(["A", "B", "C"][kind], ["dock_1", "dock_2", "dock_3"][(zone + turn) % 3], secs)
            };
            events.iter().map(event).collect()
        };
        let (own, turned) = (table(&of(0)), table(&of(turn)));
        let memory = fitted(&MemoryOptions::default(), &map, &own);
        for (own, turned) in rows(&memory, &own).iter().zip(rows(&memory, &turned)) {
            prop_assert!(own.iter().zip(turned).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }
}

/// Two docks, one of which has been silent: the least of the last times says so, at docks of any name.
#[test]
fn the_map_tells_a_silent_zone() {
    let train: Vec<Event> =
        (0..40).map(|at| event("Arrived", ["dock_1", "dock_2"][at % 2], at as f64 * 60.0)).collect();
    let known = sites(&[("dock_1", "dock"), ("dock_2", "dock"), ("ramp_7", "dock"), ("ramp_8", "dock")]);
    let memory = fitted(&MemoryOptions::default(), &known, &table(&train));
    let busy: Vec<Event> = (0..40).map(|at| event("Arrived", ["ramp_7", "ramp_8"][at % 2], at as f64 * 60.0)).collect();
    let silent: Vec<Event> = (0..40u32).map(|at| event("Arrived", "ramp_7", f64::from(at) * 60.0)).collect();
    let last = |events: &[Event]| rows(&memory, &table(events)).pop().unwrap();
    let n_zone = memory.n_zone_features();
    let n_site = memory.n_features() - n_zone;
    let (busy, silent) = (last(&busy), last(&silent));
    assert_eq!(busy[..n_site], silent[..n_site], "what the whole site says is the same");
    assert_ne!(busy[n_site..], silent[n_site..]);
}

#[test]
fn a_memory_does_not_grow_with_events() {
    let train = table(&[event("A", "hall", 0.0), event("A", "bed", 1.0)]);
    let memory = fitted(&MemoryOptions { max_zones: 5, ..MemoryOptions::default() }, &Sites::default(), &train);
    let mut stream = memory.stream(&"s0".into());
    let mut size = |events: std::ops::Range<u32>| {
        events.for_each(|at| drop(stream.push(&event(&format!("type {at}"), &format!("zone {at}"), f64::from(at)))));
        serde_json::to_string(stream.state()).unwrap().len()
    };
    let few = size(0..50);
    let many = size(50..2_000);
    assert!(many < few * 2, "{few} bytes, later {many}");
}

#[test]
fn a_state_of_another_memory_is_refused() {
    let (one, other) = (table(&[event("A", "hall", 0.0)]), table(&[event("B", "hall", 0.0)]));
    let [one, other] = [one, other].map(|train| fitted(&MemoryOptions::default(), &Sites::default(), &train));
    let state = one.stream(&"s0".into()).state().clone();
    assert!(one.resumed(&"s0".into(), state.clone()).is_ok());
    assert!(matches!(other.resumed(&"s0".into(), state), Err(TokenError::MemoryState)));
}

/// Half-lives, scales and pairs can be left out one by one.
#[test]
fn a_memory_of_times_alone_has_numbers_too() {
    let options = MemoryOptions {
        half_lives_secs: vec![60.0],
        zone_half_lives_secs: Vec::new(),
        decays_per_event: Vec::new(),
        elapsed_secs: Vec::new(),
        repeats_secs: Vec::new(),
        max_pairs: 0,
        max_measures: 0,
        max_groups: 0,
        ..MemoryOptions::default()
    };
    let events = [event("A", "hall", 0.0), event("B", "bed", 60.0)];
    let memory = fitted(&options, &Sites::default(), &table(&events));
    let found = rows(&memory, &table(&events));
    assert_eq!(memory.n_zone_features(), 0);
    // The first token half a count ago, the second now.
    assert!((found[1][0] - 0.5f32.ln_1p()).abs() < 1e-6 && (found[1][1] - 1f32.ln_1p()).abs() < 1e-6);
}

/// An event that comes late does not turn the clocks back.
#[test]
fn late_events_count_as_now() {
    let events = [event("A", "hall", 100.0), event("A", "hall", 40.0), event("A", "hall", 100.0)];
    let memory = fitted(&MemoryOptions::default(), &Sites::default(), &table(&events[..1]));
    let mut stream = memory.stream(&"s0".into());
    let last = events.iter().map(|event| stream.push(event)).last().unwrap();
    assert!((last[0] - 3f32.ln_1p()).abs() < 1e-6, "three events at one moment, {}", last[0]);
}

#[test]
fn settings_out_of_range_are_named() {
    let train = table(&[event("A", "hall", 0.0)]);
    let check = |options: MemoryOptions, name: &str| {
        let error = ClockedMemory::fit(&options, &TokenizerFit::default(), &train).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    };
    let default = MemoryOptions::default;
    check(MemoryOptions { half_lives_secs: vec![60.0, 10.0], ..default() }, "half-lives-secs");
    check(MemoryOptions { decays_per_event: vec![1.0], ..default() }, "decays-per-event");
    check(MemoryOptions { max_tokens: 0, ..default() }, "max-tokens");
    check(MemoryOptions { n_hashed: 0, ..default() }, "n-hashed");
    check(MemoryOptions { n_bins: 1, ..default() }, "n-bins");
}
