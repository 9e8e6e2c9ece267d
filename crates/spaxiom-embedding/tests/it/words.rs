//! Questions in words, written by hand, with the filters that they mean.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use spaxiom_embedding::{Filter, Names, TextQuery};

/// A Monday.
const NOW: &str = "2025-02-03T10:00:00";

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn kinds(kinds: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
    kinds.iter().map(|(kind, zones)| ((*kind).to_owned(), zones.iter().map(ToString::to_string).collect())).collect()
}

fn warehouse() -> Names {
    Names {
        types: owned(&[
            "CrowdFormed",
            "DockBlocked",
            "DoorClosed",
            "DoorOpened",
            "ForkliftPassed",
            "OccupancyChanged",
            "QueueCleared",
            "QueueFormed",
            "QueueOverflow",
            "TruckArrived",
            "TruckDeparted",
        ]),
        zones: owned(&["aisle_1", "aisle_2", "break_room", "dock_1", "dock_2", "entrance", "loading_dock", "office"]),
        zone_kinds: kinds(&[
            ("aisle", &["aisle_1", "aisle_2"]),
            ("dock", &["dock_1", "dock_2"]),
            ("loading-area", &["loading_dock"]),
        ]),
        sites: owned(&["warehouse-00", "warehouse-03"]),
        attributes: owned(&["count", "length", "occupancy", "speed_mps", "wait_time_s"]),
    }
}

fn hospital() -> Names {
    Names {
        types: owned(&[
            "BedEntered",
            "BedExit",
            "CallLight",
            "DrawerOpened",
            "FallEvent",
            "GaitInstability",
            "SlowWalking",
            "SpillCleared",
            "SpillDetected",
            "StaffEntered",
            "StaffExited",
            "StandingStill",
        ]),
        zones: owned(&["ward_a-r01-bathroom", "ward_a-r01-bed", "ward_a-r02-bathroom", "ward_a-hall"]),
        zone_kinds: kinds(&[
            ("bathroom", &["ward_a-r01-bathroom", "ward_a-r02-bathroom"]),
            ("bed", &["ward_a-r01-bed"]),
            ("hall", &["ward_a-hall"]),
        ]),
        sites: owned(&["hospital-00"]),
        attributes: owned(&["duration_s", "speed_mps", "stability_score"]),
    }
}

fn read(names: &Names, text: &str) -> TextQuery {
    TextQuery::read(text, names, NOW.parse().unwrap())
}

const QUEUES: &str = "type in (QueueCleared, QueueFormed, QueueOverflow)";
const BATHS: &str = "zone in (ward_a-r01-bathroom, ward_a-r02-bathroom)";

