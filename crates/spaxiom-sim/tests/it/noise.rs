//! Noise: what it does to events, and what remains true.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use spaxiom_event::{AttrValue, Event, EventId, SiteId};
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

/// Thirty days of one measurement every ten minutes, each by another of 200 sensors, and what arrives of it.
fn measured(options: &NoiseOptions, site_idx: u32) -> (usize, Vec<Event>) {
    let n_events = 30 * 144;
    let mut noise = Noise::new(Some(options.clone()), 9, site_idx, start()).unwrap();
    let mut day = Day::default();
    for at in 0..n_events {
        let time = start() + TimeDelta::minutes(10) * at;
        let mut event = Event::new("DoorClosed", SiteId::from(format!("site-{site_idx}")), time);
        event.zone = Some(format!("door-{}", at % 200).into());
        event.attrs = [("duration_s", AttrValue::Number(1000.0))].into_iter().collect();
        day.events.push(event.with_derived_id());
    }
    let came = noise.apply(day).deliveries.into_iter().chain(noise.finish()).map(|delivery| delivery.event).collect();
    (usize::try_from(n_events).unwrap(), came)
}

#[test]
fn drift_silences_and_chatter_are_as_large_as_their_constants_say() {
    let quiet = NoiseOptions {
        lost: 0.0,
        malformed: 0.0,
        duplicates: 0.0,
        late: 0.0,
        ..NoiseOptions::of(NoiseLevel::Harsh).unwrap()
    };
    let (mut drifts, mut n_sent, mut n_silent, mut n_copies) = (Vec::new(), 0, 0, 0);
    for site_idx in 0..60 {
        let (n_events, came) = measured(&quiet, site_idx);
        let ids: BTreeSet<&EventId> = came.iter().map(|event| &event.id).collect();
        assert_eq!(ids.len(), came.len());
        let first = |event: &&Event| (event.time - start()).num_milliseconds() % 600_000 == 0;
        let n_came = came.iter().filter(first).count();
        n_sent += n_events;
        n_silent += n_events - n_came;
        n_copies += came.len() - n_came;
        let last = came.iter().rfind(first).unwrap();
        drifts.push((last.attrs.number("duration_s").unwrap() / 1000.0).ln());
        assert_eq!(came[0].attrs.number("duration_s"), Some(1000.0), "the error grows from nothing");
    }
    let check = |name: &str, got: f64, want: f64, tolerance: f64| {
        assert!((got / want - 1.0).abs() < tolerance, "{name}: {got:.5}, wanted about {want:.5}");
    };
    // Three standard errors of 60 drifts, of 240 silences, and of 720 sensors that chatter.
    let sd = (drifts.iter().map(|drift| drift * drift).sum::<f64>() / drifts.len() as f64).sqrt();
    check("drift", sd, quiet.drift_per_month, 0.28);
    let mins = quiet.outages_per_month * f64::midpoint(quiet.outage_mins[0], quiet.outage_mins[1]);
    check("silences", n_silent as f64 / n_sent as f64, mins / (30.0 * 1440.0), 0.25);
    let repeats = f64::midpoint(1.0, quiet.chatter_repeats as f64);
    let copies = quiet.chattering_sensors * quiet.chatter * repeats;
    check("chatter", n_copies as f64 / (n_sent - n_silent) as f64, copies, 0.15);
}

#[test]
fn a_seed_gives_the_same_noise() {
    assert_eq!(noisy(NoiseLevel::Harsh, 4).1, noisy(NoiseLevel::Harsh, 4).1);
    assert_ne!(noisy(NoiseLevel::Harsh, 4).1, noisy(NoiseLevel::Real, 4).1);
}
