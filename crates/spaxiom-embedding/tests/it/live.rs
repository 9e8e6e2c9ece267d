//! Events as they come: what is made of them, and that a restart changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use spaxiom_embedding::{EmbeddingPipeline, EncoderKind, Event, Exact, RunFolder, Taken, group_by_site};
use tempfile::TempDir;

use crate::{WORLD, config, flex, open, pretrain};

/// The first events of two sites, as they come.
fn events(n: usize) -> Vec<Event> {
    let data = WORLD.data();
    let mut events: Vec<Event> = data.sequences().take(2).flat_map(|site| site.events()[..n / 2].to_vec()).collect();
    events.sort_by_key(|event| event.time);
    events
}

fn pipeline(run: &RunFolder, store: &Path) -> EmbeddingPipeline {
    EmbeddingPipeline::create(&open(run), store, Arc::new(Exact), flex().as_ref()).unwrap()
}

/// The vector of every event, as a reader of whole sites makes it.
fn of_whole_sites(pipeline: &EmbeddingPipeline, events: &[Event]) -> HashMap<String, Vec<f32>> {
    let dim = pipeline.vectors().dim();
    let mut vectors = HashMap::new();
    for sequence in group_by_site(events.iter().cloned()) {
        let values = pipeline.encode(&sequence);
        let rows = sequence.events().iter().zip(values.chunks_exact(dim));
        vectors.extend(rows.map(|(event, row)| (event.id.to_string(), row.to_vec())));
    }
    vectors
}

/// A run that is killed again and again makes the vectors of one that never was.
fn check(run: &RunFolder) {
    let events = events(360);
    let folder = TempDir::new().unwrap();
    let want = of_whole_sites(&pipeline(run, &folder.path().join("unused")), &events);
    let store = folder.path().join("store");
    // What is durable, and where the source begins again: it gives some of it twice.
    let mut n_durable = 0usize;
    for n_more in [1, 50, 3, 120, 7, 1_000] {
        let pipeline = pipeline(run, &store);
        let mut live = pipeline.live(None).unwrap();
        let begin = n_durable.saturating_sub(5);
        for (at, event) in events.iter().enumerate().skip(begin).take(n_more + 5) {
            let is_durable = at < n_durable;
            match live.push(event).unwrap() {
                Taken::New { vector, .. } if !is_durable => assert_eq!(vector, want[event.id.as_str()], "event {at}"),
                Taken::Known if is_durable => {}
                taken => panic!("event {at} of {n_durable} durable ones: {taken:?}"),
            }
            if (at + 1) % 25 == 0 || at + 1 == events.len() {
                live.commit(BTreeMap::new()).unwrap();
                n_durable = n_durable.max(at + 1);
            }
        }
        // The rest was never committed: the process is gone.
    }
    assert_eq!(n_durable, events.len());
    let pipeline = pipeline(run, &store);
    assert_eq!(pipeline.store().stats().unwrap().n_vectors, events.len());
}

#[test]
fn windows_and_memory_go_on_after_a_kill() {
    check(&WORLD.pretrained());
}

#[test]
fn a_recurrent_encoder_goes_on_after_a_kill() {
    let folder = TempDir::new().unwrap();
    let run = RunFolder::new(&folder.path().join("gru"));
    pretrain(config().with_encoder(EncoderKind::Gru), &WORLD.data(), &run, false).unwrap();
    check(&run);
}

#[test]
fn a_store_that_was_built_from_files_is_gone_on_with() {
    let events = events(200);
    let folder = TempDir::new().unwrap();
    let run = WORLD.pretrained();
    let pipeline = pipeline(&run, &folder.path().join("store"));
    let want = of_whole_sites(&pipeline, &events);
    for sequence in group_by_site(events[..120].iter().cloned()) {
        pipeline.add_to_index(&sequence, |_| ()).unwrap();
    }
    let mut live = pipeline.live(None).unwrap();
    for event in &events[120..] {
        let Taken::New { vector, .. } = live.push(event).unwrap() else { panic!("`{}` is new", event.id) };
        assert_eq!(vector, want[event.id.as_str()]);
    }
}

#[test]
fn a_late_event_is_stored_once_and_changes_no_later_vector() {
    let events = events(120);
    let folder = TempDir::new().unwrap();
    let run = WORLD.pretrained();
    let pipeline = pipeline(&run, &folder.path().join("store"));
    let want = of_whole_sites(&pipeline, &events);
    let mut live = pipeline.live(None).unwrap();
    let late = Event {
        id: "late".into(),
        time: events[30].time - TimeDelta::milliseconds(1),
        site_id: events[60].site_id.clone(),
        ..events[30].clone()
    };
    for (at, event) in events.iter().enumerate() {
        let Taken::New { vector, .. } = live.push(event).unwrap() else { panic!("`{}` is new", event.id) };
        assert_eq!(vector, want[event.id.as_str()]);
        if at == 60 {
            assert_eq!(live.push(&late).unwrap(), Taken::Late);
            assert_eq!(live.push(&late).unwrap(), Taken::Known, "twice in one commit");
            let committed = live.commit(BTreeMap::new()).unwrap();
            assert_eq!((committed.n_new, committed.n_late), (62, 1));
            assert_eq!(live.push(&late).unwrap(), Taken::Known);
        }
    }
    live.commit(BTreeMap::from([("own/name".to_owned(), b"value".to_vec())])).unwrap();
    assert!(pipeline.store().get("late").unwrap().is_some());
    assert_eq!(live.kept("own/").unwrap()["own/name"], b"value");
}