/// Every question means its filter, word for word.
#[test]
fn questions_about_a_warehouse_mean_what_a_person_means() {
    let cases = [
        ("Find similar queue events in loading zones during peak hours", format!("{QUEUES} and zone = loading_dock")),
        ("queues", QUEUES.into()),
        ("doors opened at night", "hour in 22..6 and type = DoorOpened".into()),
        ("when did a door open in dock_2?", "type = DoorOpened and zone = dock_2".into()),
        ("doors that were closed at dock 1", "type = DoorClosed and zone = dock_1".into()),
        ("show me trucks that arrived before 7 am", "hour in 0..7 and type = TruckArrived".into()),
        ("trucks arriving after 5 pm on fridays", "hour in 17..24 and weekday in (fri) and type = TruckArrived".into()),
        ("trucks between 7 and 9 am", "hour in 7..9 and type in (TruckArrived, TruckDeparted)".into()),
        ("queue length over 5", format!("length > 5 and {QUEUES}")),
        ("queues longer than 8", format!("length > 8 and {QUEUES}")),
        ("queues with a length of at least 4", format!("length >= 4 and {QUEUES}")),
        ("trucks waiting more than 10 minutes", "wait_time_s > 600 and type in (TruckArrived, TruckDeparted)".into()),
        ("trucks that waited over 2 hours", "wait_time_s > 7200 and type in (TruckArrived, TruckDeparted)".into()),
        ("a crowd of more than 20 people", "count > 20 and type = CrowdFormed".into()),
        ("forklifts in the aisles", "type = ForkliftPassed and zone in (aisle_1, aisle_2)".into()),
        (
            "forklift in aisle_2 on weekends",
            "weekday in (sat, sun) and type = ForkliftPassed and zone = aisle_2".into(),
        ),
        ("blocked docks", "type = DockBlocked".into()),
        ("overflowing queues at warehouse-03", "type = QueueOverflow and site = warehouse-03".into()),
        ("anything in the break room on saturday", "weekday in (sat) and zone = break_room".into()),
        (
            "doors at the entrance from 22:00 to 6:00",
            "hour in 22..6 and type in (DoorClosed, DoorOpened) and zone = entrance".into(),
        ),
        (
            "queue formed on monday and tuesday morning",
            "hour in 6..12 and weekday in (mon, tue) and type = QueueFormed".into(),
        ),
        ("monday to friday in the office", "weekday in (mon, tue, wed, thu, fri) and zone = office".into()),
        ("trucks departed yesterday", "time in 2025-02-02..2025-02-03 and type = TruckDeparted".into()),
        ("queues last week", format!("time in 2025-01-27..2025-02-03 and {QUEUES}")),
        ("queues in january 2025", format!("time in 2025-01-01..2025-02-01 and {QUEUES}")),
        ("queues since january 20 2025", format!("time >= 2025-01-20 and {QUEUES}")),
        ("trucks on 2025-01-15", "time in 2025-01-15..2025-01-16 and type in (TruckArrived, TruckDeparted)".into()),
        ("queues before january 10, 2025", format!("time < 2025-01-10 and {QUEUES}")),
        ("occupancy above 80", "occupancy > 80".into()),
        ("forklifts faster than 3", "speed_mps > 3 and type = ForkliftPassed".into()),
        ("queues in the afternoon", format!("hour in 12..18 and {QUEUES}")),
        ("QueueFormed", "type = QueueFormed".into()),
        ("events at warehouse-03 since january 20 2025", "time >= 2025-01-20 and site = warehouse-03".into()),
        ("trucks after january 15 2025", "time >= 2025-01-16 and type in (TruckArrived, TruckDeparted)".into()),
    ];
    check(&warehouse(), &cases);
}

/// Written after the rules, and counted before anything was changed for them.
#[test]
fn more_questions_about_a_warehouse_mean_what_a_person_means() {
    let cases = [
        (
            "queues in loading zones longer than 5 between 7 and 9 am",
            format!("length > 5 and hour in 7..9 and {QUEUES} and zone = loading_dock"),
        ),
        ("doors not in dock_2", "not (zone = dock_2) and type in (DoorClosed, DoorOpened)".into()),
        ("doors not at night", "not (hour in 22..6) and type in (DoorClosed, DoorOpened)".into()),
        ("queues except on weekends", format!("not (weekday in (sat, sun)) and {QUEUES}")),
        (
            "everything except trucks at warehouse-00",
            "not (type in (TruckArrived, TruckDeparted)) and site = warehouse-00".into(),
        ),
        ("when was the queue longest on sundays", format!("weekday in (sun) and {QUEUES}")),
        ("truck arrivals between 6 and 8 in the morning", "hour in 6..8 and type = TruckArrived".into()),
        ("truck departures after noon", "hour in 12..24 and type = TruckDeparted".into()),
        ("doors closing between 17:30 and 18:15", "hour in 17:30..18:15 and type = DoorClosed".into()),
        (
            "overflow of the queue in the last 3 days",
            "time in 2025-01-31T10:00..2025-02-03T10:00 and type = QueueOverflow".into(),
        ),
        (
            "queue overflow in the past 2 weeks",
            "time in 2025-01-20T10:00..2025-02-03T10:00 and type = QueueOverflow".into(),
        ),
        ("any crowd near the entrance", "type = CrowdFormed and zone = entrance".into()),
        (
            "crowds of at least 15 people at the loading dock",
            "count >= 15 and type = CrowdFormed and zone = loading_dock".into(),
        ),
        ("dock 1 or dock 2 blocked", "type = DockBlocked and zone in (dock_1, dock_2)".into()),
        (
            "forklift traffic in aisle 1 this morning",
            "time in 2025-02-03..2025-02-03T12:00 and type = ForkliftPassed and zone = aisle_1".into(),
        ),
        ("occupancy of the office below 10", "occupancy < 10 and zone = office".into()),
        ("trucks waiting under 5 min", "wait_time_s < 300 and type in (TruckArrived, TruckDeparted)".into()),
        ("queue cleared late at night", "hour in 22..6 and type = QueueCleared".into()),
        ("wednesdays at dock_1", "weekday in (wed) and zone = dock_1".into()),
        ("doors opened by the forklift", "type in (DoorOpened, ForkliftPassed)".into()),
        ("between 10 pm and 2 am at the entrance", "hour in 22..2 and zone = entrance".into()),
        ("doors since yesterday", "time >= 2025-02-02 and type in (DoorClosed, DoorOpened)".into()),
    ];
    check(&warehouse(), &cases);
}

