//! The shop: determinism, order, and causes that stay hidden.

use std::collections::BTreeSet;

use chrono::Timelike;
use spaxiom_sim::{Day, Difficulty, Retail, RetailOptions, SimError, SimulatedSite};

use crate::{greatest_giveaway, lived, start};

const CAUSES: [&str; 5] = ["alarm_drill", "door_fault", "normal", "promotion", "understaffing"];

fn simulated(seed: u64, site_idx: u32, n_days: u32) -> Day {
    lived(Retail::new(RetailOptions::default(), Difficulty::Medium).unwrap().site(seed, site_idx, start()), n_days)
}

#[test]
fn a_seed_gives_the_same_shop_and_another_seed_another() {
    assert_eq!(simulated(1, 0, 2), simulated(1, 0, 2));
    assert_ne!(simulated(1, 0, 2).events, simulated(2, 0, 2).events);
    assert_ne!(simulated(1, 0, 2).events, simulated(1, 1, 2).events);
}

#[test]
fn events_are_in_order_in_zones_of_the_shop_and_of_every_type() {
    let site = Retail::new(RetailOptions::default(), Difficulty::Medium).unwrap().site(3, 0, start());
    let zones: BTreeSet<String> = site.zones().into_iter().map(|(name, _)| name).collect();
    let events = lived(site, 28).events;
    assert!(events.is_sorted_by_key(|event| event.time));
    assert!(events.iter().all(|event| zones.contains(event.zone.as_ref().unwrap().as_str())));
    let kinds: BTreeSet<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    let want = ["CrowdingDetected", "DoorOpened", "OccupancyChanged", "QueueCleared", "QueueFormed", "QueueOverflow"];
    assert_eq!(kinds, BTreeSet::from(want));
    // The last customers may still be at the tills.
    assert!(events.iter().all(|event| (8..22).contains(&event.time.hour())));
}

#[test]
fn more_customers_come_on_saturday_than_on_sunday() {
    let mut per_day = [0; 7];
    let mut site = Retail::new(RetailOptions::default(), Difficulty::Medium).unwrap().site(3, 0, start());
    for day in 0..56 {
        per_day[day % 7] += site.next_day().events.iter().filter(|event| event.kind.as_str() == "DoorOpened").count();
    }
    assert!(per_day[5] * 2 > per_day[6] * 3, "{per_day:?}");
}

#[test]
fn causes_are_in_the_labels_and_never_in_the_events() {
    let Day { events, truth } = simulated(4, 0, 28);
    let found: BTreeSet<&str> = truth.spans.iter().map(|span| span.label.as_str()).collect();
    assert_eq!(found, BTreeSet::from(CAUSES));
    let text = serde_json::to_string(&events).unwrap();
    for word in CAUSES.into_iter().chain(["cause", "episode", "label"]) {
        assert!(!text.contains(word), "the events name {word}");
    }
}

#[test]
fn no_single_event_gives_its_cause_away() {
    let days: Vec<Day> = (0..4).map(|site_idx| simulated(7, site_idx, 28)).collect();
    let (share, what) = greatest_giveaway(&days);
    // 0.49 was the greatest share when this was written; `normal` has 0.4 of all episodes.
    assert!(share <= 0.5, "{what}: {share:.2}");
}

#[test]
fn everybody_who_came_has_gone_in_the_evening() {
    let events = simulated(6, 1, 14).events;
    let last_of = |zone: &str| {
        events.iter().rfind(|event| {
            event.zone.as_ref().is_some_and(|z| z.as_str() == zone) && event.attrs.number("percent").is_some()
        })
    };
    let last = last_of("aisle_1").unwrap();
    assert_eq!(last.attrs.number("percent"), Some(0.0));
}

#[test]
fn a_constant_out_of_range_is_named() {
    let check = |from: &str, to: &str, want: &str| {
        let text = RetailOptions::built_in_text();
        assert!(text.contains(from));
        let options = RetailOptions::from_toml(&text.replace(from, to)).unwrap();
        let error = Retail::new(options, Difficulty::Medium).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    check("served-per-till-hour = 24.0", "served-per-till-hour = 12.0", "`served-per-till-hour`");
    check("hours = 4", "hours = 5", "`episodes.hours` has to be a part of the opening hours");
    check("aisles-visited = [1, 3]", "aisles-visited = [1, 5]", "`aisles-visited`");
    let misspelled = RetailOptions::built_in_text().replace("tailgating", "tailgate");
    assert!(matches!(RetailOptions::from_toml(&misspelled), Err(SimError::Toml(_))));
}
