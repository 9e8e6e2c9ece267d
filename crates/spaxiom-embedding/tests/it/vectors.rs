//! Vectors of encoder and memory: their parts, runs of a memory alone, and runs of builds without one.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use spaxiom_embedding::{
    ClockedMemory, EmbeddingError, EmbeddingPipeline, Event, EventEncoderConfig, EventSequence, Exact, Filter,
    IndexError, Preset, RecurrentEventEncoderConfig, RunConfig, RunFolder, TokenWindow, VectorFile, VectorName,
    evaluate,
};
use tempfile::TempDir;

use crate::{WORLD, config, finetune, flex, open, pretrain};

fn sequence() -> EventSequence {
    let sequence = WORLD.data().sequences().next().unwrap();
    let end = sequence.events()[120].time;
    sequence.filtered(|event| event.time < end)
}

fn pipeline(run: &RunFolder, folder: &TempDir, parts: VectorName) -> Result<EmbeddingPipeline, EmbeddingError> {
    let store = folder.path().join("store");
    EmbeddingPipeline::create_with(&open(run), &store, Arc::new(Exact), flex().as_ref(), parts)
}

/// Trained by nothing.
fn remembered(folder: &TempDir) -> RunFolder {
    let run = RunFolder::new(&folder.path().join("memory"));
    let summary = pretrain(config().with_memory_alone(), &WORLD.data(), &run, false).unwrap();
    assert!(summary.weights.is_none() && summary.vector.is_some() && summary.n_parameters == 0);
    run
}

#[test]
fn a_vector_is_what_the_encoder_says_beside_what_the_memory_holds() {
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap()];
    let parts = [VectorName::Both, VectorName::Encoder, VectorName::Memory];
    let run = WORLD.pretrained();
    let vectors = [0, 1, 2].map(|at| {
        let pipeline = pipeline(&run, &folders[at], parts[at]).unwrap();
        (pipeline.vectors().dim(), pipeline.encode(&sequence()))
    });
    let [(dim, both), (n_encoder, encoder), (n_memory, memory)] = vectors;
    assert_eq!((n_encoder, dim), (16, n_encoder + n_memory));
    for (at, both) in both.chunks_exact(dim).enumerate() {
        assert_eq!(both[..n_encoder], encoder[at * n_encoder..(at + 1) * n_encoder]);
        assert_eq!(both[n_encoder..], memory[at * n_memory..(at + 1) * n_memory]);
    }
}

#[test]
fn a_stream_has_the_bits_of_its_sequence() {
    let folder = TempDir::new().unwrap();
    let pipeline = pipeline(&WORLD.pretrained(), &folder, VectorName::Both).unwrap();
    let whole = pipeline.encode(&sequence());
    let mut stream = pipeline.stream();
    let streamed: Vec<f32> = sequence().events().iter().flat_map(|event| stream.push(event)).collect();
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
    assert_eq!(bits(&streamed), bits(&whole));
}

/// A small GRU, whose windows have eight events in training.
fn gru(folder: &TempDir) -> RunFolder {
    let run = RunFolder::new(&folder.path().join("gru"));
    let encoder = RecurrentEventEncoderConfig { d_embed: 12, d_hidden: 12, max_len: 8, ..Preset::Tiny.into() };
    let config = RunConfig { encoder: Some(EventEncoderConfig::Gru(encoder)), ..config() };
    pretrain(config, &WORLD.data(), &run, false).unwrap();
    run
}

#[test]
fn what_goes_on_event_by_event_has_the_same_bits_in_a_stream_in_pieces_and_from_its_beginning() {
    let folder = TempDir::new().unwrap();
    let run = gru(&folder);
    let pipeline = pipeline(&run, &folder, VectorName::Encoder).unwrap();
    let (sequence, vectors) = (sequence(), pipeline.vectors());
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
    let whole = bits(&pipeline.encode(&sequence));
    let mut stream = pipeline.stream();
    let streamed: Vec<f32> = sequence.events().iter().flat_map(|event| stream.push(event)).collect();
    assert_eq!(bits(&streamed), whole);
    // Far more events than a window of training has.
    let tokens = pipeline.tokenize(&sequence);
    let windows: Vec<TokenWindow<'_>> = (0..tokens.len()).map(|last| tokens.context(last, vectors.reach())).collect();
    assert_eq!(bits(&vectors.of(&windows, &[])), whole);
    let apart: Vec<TokenWindow<'_>> = windows.iter().copied().rev().collect();
    let turned: Vec<u32> = bits(&vectors.of(&apart, &[])).chunks(vectors.dim()).rev().flatten().copied().collect();
    assert_eq!(turned, whole);
    // What came long before a window still tells.
    let last = windows.len() - 1;
    let near = bits(&vectors.of(&[tokens.context(last, vectors.max_len())], &[]));
    assert_ne!(near, whole[last * vectors.dim()..]);
}

