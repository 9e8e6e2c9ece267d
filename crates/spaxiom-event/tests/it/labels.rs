//! Spans of labels, and which one an event lies in.

use chrono::{DateTime, Utc};
use spaxiom_event::{Event, LabelIndex, LabelSpan, UNLABELLED};

fn at(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(secs, 0).unwrap()
}

fn span(site: &str, label: &str, start: i64, end: i64) -> LabelSpan {
    let episode_id = format!("{site}-{start}");
    LabelSpan { site_id: site.into(), episode_id, label: label.into(), start: at(start), end: at(end) }
}

#[test]
fn an_event_has_the_label_of_its_site_and_time() {
    let index = LabelIndex::new(vec![span("a", "Sleep", 10, 20), span("a", "Eat", 30, 40), span("b", "Work", 0, 50)]);
    for (site, time, want) in [
        ("a", 9, UNLABELLED),
        ("a", 10, "Sleep"),
        ("a", 20, "Sleep"),
        ("a", 21, UNLABELLED),
        ("a", 35, "Eat"),
        ("b", 35, "Work"),
        ("c", 35, UNLABELLED),
    ] {
        assert_eq!(index.of(&Event::new("T", site, at(time))).label, want, "{site} at {time}");
    }
}

#[test]
fn stretches_are_apart_where_labels_are() {
    let index = LabelIndex::new(vec![span("a", "Eat", 10, 20), span("a", "Eat", 30, 40)]);
    let stretch = |time| index.of(&Event::new("T", "a", at(time))).stretch;
    assert_eq!(stretch(12), stretch(18));
    let stretches = [stretch(5), stretch(15), stretch(25), stretch(35), stretch(45)];
    assert!(stretches.is_sorted_by(|a, b| a < b), "{stretches:?}");
}
