//! Whole files.

use std::collections::HashSet;
use std::path::Path;

use spaxiom_event::{EventError, EventReader, Format, ReadOptions, Record, Rejected, group_by_site, read_log};

use crate::written;

#[test]
fn a_bad_line_loses_nothing_else() {
    let text = b"{\"type\":\"A\",\"time\":2}\nnonsense\n\xff\xfe\n{\"type\":\"B\",\"time\":1}\n";
    let log = read_log(&written("bad-line", text), &ReadOptions::default()).unwrap();
    let types: Vec<&str> = log.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(types, ["B", "A"], "in order of time");
    assert_eq!(log.rejected.iter().map(|rejected| rejected.line).collect::<Vec<_>>(), [2, 3]);
    assert!(log.rejected[1].to_string().contains("UTF-8"));
}

/// Over several blocks, so that equal lines are parsed on different threads.
#[test]
fn equal_lines_have_the_same_ids_however_a_file_is_read() {
    let lines: Vec<String> = (0..100_000).map(|i| format!("{{\"type\":\"A\",\"time\":{},\"v\":1}}\n", i / 7)).collect();
    let text = lines.concat();
    assert!(text.len() > 2 << 20);
    let path = written("repeats.jsonl", text.as_bytes());
    let options = |threads| ReadOptions { threads: Some(threads), ..ReadOptions::default() };
    let id = |record: Result<Record, Rejected>| record.unwrap().event.id.to_string();
    let one: Vec<String> = EventReader::open(&path, &options(1)).unwrap().map(id).collect();
    assert_eq!(one.iter().collect::<HashSet<_>>().len(), 100_000);
    for threads in [2, 3] {
        let all: Vec<String> = EventReader::open(&path, &options(threads)).unwrap().map(id).collect();
        assert!(all == one, "{threads} threads");
        let mut folded = Vec::new();
        let fold = |ids: &mut Vec<String>, record| ids.push(id(record));
        EventReader::open(&path, &options(threads)).unwrap().fold_blocks(Vec::new, fold, |ids| folded.extend(ids));
        assert!(folded == one, "folded on {threads} threads");
    }
}

/// Two equal lines of a file are two events; a message that is delivered twice is one.
#[test]
fn what_is_delivered_again_is_the_same_event() {
    let path =
        written("again", b"{\"type\":\"A\",\"time\":1}\n{\"type\":\"A\",\"time\":1}\n{\"type\":\"A\",\"time\":2}\n");
    let ids =
        |reader: EventReader| -> Vec<String> { reader.map(|record| record.unwrap().event.id.to_string()).collect() };
    let open = || EventReader::open(&path, &ReadOptions::default()).unwrap();
    let (in_file, delivered) = (ids(open()), ids(open().of_deliveries()));
    assert_eq!(in_file.iter().collect::<HashSet<_>>().len(), 3);
    assert_eq!((&delivered[0], &delivered[1], &delivered[2]), (&in_file[0], &in_file[0], &in_file[2]));
}

#[test]
fn an_empty_file_is_an_error_of_its_own() {
    for text in [&b""[..], b"\n  \n"] {
        let error = read_log(&written("empty", text), &ReadOptions::default()).unwrap_err();
        assert!(matches!(error, EventError::Empty { .. }), "{error}");
    }
}

#[test]
fn a_format_that_cannot_be_told_asks_for_its_name() {
    let path = written("unknown", b"hello world\n");
    let error = read_log(&path, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("--format jsonl|cloudevents|"), "{error}");
    assert_eq!(
        read_log(&path, &ReadOptions { format: Some(Format::Jsonl), ..ReadOptions::default() }).unwrap().rejected.len(),
        1
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = read_log(Path::new("no-such-file.jsonl"), &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("no-such-file.jsonl"), "{error}");
}

#[test]
fn marks_without_a_partner_are_reported_and_none_is_lost() {
    let text = b"2010-11-04 00:00:01 M001 ON Sleeping begin\n\
        2010-11-04 00:00:02 M001 OFF Eating end\n\
        2010-11-04 00:00:03 M001 ON Sleeping end\n\
        2010-11-04 00:00:04 M001 ON Work begin\n";
    let log = read_log(&written("marks", text), &ReadOptions::default()).unwrap();
    assert_eq!(log.spans.len(), 1);
    assert_eq!(log.spans[0].label, "Sleeping");
    let unpaired: Vec<&str> = log.unpaired.iter().map(|mark| mark.activity.as_str()).collect();
    assert_eq!(unpaired, ["Eating", "Work"]);
}

#[test]
fn sequences_are_one_per_site_in_order_of_time() {
    let text = b"{\"type\":\"A\",\"time\":3,\"site_id\":\"s2\"}\n{\"type\":\"B\",\"time\":2,\"site_id\":\"s1\"}\n\
        {\"type\":\"C\",\"time\":1,\"site_id\":\"s2\"}\n";
    let sequences = group_by_site(read_log(&written("sites", text), &ReadOptions::default()).unwrap().events);
    let described: Vec<(&str, Vec<&str>)> = sequences
        .iter()
        .map(|s| (s.site_id().as_str(), s.events().iter().map(|event| event.kind.as_str()).collect()))
        .collect();
    assert_eq!(described, [("s1", vec!["B"]), ("s2", vec!["C", "A"])]);
}

#[test]
fn an_event_that_came_twice_is_kept_once() {
    let text = b"{\"id\":\"1\",\"type\":\"A\",\"time\":3}\n{\"id\":\"1\",\"type\":\"A\",\"time\":3}\n{\"id\":\"1\",\"type\":\"A\",\"time\":3,\"site_id\":\"b\"}\n";
    let log = read_log(&written("twice", text), &ReadOptions::default()).unwrap();
    assert_eq!((log.events.len(), log.n_duplicates), (2, 1));
}
