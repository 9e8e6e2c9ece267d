//! Tests of `spaxiom-embedding` through its border: a simulated warehouse, an encoder that trains in a second.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod browser;
mod evaluate;
mod forecast;
mod formats;
mod live;
mod objectives;
mod peer;
mod pipeline;
mod questions;
mod retrieval;
mod risk;
mod runs;
mod shards;
mod unusual;
mod vectors;
mod words;

use std::path::Path;
use std::sync::LazyLock;

use spaxiom_embedding::{
    Dataset, EmbeddingError, Engine, EvalReport, EventEncoderConfig, Flow, Observer, Provenance, ReadOptions, Run,
    RunConfig, RunFolder, RunSummary, StepReport, Task, TrainJob, TrainingData, TransformerEventEncoderConfig, engine,
    train, write_jsonl, write_labels,
};
use spaxiom_sim::{Difficulty, SimulatedSite, Warehouse, WarehouseOptions};
use tempfile::TempDir;

/// A pretrained run, a classifier on it and their data, made once for all tests.
struct World {
    folder: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let world = World { folder: TempDir::new().unwrap() };
    let data = world.data();
    pretrain(config(), &data, &world.pretrained(), false).unwrap();
    let config = RunConfig { train: config().train, ..config().for_classify() };
    finetune(Some(&open(&world.pretrained())), config, &data, &world.classifier(), false).unwrap();
    world
});

impl World {
    fn data(&self) -> Dataset {
        let path = self.folder.path().join("data");
        if !path.exists() {
            simulate(&path, 4, 6);
        }
        Dataset::load(&path, &ReadOptions::default()).unwrap()
    }

    fn pretrained(&self) -> RunFolder {
        RunFolder::new(&self.folder.path().join("pretrained"))
    }

    fn classifier(&self) -> RunFolder {
        RunFolder::new(&self.folder.path().join("classifier"))
    }
}

fn simulate(path: &Path, n_sites: u32, n_days: u32) {
    fs_err::create_dir_all(path).unwrap();
    let warehouse = Warehouse::new(WarehouseOptions::default(), Difficulty::Medium).unwrap();
    let start = "2025-01-06T00:00:00Z".parse().unwrap();
    let mut events = fs_err::File::create(path.join("events.jsonl")).unwrap();
    let mut labels = fs_err::File::create(path.join("labels.jsonl")).unwrap();
    for site_idx in 0..n_sites {
        let mut site = warehouse.site(1, site_idx, start);
        for _ in 0..n_days {
            let day = site.next_day();
            write_jsonl(&mut events, &day.events).unwrap();
            write_labels(&mut labels, &day.truth.spans).unwrap();
        }
    }
}

/// Small enough for a second.
fn config() -> RunConfig {
    let mut config = RunConfig::preset(spaxiom_embedding::Preset::Tiny, Task::Pretrain);
    config.encoder = Some(EventEncoderConfig::Transformer(TransformerEventEncoderConfig {
        d_model: 16,
        n_layers: 1,
        d_feed_forward: 32,
        max_len: 8,
        ..spaxiom_embedding::Preset::Tiny.into()
    }));
    config.tokenizer.cell_buckets = 32;
    // To be chosen in a second where nothing is given.
    config.memory.half_lives_secs = vec![120.0, 600.0, 1800.0, 7200.0];
    config.train.max_steps = 20;
    config.train.evaluate_every = 10;
    config.train.batch_size = 8;
    config
}

fn flex() -> Box<dyn Engine> {
    engine("flex").unwrap()
}

fn open(run: &RunFolder) -> Run {
    Run::open(run.path()).unwrap()
}

fn job<'a>(config: RunConfig, data: &'a dyn TrainingData, run: &'a RunFolder, resume: bool) -> TrainJob<'a> {
    TrainJob { config, data, run, from: None, resume, provenance: Provenance::default() }
}

fn pretrain(config: RunConfig, data: &Dataset, run: &RunFolder, resume: bool) -> Result<RunSummary, EmbeddingError> {
    train(job(config, data, run, resume), flex().as_ref(), &mut Watch::default())
}

fn finetune(
    from: Option<&Run>,
    config: RunConfig,
    data: &Dataset,
    run: &RunFolder,
    resume: bool,
) -> Result<RunSummary, EmbeddingError> {
    let job = TrainJob { from, ..job(config, data, run, resume) };
    train(job, flex().as_ref(), &mut Watch::default())
}

/// Stops a run after so many steps.
#[derive(Default)]
struct Watch {
    stop_at: Option<u64>,
}

impl Observer for Watch {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        if self.stop_at.is_some_and(|step| report.step >= step) { Flow::Stop } else { Flow::Continue }
    }

    fn evaluated(&mut self, _report: &EvalReport<'_>) {}
}
