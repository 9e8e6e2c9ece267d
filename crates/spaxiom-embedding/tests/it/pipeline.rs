//! The pipeline: streamed equals batch, stores are resumed, other runs are refused.

use std::sync::Arc;

use spaxiom_embedding::{
    EmbeddingError, EmbeddingPipeline, Event, Exact, Filter, Hnsw, IndexError, LayoutName, Query, RunFolder,
    SearchResult, Store, TokenError,
};
use tempfile::TempDir;

use crate::{WORLD, config, flex, open, pretrain};

fn create(run: &RunFolder, folder: &TempDir) -> Result<EmbeddingPipeline, EmbeddingError> {
    let kind = Arc::new(Hnsw::default());
    let pipeline = EmbeddingPipeline::create(&open(run), &folder.path().join("store"), kind, flex().as_ref())?;
    Ok(pipeline.with_batch_size(64))
}

#[test]
fn opening_a_store_never_creates_one_and_leaves_its_kind() {
    let folder = TempDir::new().unwrap();
    let (run, path) = (open(&WORLD.pretrained()), folder.path().join("store"));
    let error = EmbeddingPipeline::open(&run, &path, flex().as_ref()).err().unwrap();
    assert!(matches!(error, EmbeddingError::Index(IndexError::NoStore { .. })), "{error}");
    assert!(!path.exists());
    drop(EmbeddingPipeline::create(&run, &path, Arc::new(Exact), flex().as_ref()).unwrap());
    let pipeline = EmbeddingPipeline::open(&run, &path, flex().as_ref()).unwrap();
    assert_eq!(pipeline.store().stats().unwrap().index.name(), "exact");
    assert_eq!(Store::inspect(&path).unwrap().stats().unwrap().index.name(), "exact");
}

#[test]
fn a_stream_gives_the_vectors_of_the_whole_sequence() {
    let folder = TempDir::new().unwrap();
    let pipeline = create(&WORLD.pretrained(), &folder).unwrap();
    let sequence = WORLD.data().sequences().next().unwrap();
    let whole = pipeline.encode(&sequence);
    let mut stream = pipeline.stream();
    for (event, want) in sequence.events().iter().zip(whole.chunks_exact(pipeline.vectors().dim())).take(40) {
        let difference = stream.push(event).iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(difference < 1e-4, "{difference}");
    }
}

#[test]
fn every_layout_of_tokens_trains_and_is_searched() {
    for layout in [LayoutName::Flat, LayoutName::Bins] {
        let folder = TempDir::new().unwrap();
        let run = RunFolder::new(&folder.path().join("run"));
        let mut config = config().with_tokens(layout);
        config.train.max_steps = 10;
        let data = WORLD.data();
        pretrain(config, &data, &run, false).unwrap();
        let pipeline = create(&run, &folder).unwrap();
        let sequence = data.sequences().next().unwrap();
        let sequence = sequence.filtered(|event| event.time < sequence.events()[50].time);
        pipeline.add_to_index(&sequence, |_| {}).unwrap();
        let hits = pipeline.search_id(sequence.events()[20].id.as_str(), 5, &Filter::All).unwrap();
        assert_eq!(hits.len(), 5, "{layout:?}");
        let whole = pipeline.encode(&sequence);
        let mut stream = pipeline.stream();
        for (event, want) in sequence.events().iter().zip(whole.chunks_exact(pipeline.vectors().dim())) {
            assert!(stream.push(event).iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-4), "{layout:?}");
        }
    }
}

#[test]
fn what_comes_later_does_not_change_an_earlier_vector() {
    let folder = TempDir::new().unwrap();
    let pipeline = create(&WORLD.pretrained(), &folder).unwrap();
    let sequence = WORLD.data().sequences().next().unwrap();
    let cut_at = sequence.events()[30].time;
    let start = sequence.filtered(|event| event.time < cut_at);
    let vectors = |sequence| pipeline.encode(sequence);
    let n = start.events().len() * pipeline.vectors().dim();
    let (whole, start) = (vectors(&sequence), vectors(&start));
    assert!(whole[..n].iter().zip(&start).all(|(a, b)| (a - b).abs() < 1e-4));
}

