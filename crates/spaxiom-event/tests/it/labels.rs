//! Spans of labels, and which one an event lies in.

use chrono::{DateTime, Utc};
use spaxiom_event::{Event, LabelIndex, LabelSpan, read_labels};

fn at(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(secs, 0).unwrap()
}

fn span(site: &str, label: &str, start: i64, end: i64) -> LabelSpan {
    let episode_id = format!("{site}-{start}");
    LabelSpan { site_id: site.into(), entity_id: None, episode_id, label: label.into(), start: at(start), end: at(end) }
}

fn label(index: &LabelIndex, site: &str, time: i64) -> Option<String> {
    index.of(&Event::new("T", site, at(time))).map(|known| known.label.to_owned())
}

#[test]
fn an_event_has_the_label_of_its_site_and_time() {
    let index = LabelIndex::new(vec![span("a", "Sleep", 10, 20), span("a", "Eat", 30, 40), span("b", "Work", 0, 50)]);
    for (site, time, want) in [
        ("a", 9, None),
        ("a", 10, Some("Sleep")),
        ("a", 20, Some("Sleep")),
        ("a", 21, None),
        ("a", 35, Some("Eat")),
        ("b", 35, Some("Work")),
        ("c", 35, None),
    ] {
        assert_eq!(label(&index, site, time).as_deref(), want, "{site} at {time}");
    }
}

#[test]
fn a_span_within_another_ends_and_the_other_goes_on() {
    let index = LabelIndex::new(vec![span("a", "Day", 0, 100), span("a", "Eat", 10, 20), span("a", "Call", 12, 14)]);
    let labels = [5, 11, 13, 17, 50, 101].map(|time| label(&index, "a", time));
    assert_eq!(labels.map(Option::unwrap_or_default), ["Day", "Eat", "Call", "Eat", "Day", ""]);
}

#[test]
fn two_spans_with_one_id_are_one_episode() {
    let mut rest = span("a", "Eat", 30, 40);
    rest.episode_id = "a-10".into();
    let index =
        LabelIndex::new(vec![span("a", "Eat", 10, 20), rest, span("a", "Eat", 50, 60), span("b", "Eat", 10, 20)]);
    let episode = |site: &str, time| index.of(&Event::new("T", site, at(time))).unwrap().episode;
    assert_eq!(episode("a", 15), episode("a", 35));
    assert_ne!(episode("a", 15), episode("a", 55));
    assert_ne!(episode("a", 15), episode("b", 15));
}

#[test]
fn a_span_that_ends_before_it_starts_is_named_by_its_line() {
    let text =
        r#"{"site_id":"a","episode_id":"1","label":"Eat","start":"2025-01-06T10:00:00Z","end":"2025-01-06T09:00:00Z"}"#;
    let error = read_labels(&crate::written("labels.jsonl", text.as_bytes())).unwrap_err();
    assert!(error.to_string().contains("line 1 of the label file"), "{error}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("before it starts"));
}
