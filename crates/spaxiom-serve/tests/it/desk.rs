//! Questions at the desk.

use std::collections::BTreeMap;

use spaxiom_serve::{AlertsAsked, ContextAsked, CountAsked, ExplainAsked, SearchAsked, SimilarAsked};

use crate::WORLD;

#[test]
fn counts_are_those_of_the_data() {
    let counts = WORLD.desk.count(&CountAsked { by: "type".into(), ..CountAsked::default() }).unwrap();
    assert_eq!(counts.total, WORLD.events.len());
    let mut want: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &WORLD.events {
        *want.entry(event.kind.as_str()).or_default() += 1;
    }
    let found: BTreeMap<&str, usize> = counts.counts.iter().map(|count| (count.name.as_str(), count.count)).collect();
    assert_eq!(found, want);
    assert!(counts.counts.is_sorted_by(|a, b| a.count >= b.count));
    let limited = CountAsked {
        by: "hour".into(),
        types: vec!["QueueFormed".into()],
        sites: vec!["warehouse-01".into()],
        ..CountAsked::default()
    };
    let hours = WORLD.desk.count(&limited).unwrap();
    let n = WORLD
        .events
        .iter()
        .filter(|event| event.kind.as_str() == "QueueFormed" && event.site_id.as_str() == "warehouse-01");
    assert_eq!(hours.counts.len(), 24);
    assert_eq!(hours.counts.iter().map(|hour| hour.count).sum::<usize>(), n.count());
}

#[test]
fn a_store_says_what_is_in_it() {
    let found = WORLD.desk.describe().unwrap();
    assert_eq!(found.sites, ["warehouse-00", "warehouse-01", "warehouse-02"]);
    assert_eq!(found.events, WORLD.events.len());
    let first = WORLD.events.iter().map(|event| event.time).min().unwrap();
    assert_eq!(chrono::DateTime::parse_from_rfc3339(&found.first).unwrap(), first);
    let usual = found.provenance.usual_similarity;
    assert!(-1.0 < usual.median && usual.median < usual.p99 && usual.p99 <= 1.0, "{usual:?}");
}

#[test]
fn a_question_in_words_becomes_a_condition_that_is_told() {
    let asked = SearchAsked { text: "queues longer than 2 at warehouse-01".into(), k: 3, ..SearchAsked::default() };
    let found = WORLD.desk.search(&asked).unwrap();
    let told = &found.interpreted_query;
    assert!(told.contains("QueueFormed") && told.contains("warehouse-01") && told.contains("length > 2"), "{told}");
    assert!(found.hits.iter().all(|hit| hit.kind.starts_with("Queue") && hit.site == "warehouse-01"), "{found:?}");
    assert!(found.hits.len() <= 3 && found.total >= found.hits.len());
    assert!(found.hits.iter().any(|hit| !hit.followed.is_empty()));
    assert!(found.hits.iter().all(|hit| hit.event.is_null()));
}

#[test]
fn limits_alone_are_a_question_and_nothing_at_all_is_none() {
    let limits = SearchAsked { types: vec!["DoorOpened".into()], time_of_day: "7..9".into(), ..SearchAsked::default() };
    let found = WORLD.desk.search(&limits).unwrap();
    assert!(!found.hits.is_empty() && found.hits.iter().all(|hit| hit.kind == "DoorOpened"));
    let check = |asked: SearchAsked, want: &str| {
        let error = WORLD.desk.search(&asked).unwrap_err();
        assert!(error.is_of_question() && error.to_string().contains(want), "{error}");
    };
    check(SearchAsked::default(), "say what to look for");
    check(SearchAsked { text: "doors".into(), event_json: "{}".into(), ..SearchAsked::default() }, "not by both");
    check(SearchAsked { event_json: "{}".into(), ..SearchAsked::default() }, "no event");
    check(SearchAsked { text: "doors".into(), k: 51, ..SearchAsked::default() }, "at most 50");
    check(SearchAsked { types: vec!["DoorFell".into()], ..SearchAsked::default() }, "DoorOpened");
    check(
        SearchAsked { types: vec!["DoorOpened".into()], from: "tomorrow".into(), ..SearchAsked::default() },
        "`from`",
    );
}

#[test]
fn an_event_finds_what_is_like_it_elsewhere_and_why() {
    let event = WORLD.events.iter().rfind(|event| event.kind.as_str() == "QueueFormed").unwrap();
    let asked = SimilarAsked { event_id: event.id.to_string(), k: 4, full: true, ..SimilarAsked::default() };
    let found = WORLD.desk.similar(&asked).unwrap();
    assert_eq!(found.hits.len(), 4);
    assert!(found.hits.iter().all(|hit| hit.id != event.id.as_str() && hit.event.is_object()));
    assert!(found.hits.is_sorted_by(|a, b| a.similarity >= b.similarity));
    let explained =
        WORLD.desk.explain(&ExplainAsked { event_a: event.id.to_string(), event_b: found.hits[0].id.clone() }).unwrap();
    assert!((explained.similarity - found.hits[0].similarity).abs() < 1e-2, "{explained:?}");
    assert!(!explained.shared.is_empty() && explained.parts.len() >= 4);
    let by_event = SearchAsked { event_json: serde_json::to_string(event).unwrap(), k: 4, ..SearchAsked::default() };
    assert_eq!(WORLD.desk.search(&by_event).unwrap().hits.len(), 4);
}

#[test]
fn a_context_is_what_was_before_and_after() {
    let of_site: Vec<_> = WORLD.events.iter().filter(|event| event.site_id.as_str() == "warehouse-02").collect();
    let event = of_site[500];
    let asked = ContextAsked { event_id: event.id.to_string(), before: 7, after: 3 };
    let found = WORLD.desk.context(&asked).unwrap();
    let ids = |rows: &[spaxiom_serve::EventRow]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    let want =
        |range: std::ops::Range<usize>| of_site[range].iter().map(|event| event.id.to_string()).collect::<Vec<_>>();
    assert_eq!((ids(&found.before), ids(&found.after)), (want(493..500), want(501..504)));
    assert!(found.before.iter().all(|row| row.secs <= 0.0) && found.after.iter().all(|row| row.secs > 0.0));
    let error = WORLD.desk.context(&ContextAsked { event_id: "none".into(), before: 1, after: 1 }).unwrap_err();
    assert!(error.is_of_question(), "{error}");
}

#[test]
fn a_store_without_a_stream_has_no_alerts() {
    assert_eq!(WORLD.desk.alerts(&AlertsAsked::default()).unwrap().total, 0);
    let error = WORLD.desk.alerts(&AlertsAsked { state: "open".into(), ..AlertsAsked::default() }).unwrap_err();
    assert!(error.to_string().contains("firing"), "{error}");
}