#[test]
fn a_build_that_stopped_half_way_goes_on_and_finds_the_same() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let data = WORLD.data();
    let sequence = &data.sequences().next().unwrap();
    let n = sequence.events().len();
    let whole = create(&WORLD.pretrained(), &a).unwrap();
    assert_eq!(whole.add_to_index(sequence, |_| {}).unwrap(), n);
    whole.build_index(&()).unwrap();
    let half = sequence.filtered(|event| event.time < sequence.events()[n / 2].time);
    let stopped = create(&WORLD.pretrained(), &b).unwrap();
    let n_half = stopped.add_to_index(&half, |_| {}).unwrap();
    drop(stopped);
    let resumed = create(&WORLD.pretrained(), &b).unwrap();
    assert_eq!(resumed.add_to_index(sequence, |_| {}).unwrap(), n - n_half);
    resumed.build_index(&()).unwrap();
    for event in sequence.events().iter().step_by(50) {
        let found = |pipeline: &EmbeddingPipeline| -> Vec<String> {
            let hits = pipeline.search_id(event.id.as_str(), 10, &Filter::All).unwrap();
            hits.into_iter().map(|hit| hit.id).collect()
        };
        assert_eq!(found(&whole), found(&resumed));
        assert!(!found(&whole).contains(&event.id.to_string()), "a query is not its own hit");
    }
}

/// Today's file is encoded after yesterday's, which the store has; events that come late stand where their time is.
#[test]
fn events_that_are_added_later_have_the_context_of_those_that_are_stored() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let data = WORLD.data();
    let sequence = &data.sequences().next().unwrap();
    let middle = sequence.events()[sequence.events().len() / 2].time;
    let is_late = |event: &Event| event.id.as_str().as_bytes()[0] % 16 == 5;
    let whole = create(&WORLD.pretrained(), &a).unwrap();
    whole.add_to_index(sequence, |_| {}).unwrap();
    let parts = create(&WORLD.pretrained(), &b).unwrap();
    let first = sequence.filtered(|event| event.time < middle && !is_late(event));
    let later = sequence.filtered(|event| event.time >= middle || is_late(event));
    let n_first = parts.add_to_index(&first, |_| {}).unwrap();
    let mut n_done = 0;
    assert_eq!(parts.add_to_index(&later, |n| n_done += n).unwrap(), sequence.events().len() - n_first);
    assert_eq!(n_done, later.events().len());
    // Of events of one time those that are stored come first, whatever their order was.
    let is_alone = |event: &&Event| sequence.events().iter().filter(|other| other.time == event.time).count() == 1;
    let similarity = |event: &Event| -> f32 {
        let vector = |pipeline: &EmbeddingPipeline| pipeline.store().get(event.id.as_str()).unwrap().unwrap().vector;
        vector(&whole).iter().zip(vector(&parts)).map(|(a, b)| a * b).sum()
    };
    let similarities = later.events().iter().filter(is_alone).step_by(20).map(similarity);
    let lowest = similarities.fold(1.0, f32::min);
    // The memory reaches back for five of its longest half-lives only: 0.9992 when this was written.
    assert!(lowest > 0.995, "{lowest}");
}

