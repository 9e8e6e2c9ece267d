//! What several examples need: a simulated warehouse and a run that trains in seconds.
#![allow(dead_code, reason = "not every example uses everything")]

use std::error::Error;
use std::path::Path;

use spaxiom_embedding::{
    Dataset, EvalReport, EventEncoderConfig, Flow, Observer, Preset, Provenance, ReadOptions, Run, RunConfig,
    RunFolder, StepReport, Task, TrainJob, TransformerEventEncoderConfig, engine, train, write_jsonl, write_labels,
};
use spaxiom_sim::{Difficulty, SimulatedSite, Warehouse, WarehouseOptions};

/// Simulates three warehouses for eight days, with labels of what was really going on.
pub(crate) fn simulate(folder: &Path) -> Result<Dataset, Box<dyn Error>> {
    fs_err::create_dir_all(folder)?;
    let warehouse = Warehouse::new(WarehouseOptions::default(), Difficulty::Medium)?;
    let mut events = fs_err::File::create(folder.join("events.jsonl"))?;
    let mut labels = fs_err::File::create(folder.join("labels.jsonl"))?;
    for site_idx in 0..3 {
        let mut site = warehouse.site(7, site_idx, "2025-01-06T00:00:00Z".parse()?);
        for _ in 0..8 {
            let day = site.next_day();
            write_jsonl(&mut events, &day.events)?;
            write_labels(&mut labels, &day.truth.spans)?;
        }
    }
    Ok(Dataset::load(folder, &ReadOptions::default())?)
}

/// Pretrains a small transformer on masked events.
pub(crate) fn pretrain(data: &Dataset, folder: &Path, observer: &mut dyn Observer) -> Result<Run, Box<dyn Error>> {
    let mut config = RunConfig::preset(Preset::Tiny, Task::Pretrain);
    config.encoder = Some(EventEncoderConfig::Transformer(TransformerEventEncoderConfig {
        d_model: 32,
        n_layers: 1,
        d_feed_forward: 64,
        max_len: 16,
        ..Preset::Tiny.into()
    }));
    config.train.max_steps = 60;
    config.train.evaluate_every = 30;
    let run = RunFolder::new(folder);
    let job = TrainJob { config, data, run: &run, from: None, resume: false, provenance: Provenance::default() };
    train(job, engine("flex")?.as_ref(), observer)?;
    Ok(Run::open(folder)?)
}

/// Watches nothing and never stops a run.
pub(crate) struct Quiet;

impl Observer for Quiet {
    fn step(&mut self, _: &StepReport<'_>) -> Flow {
        Flow::Continue
    }

    fn evaluated(&mut self, _: &EvalReport<'_>) {}
}
