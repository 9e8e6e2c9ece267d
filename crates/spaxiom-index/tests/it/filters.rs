//! Filters: what they read, what they say of what they cannot read, and what passes.

use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeZone, Timelike};
use proptest::prelude::*;
use spaxiom_index::{Exact, Filter, Record, Store, StoreHeader};
use tempfile::TempDir;

fn cannot_be_read(text: &str, column: usize, want: &str) {
    let error = Filter::parse(text).unwrap_err().to_string();
    assert!(error.contains(&format!("at column {column}\n")) && error.contains(want), "{text}: {error}");
    let caret = error.lines().last().unwrap();
    assert_eq!(caret.chars().count(), column + 2, "the mark is below the place: {error}");
}

#[test]
fn what_cannot_be_read_is_pointed_at() {
    cannot_be_read("type", 5, "one of `=`");
    cannot_be_read("type =", 7, "a value");
    cannot_be_read("type > A", 8, "for names");
    cannot_be_read("type = \"A", 8, "end of the quotes");
    cannot_be_read("type = A zone = B", 10, "`and`, `or` or the end");
    cannot_be_read("type = A and", 13, "a condition");
    cannot_be_read("(type = A", 10, "`)`");
    cannot_be_read("type in A", 9, "a list");
    cannot_be_read("type in (A", 11, "`,` or `)`");
    cannot_be_read("hour in 7", 10, "`..`");
    cannot_be_read("hour in 7..25", 12, "time of day");
    cannot_be_read("hour = 7:60", 8, "time of day");
    cannot_be_read("weekday = someday", 11, "a day");
    cannot_be_read("time >= yesterday", 9, "a time such as");
    cannot_be_read("größe = 1 ort = 2", 11, "`and`");
}

#[test]
fn one_condition_can_be_written_in_many_ways() {
    let same = |a: &str, b: &str| assert_eq!(Filter::parse(a).unwrap(), Filter::parse(b).unwrap(), "{a} and {b}");
    same("type=A", "type = \"A\"");
    same("type = 'A'", "type in (A)");
    same("type = A AND zone = B", "(type == A) and ((zone = B))");
    same("not type = A", "type != A");
    same("a = 1 or b = 2 and c = 3", "a = 1 or (b = 2 and c = 3)");
    same("length in 2..4", "length >= 2 and length <= 4");
    same("weekday in fri..mon", "weekday in (fri, sat, sun, mon)");
    same("hour in 7..9", "hour in 07:00..9:00");
    same("attribute.zone = 3", "attribute.zone = 3");
    assert_eq!(Filter::parse("  ").unwrap(), Filter::All);
}

fn store(records: &[Record]) -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let header = StoreHeader { dim: 1, tokenizer: "t".into(), encoder: "e".into() };
    let store = Store::open_or_create(folder.path(), &header, Arc::new(Exact)).unwrap();
    store.add(records.to_vec()).unwrap();
    (folder, store)
}

fn record(id: usize, site: &str, time: &str, metadata: &str) -> Record {
    let time = DateTime::parse_from_rfc3339(time).unwrap().timestamp_nanos_opt().unwrap();
    let zone = (id != 3).then(|| format!("dock_{id}"));
    let (id, site, kind) = (id.to_string(), site.into(), if id == 0 { "A" } else { "B" }.into());
    Record { id, site, kind, zone, time_ns: time, metadata: metadata.into(), vector: vec![1.0] }
}