#[test]
fn questions_about_a_hospital_mean_what_a_person_means() {
    let cases = [
        ("falls in the bathroom at night", format!("hour in 22..6 and type = FallEvent and {BATHS}")),
        ("who fell in a toilet?", format!("type = FallEvent and {BATHS}")),
        ("slow walking in the hall after 10 pm", "hour in 22..24 and type = SlowWalking and zone = ward_a-hall".into()),
        ("patients walking slowly", "type = SlowWalking".into()),
        ("unsteady gait in the corridor", "type = GaitInstability and zone = ward_a-hall".into()),
        ("spills that were detected in bathrooms", format!("type = SpillDetected and {BATHS}")),
        ("staff entered between midnight and 4 am", "hour in 0..4 and type = StaffEntered".into()),
        ("drawers opened around 22:00", "hour in 21:45..22:15 and type = DrawerOpened".into()),
        ("standing still for more than 20 seconds", "duration_s > 20 and type = StandingStill".into()),
        ("stability below 0.3", "stability_score < 0.3".into()),
        ("call lights on weekdays", "weekday in (mon, tue, wed, thu, fri) and type = CallLight".into()),
        (
            "gait instability slower than 0.2 today",
            "speed_mps < 0.2 and time in 2025-02-03..2025-02-04 and type = GaitInstability".into(),
        ),
        ("leaving bed in the evening", "hour in 18..22 and type = BedExit".into()),
    ];
    check(&hospital(), &cases);
}

fn check(names: &Names, cases: &[(&str, String)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, want)| {
            let got = read(names, text);
            (got.filter != Filter::parse(want).unwrap())
                .then(|| format!("{text}\n  want {want}\n  got  {}\n  {:?}", got.filter, got.unread))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What nobody agrees on leaves nothing out.
#[test]
fn vague_words_only_weigh() {
    let query = read(&warehouse(), "trucks during rush hour");
    assert_eq!(query.filter, Filter::parse("type in (TruckArrived, TruckDeparted)").unwrap());
    assert_eq!(query.preferred, Filter::parse("hour in 7..10 or hour in 16..19").unwrap());
    assert!(!query.readings[0].is_hard && query.readings[1].is_hard);
}

#[test]
fn unknown_names_are_told_with_what_they_look_like() {
    let query = read(&warehouse(), "queues in the loafing bay");
    let unread: Vec<(&str, &[String])> =
        query.unread.iter().map(|unread| (unread.word.as_str(), unread.like.as_slice())).collect();
    assert_eq!(unread[0].0, "loafing");
    assert!(unread[0].1.iter().any(|name| name.starts_with("loading")), "{unread:?}");
    assert_eq!(unread[1], ("bay", &[] as &[String]));
    assert!(read(&warehouse(), "the quick brown fox").filter.is_all());
}

/// Words that look like times or numbers and are none.
#[test]
fn numbers_and_months_that_are_none_filter_nothing() {
    for text in
        ["queues may form", "the second queue", "more than 5 elephants", "between 3 and 5", "march of the trucks"]
    {
        let query = read(&warehouse(), text);
        let leaves_time = query.filter.to_string();
        assert!(!leaves_time.contains("hour") && !leaves_time.contains("time"), "{text}: {leaves_time}");
        assert!(!leaves_time.contains('>'), "{text}: {leaves_time}");
    }
}

proptest! {
    /// No text breaks it, the same text means the same, and what it says is read back as it was meant.
    #[test]
    fn any_text_has_a_filter_that_can_be_written(text in "[a-z0-9 :,.]{0,60}|\\PC{0,30}") {
        let query = read(&warehouse(), &text);
        prop_assert_eq!(&query, &read(&warehouse(), &text));
        prop_assert_eq!(Filter::parse(&query.filter.to_string()).unwrap().to_string(), query.filter.to_string());
    }
}
