//! Tests of `spaxiom-stream` through its border: a simulated warehouse, files, and a real broker.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod broker;
mod files;
mod mqtt;
mod nats;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use spaxiom_embedding::{
    Dataset, EmbeddingPipeline, EvalReport, Event, Exact, Flow, IndexKind, Observer, Preset, Provenance, ReadOptions,
    Run, RunConfig, RunFolder, StepReport, Task, TrainJob, engine, train, write_jsonl,
};
use spaxiom_sim::{Difficulty, SimulatedSite, Warehouse, WarehouseOptions};
use spaxiom_stream::{Sink, SourceAddress, StreamError, StreamObserver, StreamOptions, StreamSummary, Worker};
use tempfile::TempDir;

/// Two warehouses for four days, in order of time, and a run without an encoder.
struct World {
    folder: TempDir,
    events: Vec<Event>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs_err::create_dir_all(&data).unwrap();
    let warehouse = Warehouse::new(WarehouseOptions::default(), Difficulty::Medium).unwrap();
    let start = "2025-01-06T00:00:00Z".parse().unwrap();
    let mut events = Vec::new();
    for site_idx in 0..3 {
        let mut site = warehouse.site(1, site_idx, start);
        for _ in 0..4 {
            events.extend(site.next_day().events);
        }
    }
    write_jsonl(&mut fs_err::File::create(data.join("events.jsonl")).unwrap(), &events).unwrap();
    let mut config = RunConfig::preset(Preset::Tiny, Task::Pretrain).with_memory_alone();
    config.memory.half_lives_secs = vec![120.0, 600.0, 1800.0, 7200.0];
    let data = Dataset::load(&data, &ReadOptions::default()).unwrap();
    let run = RunFolder::new(&folder.path().join("run"));
    let job = TrainJob { config, data: &data, run: &run, from: None, resume: false, provenance: Provenance::default() };
    train(job, engine("flex").unwrap().as_ref(), &mut Silent).unwrap();
    events.sort_by_key(|event| event.time);
    World { folder, events }
});

struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: &StepReport<'_>) -> Flow {
        Flow::Continue
    }

    fn evaluated(&mut self, _: &EvalReport<'_>) {}
}

impl World {
    fn pipeline(&self, store: &Path) -> EmbeddingPipeline {
        self.pipeline_of(store, Arc::new(Exact))
    }

    fn pipeline_of(&self, store: &Path, kind: Arc<dyn IndexKind>) -> EmbeddingPipeline {
        let run = Run::open(&self.folder.path().join("run")).unwrap();
        EmbeddingPipeline::create(&run, store, kind, engine("flex").unwrap().as_ref()).unwrap()
    }
}

/// A file of these events.
fn file_of(events: &[Event], folder: &TempDir) -> PathBuf {
    let path = folder.path().join("events.jsonl");
    write_jsonl(&mut fs_err::File::create(&path).unwrap(), events).unwrap();
    path
}

/// Stops a stream when so many new events are durable.
struct Until {
    durable: u64,
    seen: u64,
    n_idle: u32,
}

impl Until {
    fn durable(durable: u64) -> Self {
        Self { durable, seen: 0, n_idle: 0 }
    }
}

impl StreamObserver for Until {
    fn is_stopped(&mut self) -> bool {
        self.n_idle += 1;
        // A tenth of a second each.
        assert!(self.n_idle < 300, "{} of {} events came", self.seen, self.durable);
        self.seen >= self.durable
    }

    fn now(&mut self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn rejected(&mut self, _: &spaxiom_embedding::Rejected) {}

    fn committed(&mut self, summary: &StreamSummary) {
        self.seen = summary.new;
        self.n_idle = 0;
    }

    fn pause(&mut self, _: Duration, _: &StreamError) {}
}

/// Streams a source into a store until it ends, or until so many new events are durable.
fn stream(
    source: &SourceAddress,
    store: &Path,
    options: StreamOptions,
    sinks: Vec<Box<dyn Sink>>,
    n_events: u64,
) -> StreamSummary {
    let pipeline = WORLD.pipeline(store);
    let mut worker = Worker::new(&pipeline, None, options, sinks).unwrap();
    let mut feed = source.open("test", None, None, ReadOptions::default()).unwrap();
    worker.run(&mut feed, &mut Until::durable(n_events)).unwrap()
}

/// Every vector of a store by its id.
fn vectors(store: &Path) -> BTreeMap<String, Vec<f32>> {
    let mut vectors = BTreeMap::new();
    let store = spaxiom_embedding::Store::open(store).unwrap();
    store
        .for_each(|record| {
            vectors.insert(record.id, record.vector);
            Ok::<(), spaxiom_embedding::IndexError>(())
        })
        .unwrap();
    vectors
}
