//! Order, duplicates and sequences: the streaming version against the plain one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use spaxiom_event::{Deduplicator, Event, EventSequence, Reorder, SequenceKey, Sequencer, SequencerOptions};

#[expect(clippy::cast_possible_truncation, reason = "small")]
fn event(site: &str, secs: f64, number: usize) -> Event {
    let mut event = Event::new("T", site, DateTime::from_timestamp_millis((secs * 1e3).round() as i64).unwrap());
    event.id = format!("{number}").into();
    event
}

fn times(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.time.timestamp_millis()).collect()
}

#[test]
fn an_event_older_than_the_watermark_is_late() {
    let mut order = Reorder::new(TimeDelta::seconds(10));
    let mut ready = Vec::new();
    for (i, secs) in [100.0, 95.0, 103.0, 93.0].into_iter().enumerate() {
        order.push(event("a", secs, i), &mut ready).unwrap();
    }
    let late = order.push(event("a", 92.0, 9), &mut ready).unwrap_err();
    assert_eq!((late.event.id.as_str(), late.by.num_seconds()), ("9", 1));
    order.push(event("b", 1.0, 5), &mut ready).expect("another site has its own watermark");
    assert_eq!(order.n_late(), 1);
    ready.extend(order.finish());
    assert_eq!(times(&ready), [93_000, 95_000, 100_000, 103_000, 1_000]);
}

#[test]
fn memory_is_bounded_by_the_lateness() {
    let mut order = Reorder::new(TimeDelta::seconds(5));
    let mut ready = Vec::new();
    for i in 0..10_000 {
        order.push(event("a", i as f64, i), &mut ready).unwrap();
        assert!(order.n_waiting() <= 7, "{}", order.n_waiting());
    }
}

#[test]
fn a_duplicate_is_told_by_site_and_id() {
    let mut ids = Deduplicator::new(100);
    assert!(!ids.is_duplicate(&event("a", 1.0, 1)));
    assert!(!ids.is_duplicate(&event("b", 1.0, 1)));
    assert!(ids.is_duplicate(&event("a", 2.0, 1)));
    for i in 2..102 {
        assert!(!ids.is_duplicate(&event("a", 1.0, i)));
    }
    assert!(ids.is_duplicate(&event("a", 1.0, 2)), "at least the last 100 are remembered");
    assert_eq!(ids.n_duplicates(), 2);
}

prop_compose! {
    fn any_stream()(
        gaps in proptest::collection::vec((0.0f64..20.0, 0usize..3, 0usize..3), 0..120),
    ) -> Vec<Event> {
        let mut time = 0.0;
        gaps.iter().enumerate().map(|(i, (gap, site, entity))| {
            time += gap;
            let mut event = event(["a", "b", "c"][*site], time, i);
            event.entity_id = (*entity > 0).then(|| format!("e{entity}").into());
            event.zone = (*entity < 2).then(|| format!("z{site}").into());
            event
        }).collect()
    }
}

/// Groups, cuts at pauses, and takes windows: what the sequencer has to give, written down plainly.
fn oracle(events: &[Event], options: &SequencerOptions) -> Vec<Vec<Event>> {
    let mut groups: BTreeMap<(String, String), Vec<Event>> = BTreeMap::new();
    for event in events {
        let part = match options.key {
            SequenceKey::Site => Some(String::new()),
            SequenceKey::Zone => event.zone.as_ref().map(ToString::to_string),
            SequenceKey::Entity => event.entity_id.as_ref().map(ToString::to_string),
        };
        if let Some(part) = part {
            groups.entry((event.site_id.to_string(), part)).or_default().push(event.clone());
        }
    }
    let stride = options.stride.unwrap_or(options.max_len);
    let mut sequences = Vec::new();
    for events in groups.into_values() {
        let is_one_run =
            |a: &Event, b: &Event| options.max_gap_secs.is_none_or(|gap| (b.time - a.time).as_seconds_f64() <= gap);
        for run in events.chunk_by(is_one_run) {
            let mut start = 0;
            loop {
                let end = (start + options.max_len).min(run.len());
                sequences.push(run[start..end].to_vec());
                if end == run.len() {
                    break;
                }
                start += stride;
            }
        }
    }
    sequences
}

fn sorted(sequences: &[EventSequence]) -> Vec<Vec<String>> {
    ids(&sequences.iter().map(|sequence| sequence.events().to_vec()).collect::<Vec<_>>())
}

fn ids(sequences: &[Vec<Event>]) -> Vec<Vec<String>> {
    let mut ids: Vec<Vec<String>> =
        sequences.iter().map(|events| events.iter().map(|event| event.id.to_string()).collect()).collect();
    ids.sort();
    ids
}

proptest! {
    #[test]
    fn sequences_of_a_stream_are_those_of_the_whole(
        events in any_stream(),
        key in prop_oneof![Just(SequenceKey::Site), Just(SequenceKey::Zone), Just(SequenceKey::Entity)],
        (max_len, stride) in (1usize..9).prop_flat_map(|len| (Just(len), proptest::option::of(1..=len))),
        max_gap_secs in proptest::option::of(1.0f64..20.0),
    ) {
        let options = SequencerOptions { key, max_len, max_gap_secs, stride };
        let mut sequencer = Sequencer::new(&options).unwrap();
        let mut streamed: Vec<EventSequence> = events.iter().flat_map(|event| sequencer.push(event.clone())).collect();
        streamed.extend(sequencer.finish());
        prop_assert_eq!(sorted(&streamed), ids(&oracle(&events, &options)));
    }

    #[test]
    fn a_disordered_stream_comes_out_sorted_with_nothing_lost(
        events in any_stream(),
        delays in proptest::collection::vec(0.0f64..30.0, 120),
        lateness in 0i64..30_000,
    ) {
        let mut arrivals: Vec<(f64, Event)> =
            events.iter().zip(&delays).map(|(event, delay)| (event.time.timestamp_millis() as f64 / 1e3 + delay, event.clone())).collect();
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut order = Reorder::new(TimeDelta::milliseconds(lateness));
        let (mut given, mut n_late) = (Vec::new(), 0);
        for (_, event) in arrivals {
            n_late += usize::from(order.push(event, &mut given).is_err());
        }
        given.extend(order.finish());
        prop_assert_eq!(given.len() + n_late, events.len());
        for site in ["a", "b", "c"] {
            let of_site: Vec<Event> = given.iter().filter(|event| event.site_id.as_str() == site).cloned().collect();
            prop_assert!(times(&of_site).is_sorted());
        }
        if lateness >= 30_000 {
            prop_assert_eq!(n_late, 0);
        }
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let wrong = |options: SequencerOptions| Sequencer::new(&options).unwrap_err().to_string();
    let default = SequencerOptions::default;
    assert!(wrong(SequencerOptions { max_len: 0, ..default() }).contains("`max-len`: wanted 1 or more"));
    assert!(wrong(SequencerOptions { stride: Some(0), ..default() }).contains("`stride`: wanted 1 to `max-len`"));
    assert!(wrong(SequencerOptions { stride: Some(513), ..default() }).contains("got `513`"));
    assert!(wrong(SequencerOptions { max_gap_secs: Some(f64::NAN), ..default() }).contains("`max-gap-secs`"));
}
