//! Tests of `spaxiom-sim` through its border.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod benchmark;
mod evidence;
mod hospital;
mod noise;
mod queue;
mod retail;
mod small_world;
mod warehouse;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use spaxiom_event::{Event, LabelIndex};
use spaxiom_sim::{Day, SimulatedSite, SmallWorld, SmallWorldOptions, Truth};

/// A Monday.
fn start() -> DateTime<Utc> {
    "2025-01-06T00:00:00Z".parse().unwrap()
}

/// Some days as one.
fn lived(mut site: impl SimulatedSite, n_days: u32) -> Day {
    let mut all = Day::default();
    for _ in 0..n_days {
        let Day { events, truth } = site.next_day();
        all.events.extend(events);
        all.truth.spans.extend(truth.spans);
        all.truth.decisions.extend(truth.decisions);
        all.truth.entities.extend(truth.entities);
        all.truth.relevance.extend(truth.relevance);
    }
    all.truth.entities.extend(site.finish());
    all
}

/// What one event says alone: its type and zone, and for each attribute the tenth of its values that it is in.
fn said(events: &[Event]) -> Vec<Vec<String>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let name = |event: &Event, name: &str| format!("{}.{name}", event.kind);
    for event in events {
        for (attribute, _) in event.attrs.iter() {
            values.entry(name(event, attribute)).or_default().extend(event.attrs.number(attribute));
        }
    }
    for values in values.values_mut() {
        values.sort_by(f64::total_cmp);
    }
    let tenth = |event: &Event, attribute: &str| {
        let all = &values[&name(event, attribute)];
        let below = all.partition_point(|value| *value < event.attrs.number(attribute).unwrap());
        format!("{} {}", name(event, attribute), below * 10 / all.len())
    };
    events
        .iter()
        .map(|event| {
            let zone = event.zone.as_ref().unwrap();
            let mut said = vec![event.kind.to_string(), format!("{} {zone}", event.kind)];
            said.extend(event.attrs.names().map(|attribute| tenth(event, attribute)));
            said
        })
        .collect()
}

/// The greatest share that one cause has among the events that say one thing, and that thing.
fn greatest_giveaway(days: &[Day]) -> (f64, String) {
    let mut counts: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for day in days {
        let labels = LabelIndex::new(day.truth.spans.clone());
        for (event, said) in day.events.iter().zip(said(&day.events)) {
            let Some(known) = labels.of(event) else { continue };
            for what in said {
                *counts.entry(what).or_default().entry(known.label.to_owned()).or_default() += 1;
            }
        }
    }
    let shares = counts.into_iter().filter_map(|(what, causes)| {
        let n: usize = causes.values().sum();
        let (cause, most) = causes.iter().max_by_key(|(_, n)| **n).unwrap();
        (n >= 50).then(|| (*most as f64 / n as f64, format!("{what} in {cause}")))
    });
    shares.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

/// SHA-256, its first eight bytes, of three days of the first site of seed 1 with their truth, and of the constants.
const FROZEN: [&str; 13] = [
    "780675536d42768e hospital",
    "4d54a585732a3caa warehouse",
    "43882d7289e436a7 retail",
    "69697174b99e24c5 count-only",
    "029e7671eabfc871 order-only",
    "e26bbd7b5221bc26 gap-only",
    "d6e9eb5fe7eca300 path-only",
    "ddb93a3c23443da8 harsh noise",
    "f2703ee0528af4fa constants",
    "470d656d0e5c6c2f constants",
    "b0e12c83bb25a0f3 constants",
    "355f90dede899c0c constants of the small worlds",
    "c8ea583698c875f1 constants of the noise",
];

/// The same bytes on every machine, and until a change of benchmark: the changelog names it when one of these changes.
#[test]
fn the_benchmarks_are_those_that_were_frozen() {
    use sha2::{Digest, Sha256};
    use spaxiom_sim::{Difficulty, Hospital, Noise, NoiseLevel, NoiseOptions, Retail, ScenarioName, Warehouse};
    let digest = |bytes: &[u8]| -> String {
        Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let of = |events: &[Event], truth: &Truth| {
        let Truth { spans, decisions, entities, relevance } = truth;
        let mut bytes = serde_json::to_vec(events).unwrap();
        bytes.extend(serde_json::to_vec(&(spans, decisions, entities, relevance)).unwrap());
        digest(&bytes)
    };
    let lived = |day: Day| of(&day.events, &day.truth);
    let medium = Difficulty::Medium;
    let hospital = Hospital::new(Default::default(), medium).unwrap();
    let mut found = vec![
        ("hospital", lived(self::lived(hospital.site(1, 0, start()), 3))),
        ("warehouse", lived(self::lived(Warehouse::new(Default::default(), medium).unwrap().site(1, 0, start()), 3))),
        ("retail", lived(self::lived(Retail::new(Default::default(), medium).unwrap().site(1, 0, start()), 3))),
    ];
    for world in SmallWorld::ALL {
        let site = SmallWorldOptions::default().site(world, 1, 0, start());
        found.push((world.name(), lived(self::lived(site, 3))));
    }
    let mut noise = Noise::new(NoiseOptions::of(NoiseLevel::Harsh), 1, 0, start()).unwrap();
    let noisy = noise.apply(self::lived(hospital.site(1, 0, start()), 3));
    let delivered: Vec<Event> = noisy.deliveries.into_iter().map(|delivery| delivery.event).collect();
    found.push(("harsh noise", of(&delivered, &noisy.truth)));
    for name in [ScenarioName::Hospital, ScenarioName::Warehouse, ScenarioName::Retail] {
        found.push(("constants", digest(name.built_in_constants().as_bytes())));
    }
    found.push(("constants of the small worlds", digest(SmallWorldOptions::built_in_text().as_bytes())));
    found.push(("constants of the noise", digest(NoiseOptions::built_in_text().as_bytes())));
    let found: Vec<String> = found.into_iter().map(|(name, digest)| format!("{digest} {name}")).collect();
    assert_eq!(found, FROZEN);
}
