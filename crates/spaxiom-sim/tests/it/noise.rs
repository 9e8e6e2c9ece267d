//! Noise: what it does to events, and what remains true.

use std::collections::{BTreeMap, BTreeSet};

use spaxiom_event::EventId;
use spaxiom_sim::{
    Day, Delivery, Difficulty, Hospital, HospitalOptions, Noise, NoiseLevel, NoiseOptions, NoisyDay, SimulatedSite,
};

use crate::start;

const N_DAYS: u32 = 28;

fn noisy(level: NoiseLevel, seed: u64) -> (Vec<Day>, Vec<NoisyDay>, Vec<Delivery>) {
    let mut site = Hospital::new(HospitalOptions::default(), Difficulty::Medium).unwrap().site(seed, 0, start());
    let mut noise = Noise::new(NoiseOptions::of(level), seed, 0, start()).unwrap();
    let days: Vec<Day> = (0..N_DAYS).map(|_| site.next_day()).collect();
    let noisy = days.iter().cloned().map(|day| noise.apply(day)).collect();
    (days, noisy, noise.finish())
}

#[test]
fn clean_changes_nothing() {
    let (days, noisy, last) = noisy(NoiseLevel::Clean, 1);
    assert!(last.is_empty());
    for (day, noisy) in days.iter().zip(&noisy) {
        assert!(day.events.iter().eq(noisy.deliveries.iter().map(|delivery| &delivery.event)));
        assert!(noisy.deliveries.iter().all(|d| d.arrival == d.event.time && d.broken_at.is_none()));
        assert_eq!(day.truth, noisy.truth);
    }
}

#[test]
fn every_kind_of_noise_comes_as_often_as_its_constant_says() {
    for level in [NoiseLevel::Real, NoiseLevel::Harsh] {
        let options = NoiseOptions::of(level).unwrap();
        let (days, noisy, last) = noisy(level, 2);
        let sent: BTreeSet<&EventId> = days.iter().flat_map(|day| &day.events).map(|event| &event.id).collect();
        let mut came: BTreeMap<&EventId, usize> = BTreeMap::new();
        let deliveries: Vec<&Delivery> = noisy.iter().flat_map(|day| &day.deliveries).chain(&last).collect();
        for delivery in &deliveries {
            *came.entry(&delivery.event.id).or_default() += 1;
        }
        let n_sent = sent.len() as f64;
        let share = |n: usize| n as f64 / n_sent;
        let check = |name: &str, got: f64, want: f64| {
            assert!((want * 0.6..want * 1.5).contains(&got), "{} {name}: {got:.5}, wanted about {want}", level.name());
        };
        check("duplicates", share(came.values().filter(|n| **n == 2).count()), options.duplicates);
        check("malformed", share(deliveries.iter().filter(|d| d.broken_at.is_some()).count()), options.malformed);
        check("late", share(deliveries.iter().filter(|d| d.arrival > d.event.time).count()), options.late);
        let n_lost = sent.iter().filter(|id| !came.contains_key(**id)).count();
        assert!(share(n_lost) > options.lost && share(n_lost) < options.lost + 0.2, "{}", share(n_lost));
        let n_copies = came.keys().filter(|id| !sent.contains(**id)).count();
        assert!(n_copies > 0 && share(n_copies) < 0.2, "{}", share(n_copies));
        assert!(deliveries.is_sorted_by_key(|delivery| delivery.arrival));
        assert!(!deliveries.is_sorted_by_key(|delivery| delivery.event.time));
    }
}

#[test]
fn what_never_came_is_neither_decided_nor_searched_for() {
    let (_, noisy, last) = noisy(NoiseLevel::Harsh, 3);
    let whole = noisy.iter().flat_map(|day| &day.deliveries).chain(&last).filter(|d| d.broken_at.is_none());
    let came: BTreeSet<&EventId> = whole.map(|delivery| &delivery.event.id).collect();
    let truths = || noisy.iter().map(|day| &day.truth);
    assert!(truths().flat_map(|truth| &truth.decisions).all(|decision| came.contains(&decision.event_id)));
    assert!(truths().flat_map(|truth| &truth.relevance).all(|record| came.contains(&record.event_id)));
}

#[test]
fn a_seed_gives_the_same_noise() {
    assert_eq!(noisy(NoiseLevel::Harsh, 4).1, noisy(NoiseLevel::Harsh, 4).1);
    assert_ne!(noisy(NoiseLevel::Harsh, 4).1, noisy(NoiseLevel::Real, 4).1);
}
