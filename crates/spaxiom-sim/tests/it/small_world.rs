//! The small worlds: one thing tells the label almost surely, and nothing else tells anything.

use std::collections::BTreeMap;

use spaxiom_event::{Event, LabelIndex};
use spaxiom_sim::{SimError, SmallWorld, SmallWorldOptions};

use crate::{lived, start};

/// What there is to be seen of an episode, by name.
fn seen(events: &[&Event]) -> [(&'static str, f64); 5] {
    let is_door = |event: &Event| event.kind.as_str() == "DoorOpened";
    let n_doors = events.iter().filter(|event| is_door(event)).count();
    let changes = events.windows(2).filter(|two| is_door(two[0]) != is_door(two[1])).count();
    let gaps: Vec<f64> = events.windows(2).map(|two| (two[1].time - two[0].time).as_seconds_f64()).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let spread = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>();
    // The sign of the cross product says which way round a step goes.
    let turn = |two: &[&Event]| {
        let (a, b) = (two[0].position.unwrap(), two[1].position.unwrap());
        (a.x * b.y - a.y * b.x).signum()
    };
    [
        ("count-only", n_doors as f64),
        ("order-only", changes as f64),
        ("gap-only", spread),
        ("path-only", events.windows(2).map(turn).sum()),
        ("duration", gaps.iter().sum()),
    ]
}

/// The chance that one of the second label has the greater value, ties counting half (AUROC).
fn auroc(values: &[(f64, bool)]) -> f64 {
    let (ones, zeros): (Vec<_>, Vec<_>) = values.iter().partition(|(_, label)| *label);
    let wins = ones.iter().flat_map(|(one, _)| zeros.iter().map(move |(zero, _)| (one, zero)));
    let sum: f64 = wins.map(|(one, zero)| if one > zero { 1.0 } else { f64::from(u8::from(one == zero)) / 2.0 }).sum();
    sum / (ones.len() * zeros.len()) as f64
}

#[test]
fn one_thing_tells_the_label_and_nothing_else_does() {
    for world in SmallWorld::ALL {
        let mut values: BTreeMap<&str, Vec<(f64, bool)>> = BTreeMap::new();
        for site_idx in 0..4 {
            let simulation = lived(SmallWorldOptions::default().site(world, 1, site_idx, start()), 28);
            assert!(simulation.events.is_sorted_by_key(|event| event.time));
            let labels = LabelIndex::new(simulation.truth.spans);
            let mut episodes: BTreeMap<usize, (bool, Vec<&Event>)> = BTreeMap::new();
            for event in &simulation.events {
                let known = labels.of(event).unwrap();
                let is_second = known.label == world.labels()[1];
                episodes.entry(known.episode).or_insert((is_second, Vec::new())).1.push(event);
            }
            assert_eq!(episodes.len(), 28 * 24);
            for (is_second, events) in episodes.values() {
                for (name, value) in seen(events) {
                    values.entry(name).or_default().push((value, *is_second));
                }
            }
        }
        for (name, values) in values {
            let share = values.iter().filter(|(_, label)| *label).count() as f64 / values.len() as f64;
            // Three standard errors of 2,688 episodes.
            assert!((share - 0.5).abs() < 0.03, "{}: {share}", world.name());
            let auroc = auroc(&values);
            if name == world.name() {
                assert!((auroc - 0.5).abs() > 0.48, "{}: {name} tells only {auroc:.3}", world.name());
            } else {
                assert!((auroc - 0.5).abs() < 0.04, "{}: {name} tells {auroc:.3}", world.name());
            }
        }
    }
}

/// Episodes of a world: their events, and the number of their label.
fn episodes(world: SmallWorld) -> Vec<(Vec<Event>, usize)> {
    let simulation = lived(SmallWorldOptions::default().site(world, 3, 0, start()), 14);
    let labels = LabelIndex::new(simulation.truth.spans);
    let mut episodes: BTreeMap<usize, (Vec<Event>, usize)> = BTreeMap::new();
    for event in simulation.events {
        let known = labels.of(&event).unwrap();
        let label = usize::from(known.label == world.labels()[1]);
        episodes.entry(known.episode).or_insert((Vec::new(), label)).0.push(event);
    }
    episodes.into_values().collect()
}

#[test]
fn the_oracle_tells_the_label_of_its_own_world_and_of_no_other() {
    let options = SmallWorldOptions::default();
    for world in SmallWorld::ALL {
        let episodes = episodes(world);
        for oracle in SmallWorld::ALL {
            let right = episodes.iter().filter(|(events, label)| options.likelier_label(oracle, events) == *label);
            let share = right.count() as f64 / episodes.len() as f64;
            if oracle == world {
                assert!(share > 0.97, "{}: {share}", world.name());
            } else {
                // Three standard errors of 336 episodes.
                assert!((share - 0.5).abs() < 0.09, "{} by {}: {share}", world.name(), oracle.name());
            }
        }
    }
}

#[test]
fn the_oracle_survives_a_missing_event() {
    let options = SmallWorldOptions::default();
    for world in SmallWorld::ALL {
        let right = |(mut events, label): (Vec<Event>, usize)| {
            events.remove(11);
            options.likelier_label(world, &events) == label
        };
        let episodes = episodes(world);
        let (n, n_right) =
            (episodes.len(), episodes.into_iter().filter_map(|episode| right(episode).then_some(())).count());
        assert!(n_right as f64 > 0.96 * n as f64, "{}: {n_right} of {n}", world.name());
    }
}

#[test]
fn seeds_and_sites_are_independent_and_repeatable() {
    let simulated =
        |seed, site_idx| lived(SmallWorldOptions::default().site(SmallWorld::PathOnly, seed, site_idx, start()), 1);
    assert_eq!(simulated(1, 0), simulated(1, 0));
    assert_ne!(simulated(1, 0).events, simulated(2, 0).events);
    assert_ne!(simulated(1, 0).events, simulated(1, 1).events);
    let text = serde_json::to_string(&simulated(1, 0).events).unwrap();
    assert!(!text.contains("clockwise"));
}

#[test]
fn an_impossible_constant_is_named() {
    let text = include_str!("../../scenarios/small-worlds.toml");
    let wrong = text.replace("period-mins = 60", "period-mins = 20");
    let error = SmallWorldOptions::from_toml(&wrong).unwrap_err();
    assert!(matches!(error, SimError::Setting { name: "period-mins", want: "longer than an episode can last" }));
    let wrong = text.replace("n-events = 25", "n-events = 8");
    assert!(SmallWorldOptions::from_toml(&wrong).unwrap_err().to_string().contains("`n-events` has to be odd"));
}