#[test]
fn what_passes_is_what_a_person_expects() {
    let records = [
        record(0, "berlin", "2025-03-29T23:30:00Z", r#"{"length":4,"reason":"late","box":{"width":2.5},"open":true}"#),
        record(1, "berlin", "2025-03-30T01:30:00Z", r#"{"length":"4","reason":"lost"}"#),
        record(2, "utc", "2025-03-30T00:15:00Z", r#"{"attrs":{"length":5.5}}"#),
        record(3, "utc", "2025-03-31T22:00:00Z", r#"{"note":"a \"b\""}"#),
    ];
    let (_folder, store) = store(&records);
    store.set_time_zones(&[("berlin".into(), "Europe/Berlin".into())]).unwrap();
    let check = |filter: &str, want: &[&str]| {
        let hits = store.search(&[1.0], 10, &Filter::parse(filter).unwrap()).unwrap();
        let mut got: Vec<String> = hits.into_iter().map(|hit| hit.record.id).collect();
        got.sort();
        assert_eq!(got, want, "{filter}");
    };
    check("", &["0", "1", "2", "3"]);
    check("type = B and site = utc", &["2", "3"]);
    check("zone in (dock_0, dock_2)", &["0", "2"]);
    // Records without a zone are not in it.
    check("zone != dock_1", &["0", "2", "3"]);
    check("length > 3", &["0", "2"]);
    check("length = 4", &["0", "1"]);
    check("length = \"4\"", &["1"]);
    check("length in 4..5", &["0"]);
    check("reason in (late, lost)", &["0", "1"]);
    check("box.width >= 2.5", &["0"]);
    check("open = true", &["0"]);
    check("note = 'a \"b\"'", &["3"]);
    check("not (length > 3 or reason = lost)", &["3"]);
    // 23:30 in London is half past midnight in Berlin; an hour later clocks leap from 2 to 3.
    check("hour in 0..1", &["0", "2"]);
    check("hour = 3", &["1"]);
    check("hour in 22..1", &["0", "2", "3"]);
    check("weekday = sun", &["0", "1", "2"]);
    check("weekday in mon..fri", &["3"]);
    check("time = 2025-03-30", &["0", "1", "2"]);
    check("time < 2025-03-30", &[]);
    check("time < 2025-03-30T00:00:00Z", &["0"]);
    check("time in 2025-03-30T00:20..2025-03-30T03:30", &["0"]);
    check("time <= 2025-03-30T03:30", &["0", "1", "2"]);
}

#[test]
fn an_answer_does_not_outlive_the_clock_that_it_was_read_from() {
    let (folder, store) = store(&[record(0, "berlin", "2025-01-10T23:30:00Z", "{}")]);
    let night = Filter::parse("hour in 0..1").unwrap();
    assert!(store.search(&[1.0], 1, &night).unwrap().is_empty());
    let other = Store::inspect(folder.path()).unwrap();
    other.set_time_zones(&[("berlin".into(), "Europe/Berlin".into())]).unwrap();
    assert_eq!(store.search(&[1.0], 1, &night).unwrap().len(), 1);
}

#[test]
fn a_name_that_is_nowhere_is_told_with_those_that_are() {
    let (_folder, store) = store(&[record(0, "berlin", "2025-03-29T23:30:00Z", r#"{"attrs":{"length":4},"id":"0"}"#)]);
    let told = |filter: &str| store.require_known(&Filter::parse(filter).unwrap()).unwrap_err().to_string();
    assert_eq!(told("site = munich"), "no event in the store has the site `munich`; there are berlin");
    assert_eq!(told("size_m > 3"), "no event in the store has the attribute `size_m`; there are id, length");
    store.require_known(&Filter::parse("length > 30").unwrap()).unwrap();
}

/// What a filter says of one record, without columns and bits.
fn passes(filter: &Filter, record: &Record) -> bool {
    let clock = chrono_tz::America::New_York;
    let local = clock.from_utc_datetime(&DateTime::from_timestamp_nanos(record.time_ns).naive_utc());
    match filter {
        Filter::All => true,
        Filter::And(parts) => parts.iter().all(|part| passes(part, record)),
        Filter::Or(parts) => parts.iter().any(|part| passes(part, record)),
        Filter::Not(part) => !passes(part, record),
        Filter::Is { field, values } => match field.as_str() {
            "type" => values.contains(&record.kind),
            "site" => values.contains(&record.site),
            _ => record.zone.as_ref().is_some_and(|zone| values.contains(zone)),
        },
        Filter::TimeOfDay { from_minute, before_minute } => {
            let minute = 60 * local.hour() + local.minute();
            let span = *from_minute..*before_minute;
            if from_minute <= before_minute {
                span.contains(&minute)
            } else {
                minute >= span.start || minute < span.end
            }
        }
        Filter::Weekday(days) => days.contains(&local.weekday()),
        other => unreachable!("not in this test: {other:?}"),
    }
}

fn filters() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        proptest::sample::select(vec!["A", "B", "C"]).prop_map(Filter::kind),
        (0usize..5).prop_map(|zone| Filter::zone(format!("dock_{zone}"))),
        (0u32..1_440, 0u32..1_440)
            .prop_map(|(from_minute, before_minute)| Filter::TimeOfDay { from_minute, before_minute }),
        proptest::sample::select(vec!["mon", "thu", "sun"]).prop_map(|day| Filter::Weekday(vec![day.parse().unwrap()])),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::Or),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn columns_say_what_a_look_at_every_record_says(
        filter in filters(),
        rows in proptest::collection::vec((0usize..3, proptest::option::of(0usize..5), 0i64..30 * 24 * 60), 1..150)
    ) {
        let records: Vec<Record> = rows.iter().enumerate().map(|(id, (kind, zone, minute))| Record {
            id: format!("{id:03}"),
            site: "new-york".into(),
            kind: ["A", "B", "C"][*kind].into(),
            zone: zone.map(|zone| format!("dock_{zone}")),
            time_ns: 1_740_000_000_000_000_000 + minute * 60_000_000_000,
            metadata: "{}".into(),
            vector: vec![1.0],
        }).collect();
        let (_folder, store) = store(&records);
        store.set_time_zones(&[("new-york".into(), "America/New_York".into())]).unwrap();
        let ids = |filter: &Filter| {
            let hits = store.search(&[1.0], 1_000, filter).unwrap();
            let mut ids: Vec<String> = hits.into_iter().map(|hit| hit.record.id).collect();
            ids.sort();
            ids
        };
        let got = ids(&filter);
        let want: Vec<String> = records.iter().filter(|record| passes(&filter, record)).map(|record| record.id.clone()).collect();
        prop_assert_eq!(&got, &want);
        // What a person reads of a filter is read back as the same condition.
        let text = filter.to_string();
        let again = Filter::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(ids(&again), want, "{}", text);
        let sample = store.sample(7, &filter).unwrap();
        prop_assert_eq!(sample.n_passing, got.len());
        prop_assert!(sample.records.len() <= 7 && (sample.records.len() >= got.len().min(4)));
        prop_assert!(sample.records.iter().all(|record| got.contains(&record.id)));
    }
}

#[test]
fn a_filter_is_written_as_it_is_read() {
    for text in [
        "type = QueueFormed and zone in (dock_1, \"loading dock\") and length > 5",
        "(hour in 7..9 or hour in 22:30..6) and weekday in (mon, tue)",
        "time in 2025-01-06..2025-01-07 and not (site = dc-4)",
        "time >= 2025-01-06T10:00:00Z and attribute.type = late",
        "",
    ] {
        assert_eq!(Filter::parse(text).unwrap().to_string(), text);
    }
}