#[test]
fn an_event_finds_events_and_an_unknown_one_is_named() {
    let folder = TempDir::new().unwrap();
    let pipeline = create(&WORLD.pretrained(), &folder).unwrap();
    pipeline.add_to_index(&WORLD.data().sequences().next().unwrap(), |_| {}).unwrap();
    let event = |kind: &str, zone: &str| {
        let text = format!(r#"{{"type": "{kind}", "zone": "{zone}", "time": "2025-01-07T10:00:00Z", "length": 3}}"#);
        Event::from_json(&text).unwrap()
    };
    let filter = Filter::kind("QueueFormed");
    let hits = pipeline.search_event(&event("QueueFormed", "loading_dock"), 3, &filter).unwrap();
    assert!(!hits.is_empty() && hits.iter().all(|hit| hit.kind == "QueueFormed"));
    assert!(hits.is_sorted_by(|a, b| a.similarity >= b.similarity));
    for (event, want) in [
        (event("QueueMelted", "loading_dock"), "unknown type `QueueMelted`"),
        (event("QueueFormed", "moon"), "unknown zone `moon`"),
    ] {
        let error = pipeline.search_event(&event, 3, &Filter::All).unwrap_err();
        assert!(matches!(error, EmbeddingError::Token(TokenError::Unknown { .. })));
        assert!(error.to_string().contains(want), "{error}");
    }
    assert!(matches!(pipeline.search_id("none", 3, &filter), Err(EmbeddingError::NoSuchEvent { .. })));
}

#[test]
fn hits_are_moments_and_none_is_that_of_the_query() {
    let folder = TempDir::new().unwrap();
    let pipeline = create(&WORLD.pretrained(), &folder).unwrap();
    let sequence = WORLD.data().sequences().next().unwrap();
    pipeline.add_to_index(&sequence, |_| {}).unwrap();
    let asked = &sequence.events()[200];
    let far_apart = |a: &str, b: &str| {
        let time = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        (time(a) - time(b)).abs() > chrono::TimeDelta::minutes(15)
    };
    let hits = pipeline.search(Query::Id(asked.id.as_str()), 6, &Filter::All).unwrap();
    assert_eq!(hits.len(), 6);
    assert!(hits.is_sorted_by(|a, b| a.similarity >= b.similarity));
    for (at, hit) in hits.iter().enumerate() {
        assert!(far_apart(&hit.time, &asked.time.to_rfc3339()), "the moment of the query");
        assert!(hits[..at].iter().all(|other| far_apart(&hit.time, &other.time)), "two hits of one moment");
    }
    // Asked for more moments than there are, it gives all: every event but those around the query is in one of them.
    let all = pipeline.search(Query::Id(asked.id.as_str()), 100_000, &Filter::All).unwrap();
    let n_events: usize = all.iter().map(|hit| 1 + hit.n_folded).sum();
    let n_around =
        sequence.events().iter().filter(|event| !far_apart(&event.time.to_rfc3339(), &asked.time.to_rfc3339()));
    assert_eq!(n_events, sequence.events().len() - n_around.count());
    let bare = Query::Event { event: asked, context: &[] };
    let bare = pipeline.search(bare, 3, &Filter::All).unwrap();
    assert!(bare.len() == 3 && bare.iter().all(|hit| hit.site == asked.site_id.as_str()));
    assert_ne!(bare, hits[..3]);
    // With what was before it an event has the vector that the store has of it, but for its half precision.
    let after = |context| pipeline.search(Query::Event { event: asked, context }, 6, &Filter::All).unwrap();
    let same = after(&sequence.events()[..200]);
    let is_same = |(a, b): (&SearchResult, &SearchResult)| a.id == b.id && (a.similarity - b.similarity).abs() < 1e-3;
    assert!(same.len() == hits.len() && same.iter().zip(&hits).all(is_same), "{same:?} {hits:?}");
    // The store's own reaches back as far as the memory does.
    let context = pipeline.stored_context(asked).unwrap();
    let before = &sequence.events()[..200];
    assert!(context.len() > 20 && before.ends_with(&context), "{:?}\n{:?}", context.last(), before.last());
    let found = after(&context);
    assert!((found[0].similarity - hits[0].similarity).abs() < 0.02, "{found:?} {hits:?}");
}

#[test]
fn the_store_of_another_run_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(create(&WORLD.pretrained(), &folder).unwrap());
    let error = create(&WORLD.classifier(), &folder).err().unwrap();
    assert!(matches!(error, EmbeddingError::Index(IndexError::OtherRun { what: "encoder", .. })), "{error}");
}