#[test]
fn another_site_of_a_stream_begins_anew() {
    let folder = TempDir::new().unwrap();
    let pipeline = pipeline(&gru(&folder), &folder, VectorName::Both).unwrap();
    let sequence = sequence();
    let first = pipeline.stream().push(&sequence.events()[30]);
    let mut stream = pipeline.stream();
    for event in &sequence.events()[..30] {
        stream.push(&Event { site_id: "elsewhere".into(), ..event.clone() });
    }
    let n_encoder = 12;
    assert_eq!(stream.push(&sequence.events()[30])[..n_encoder], first[..n_encoder]);
}

#[test]
fn a_run_of_a_memory_alone_is_searched_and_judged_without_training() {
    let folder = TempDir::new().unwrap();
    let run = remembered(&folder);
    let pipeline = pipeline(&run, &folder, VectorName::Both).unwrap();
    let sequence = sequence();
    assert_eq!(pipeline.add_to_index(&sequence, |_| {}).unwrap(), sequence.events().len());
    let event = &sequence.events()[60];
    assert_eq!(pipeline.search_id(event.id.as_str(), 5, &Filter::All).unwrap().len(), 5);
    assert_eq!(pipeline.search_event(event, 5, &Filter::All).unwrap().len(), 5);
    let options = spaxiom_embedding::EvaluateOptions { n_probe: 300, n_test: 100, n_queries: 10, ..Default::default() };
    let report = evaluate(&open(&run), None, &WORLD.data(), &options, flex().as_ref(), &|| 0.0, &mut |_| {}).unwrap();
    let names: Vec<&str> = report.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names[..2], ["memory, projected", "memory"]);
    assert!(!names.contains(&"untrained"), "{names:?}");
}

#[test]
fn what_only_an_encoder_has_is_refused_of_a_memory_alone() {
    let folder = TempDir::new().unwrap();
    let run = remembered(&folder);
    let tuned = RunFolder::new(&folder.path().join("tuned"));
    let error = finetune(Some(&open(&run)), open(&run).config().for_classify(), &WORLD.data(), &tuned, false);
    assert!(matches!(error.unwrap_err(), EmbeddingError::NoEncoder { .. }));
    let error = RunConfig { reduce_to: Some(4), ..config().with_memory_alone() }.check().unwrap_err();
    assert!(matches!(error, EmbeddingError::NoEncoder { .. }), "{error}");
    assert!(open(&run).shape().is_err());
    let again = pretrain(config().with_memory_alone(), &WORLD.data(), &run, false).unwrap_err();
    assert!(matches!(again, EmbeddingError::RunExists { .. }), "{again}");
}

