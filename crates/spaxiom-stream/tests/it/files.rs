//! Files and pipes into a store.

use std::sync::Arc;

use spaxiom_embedding::{Event, IndexState, RaBitQ, ReadOptions};
use spaxiom_stream::{
    AlertAddress, AlertRules, AlertState, Notice, Sink, SourceAddress, StreamOptions, TriggerRule, Worker,
};
use tempfile::TempDir;

use crate::{Until, WORLD, file_of, stream, vectors};

#[test]
fn a_file_is_stored_once_however_often_it_is_given() {
    let folder = TempDir::new().unwrap();
    let events = &WORLD.events[..600];
    let source = SourceAddress::File(file_of(events, &folder));
    let store = folder.path().join("store");
    let first = stream(&source, &store, StreamOptions::default(), Vec::new(), 600);
    assert_eq!((first.events, first.new, first.known, first.rejected), (600, 600, 0, 0));
    let again =
        stream(&source, &store, StreamOptions { commit_events: 7, ..StreamOptions::default() }, Vec::new(), 600);
    assert_eq!((again.new, again.known), (0, 600));
    // To the last bit what is made of whole sites.
    let whole = WORLD.pipeline(&folder.path().join("whole"));
    for sequence in spaxiom_embedding::group_by_site(events.iter().cloned()) {
        whole.add_to_index(&sequence, |_| ()).unwrap();
    }
    assert!(vectors(&store) == vectors(&folder.path().join("whole")));
}

/// A store with an index gets one while the stream goes on.
#[test]
fn an_index_is_built_behind_a_stream() {
    let folder = TempDir::new().unwrap();
    let source = SourceAddress::File(file_of(&WORLD.events[..700], &folder));
    let pipeline = WORLD.pipeline_of(&folder.path().join("store"), Arc::new(RaBitQ::default()));
    let options = StreamOptions { commit_events: 10, ..StreamOptions::default() };
    let mut worker = Worker::new(&pipeline, None, options, Vec::new()).unwrap();
    let mut feed = source.open("test", None, None, ReadOptions::default()).unwrap();
    let summary = worker.run(&mut feed, &mut Until::durable(700)).unwrap();
    assert_eq!((summary.new, summary.builds), (700, 1));
    assert_eq!(summary.newest, Some(WORLD.events[699].time));
    let store = pipeline.store();
    for _ in 0..200 {
        if store.index_state() == IndexState::Ready {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let stats = store.stats().unwrap();
    assert!(store.index_state() == IndexState::Ready && stats.n_indexed >= 600, "{stats:?}");
}

#[test]
fn a_stream_that_is_cut_tells_every_alert_once() {
    let events = &WORLD.events[..1_500];
    let example = events.iter().find(|event| event.kind.as_str() == "QueueFormed").unwrap();
    let check = |cuts: &[usize]| -> Vec<Notice> {
        let folder = TempDir::new().unwrap();
        let store = folder.path().join("store");
        let alerts = folder.path().join("alerts.jsonl");
        // The example is in the store before anything is compared with it.
        let place = events.iter().position(|event| event == example).unwrap();
        stream_of(&events[..=place], &folder, StreamOptions::default(), Vec::new());
        for end in cuts {
            let rules = AlertRules { trigger: vec![rule(example)], ..AlertRules::default() };
            let options = StreamOptions { commit_events: 40, rules: Some(rules), ..StreamOptions::default() };
            let sink = AlertAddress::File(alerts.clone()).open("test", None, Box::new(|_| ())).unwrap();
            stream_of(&events[..*end], &folder, options, vec![sink]);
        }
        assert!(store.exists());
        let text = fs_err::read_to_string(alerts).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let whole = check(&[1_500]);
    assert_eq!(check(&[1, 400, 401, 900, 1_500]), whole);
    let numbers: Vec<u64> = whole.iter().map(|notice| notice.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(whole.iter().any(|notice| notice.alert.state == AlertState::Firing), "{}", whole.len());
    assert!(whole.iter().any(|notice| notice.alert.state == AlertState::Resolved), "{}", whole.len());
}

fn rule(example: &Event) -> TriggerRule {
    TriggerRule {
        name: "jam".into(),
        event: example.id.to_string(),
        site: Some(example.site_id.to_string()),
        similarity: 0.3,
        clear: None,
        types: None,
        for_secs: 0.0,
        keep_secs: 900.0,
    }
}

fn stream_of(events: &[Event], folder: &TempDir, options: StreamOptions, sinks: Vec<Box<dyn Sink>>) {
    let source = SourceAddress::File(file_of(events, folder));
    stream(&source, &folder.path().join("store"), options, sinks, events.len() as u64);
}

#[test]
fn a_file_that_is_not_there_and_one_without_events_are_told() {
    let folder = TempDir::new().unwrap();
    let open = |path: &std::path::Path| {
        SourceAddress::File(path.to_owned()).open("test", None, None, spaxiom_embedding::ReadOptions::default())
    };
    assert!(open(&folder.path().join("none")).is_err());
    let empty = folder.path().join("empty");
    fs_err::write(&empty, "").unwrap();
    let pipeline = WORLD.pipeline(&folder.path().join("store"));
    let mut worker = spaxiom_stream::Worker::new(&pipeline, None, StreamOptions::default(), Vec::new()).unwrap();
    let error = worker.run(&mut open(&empty).unwrap(), &mut crate::Until::durable(1)).unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
}
