//! Our tokens beside those of the Python peer, field by field, on 400 of the peer's own events.
//!
//! `peer-tokens-400.csv` is what the peer's plain implementation gives for `gen_events.py` with 400 events and seed 1,
//! sorted by entity and time. Where the two differ on purpose, the test says how.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

use spaxiom_embedding::{Event, EventReader, ReadOptions, Tokenizer, TokenizerOptions, group_by_site};
use spaxiom_sim::write_benchmark_events;
use spaxiom_token::{Clock, Pool, special};

const PEER: &str = include_str!("../fixtures/peer-tokens-400.csv");

/// Edges of the peer: every sixteenth of the sorted values, counted as `j * (n - 1) / 16`.
fn edges(events: &[Event], attribute: &str) -> Vec<f64> {
    let mut values: Vec<f64> = events.iter().filter_map(|event| event.attrs.number(attribute)).collect();
    values.sort_unstable_by(f64::total_cmp);
    (1..16).map(|j| values[j * (values.len() - 1) / 16]).collect()
}

#[test]
fn tokens_are_those_of_the_peer_field_by_field() {
    let mut lines = Vec::new();
    write_benchmark_events(&mut lines, 400, 1).unwrap();
    let reader = EventReader::from_stream(Box::new(Cursor::new(lines)), "peer", &ReadOptions::default()).unwrap();
    let events: Vec<Event> = reader.map(|record| record.unwrap().event).collect();
    let bins = ["length", "wait_time_s"].map(|name| (name.to_owned(), edges(&events, name)));
    let options = TokenizerOptions {
        bins: bins.into(),
        clock: Clock::HourOfWeek,
        cell_sites: Pool::Apart,
        // So large that no two of these cells meet.
        cell_buckets: 1 << 24,
        ..TokenizerOptions::default()
    };
    let tokenizer = Tokenizer::fit(&options, &group_by_site(events.clone())).unwrap();
    let by_id: HashMap<&str, &Event> = events.iter().map(|event| (event.id.as_str(), event)).collect();
    let place = |name: &str| tokenizer.fields().iter().position(|field| field.name == name).unwrap();
    let mut pairs: BTreeMap<&str, Vec<(u32, u32)>> = BTreeMap::new();
    let mut gaps = Vec::new();
    let mut previous: Option<&Event> = None;
    let names: Vec<&str> = PEER.lines().next().unwrap().split(',').skip(1).collect();
    for line in PEER.lines().skip(1) {
        let (id, tokens) = line.split_once(',').unwrap();
        let event = by_id[id];
        let before = previous.filter(|before| before.entity_id == event.entity_id);
        previous = Some(event);
        let row = tokenizer.encode(event, before.map(|before| before.time));
        let ours = names.iter().map(|name| {
            let name = match *name {
                "sh05" => "cell_0.5m",
                "sh1" => "cell_1m",
                "sh2" => "cell_2m",
                "sh4" => "cell_4m",
                "length_q" => "attr:length",
                "wait_q" => "attr:wait_time_s",
                "hour_of_week" => "hour",
                name => name,
            };
            // The peer counts from 1, and 0 is nothing.
            let id = row[place(name)];
            if id == special::NONE { 0 } else { id - special::FIRST + 1 }
        });
        for ((&name, peer), ours) in names.iter().zip(tokens.split(',')).zip(ours) {
            let peer = peer.parse().unwrap();
            pairs.entry(name).or_default().push((ours, peer));
            if name == "gap"
                && let Some(before) = before
            {
                gaps.push(((event.time - before.time).num_seconds(), ours, peer));
            }
        }
    }
    for name in ["type", "length_q", "wait_q", "hour_of_week"] {
        assert!(pairs[name].iter().all(|(ours, peer)| ours == peer), "{name}: {:?}", pairs[name]);
    }
    // Another hash, and 2^24 buckets instead of 4,096: each of our cells lies in one of the peer's buckets.
    for name in ["sh05", "sh1", "sh2", "sh4"] {
        assert!(is_function(pairs[name].iter().copied()), "{name}");
    }
    // A zone of one name at two sites is two to the peer and one to us, for what is learned at one site holds at another.
    assert!(is_function(pairs["zone"].iter().map(|&(ours, peer)| (peer, ours))));
    assert!(!is_function(pairs["zone"].iter().copied()));
    // Both bucket gaps by powers of two: the peer those of one second and whole seconds more, we those of the seconds.
    assert!(!gaps.is_empty());
    for (secs, ours, peer) in gaps {
        let log2 = |value: i64| u32::try_from(value).unwrap().checked_ilog2();
        assert_eq!(peer, 1 + log2(1 + secs).unwrap().min(20));
        // From half a second on, the first bucket of ours is the one below that.
        assert_eq!(ours, log2(secs).map_or(ours, |log2| (3 + log2).min(20)), "{secs} s");
        assert!(secs > 0 || ours <= 2);
    }
}

/// Whether each first belongs to one second.
fn is_function(pairs: impl Iterator<Item = (u32, u32)>) -> bool {
    let mut known = HashMap::new();
    pairs.into_iter().all(|(from, to)| *known.entry(from).or_insert(to) == to)
}