#[test]
fn a_bare_event_is_compared_by_its_encoder() {
    let folder = TempDir::new().unwrap();
    let pipeline = pipeline(&WORLD.pretrained(), &folder, VectorName::Both).unwrap();
    let event = Event::from_json(r#"{"type": "QueueFormed", "zone": "gate", "time": "2025-01-07T10:00:00Z"}"#).unwrap();
    let vector = pipeline.vectors().of_bare(&event);
    assert_eq!(vector.len(), pipeline.vectors().dim());
    assert!(vector[..16].iter().any(|value| *value != 0.0) && vector[16..].iter().all(|value| *value == 0.0));
}

#[test]
fn a_store_knows_the_parts_of_its_vectors() {
    let folder = TempDir::new().unwrap();
    drop(pipeline(&WORLD.pretrained(), &folder, VectorName::Encoder).unwrap());
    let store = folder.path().join("store");
    let opened = EmbeddingPipeline::open(&open(&WORLD.pretrained()), &store, flex().as_ref()).unwrap();
    assert_eq!((opened.vectors().dim(), opened.vectors().memory().is_none()), (16, true));
    let error = pipeline(&WORLD.pretrained(), &folder, VectorName::Both).err().unwrap();
    assert!(matches!(error, EmbeddingError::Index(IndexError::OtherRun { .. })), "{error}");
}

#[test]
fn a_fine_tuned_run_has_the_memory_of_the_run_that_it_started_from() {
    let memory = |run: &RunFolder| open(run).memory().map(ClockedMemory::fingerprint);
    assert!(memory(&WORLD.pretrained()).is_some());
    assert_eq!(memory(&WORLD.pretrained()), memory(&WORLD.classifier()));
}

#[test]
fn another_memory_than_that_of_the_run_is_refused() {
    let folder = TempDir::new().unwrap();
    let run = remembered(&folder);
    let path = run.path().join("memory.json");
    let text = fs_err::read_to_string(&path).unwrap().replace("\"max-pairs\": 32", "\"max-pairs\": 31");
    fs_err::write(&path, text).unwrap();
    let error = spaxiom_embedding::Run::open(run.path()).unwrap_err();
    assert!(matches!(error, EmbeddingError::OtherMemory { .. }), "{error}");
}

/// Ids and vectors of a Parquet file.
fn read_parquet(path: &std::path::Path) -> (Vec<String>, Vec<f32>) {
    let file = fs_err::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.into_file()).unwrap().build().unwrap();
    let (mut ids, mut vectors) = (Vec::new(), Vec::new());
    for batch in reader {
        let batch = batch.unwrap();
        let names = batch.column_by_name("id").unwrap().as_string::<i32>();
        ids.extend(names.iter().map(|id| id.unwrap().to_owned()));
        if let Some(lists) = batch.column_by_name("vector") {
            let values = lists.as_fixed_size_list().values();
            vectors.extend_from_slice(values.as_primitive::<Float32Type>().values());
        }
    }
    (ids, vectors)
}

#[test]
fn files_of_vectors_hold_those_of_whole_sites() {
    let (folder, data) = (TempDir::new().unwrap(), WORLD.data());
    let vectors = open(&WORLD.pretrained()).vectors(flex().as_ref(), VectorName::Both).unwrap();
    let site = data.sequences().next().unwrap();
    let is_wanted = |id: &spaxiom_embedding::SiteId| id == site.site_id();
    let write = |name: &str| {
        let path = folder.path().join(name);
        let mut file = VectorFile::create(&path, vectors.dim(), data.n_events_of(is_wanted)).unwrap();
        vectors.of_data(&data, is_wanted, |events, vectors| file.write(events, vectors)).unwrap();
        file.finish().unwrap();
        path
    };
    let (ids, found) = read_parquet(&write("vectors.parquet"));
    let mut stream = vectors.stream();
    let streamed: Vec<f32> = site.events().iter().flat_map(|event| stream.push(event)).collect();
    assert!(ids.iter().eq(site.events().iter().map(|event| event.id.as_str())));
    assert_eq!(found, streamed);
    let array = fs_err::read(write("vectors.npy")).unwrap();
    let header = format!("'shape': ({}, {})", ids.len(), vectors.dim());
    assert!(String::from_utf8_lossy(&array[..128]).contains(&header) && array.len() % 64 == found.len() * 4 % 64);
    let values: Vec<u8> = found.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert!(array.ends_with(&values));
    assert_eq!(read_parquet(&folder.path().join("vectors.ids.parquet")), (ids, Vec::new()));
    let error = VectorFile::create(&folder.path().join("vectors.csv"), 3, 1).err().unwrap().to_string();
    assert!(error.contains("`.parquet` or `.npy`"), "{error}");
}

#[test]
fn half_lives_are_chosen_where_none_are_given_and_the_embargo_follows_them() {
    let folder = TempDir::new().unwrap();
    let mut config = config().with_memory_alone();
    config.memory.half_lives_secs = Vec::new();
    let run = RunFolder::new(&folder.path().join("run"));
    pretrain(config.clone(), &WORLD.data(), &run, false).unwrap();
    let chosen = open(&run).config().clone();
    let half_lives = &chosen.memory.half_lives_secs;
    assert!(half_lives.len() >= 3 && half_lives[1..] == chosen.memory.zone_half_lives_secs);
    let longest = chosen.memory.longest_half_life_secs();
    assert_eq!(chosen.split.embargo_hours, (5.0 * longest / 3600.0).max(1.0));
    let again = RunFolder::new(&folder.path().join("again"));
    pretrain(config, &WORLD.data(), &again, false).unwrap();
    assert_eq!(open(&again).config(), &chosen);
    assert_eq!(open(&again).manifest().vector, open(&run).manifest().vector);
}
