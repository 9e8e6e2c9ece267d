//! `finetune --task classify`.

use spaxiom_embedding::{Run, Task, TrainJob, engine};

use super::args::FinetuneArgs;
use crate::args::report;
use crate::exit::Exit;
use crate::observer::TrainingProgress;
use crate::provenance::provenance;

pub(super) fn run(args: &FinetuneArgs, json: bool) -> anyhow::Result<Exit> {
    let FinetuneArgs { task: _, from, config, data, train, fall_risk: _, backend } = args;
    let from = from.as_deref().map(Run::open).transpose()?;
    let started = match (train.resumed(Task::Classify)?, &from) {
        (Some(config), _) => config,
        (None, from) => from.as_ref().expect("clap wants one of the two").config().for_classify(),
    };
    let started = match config {
        Some(path) => started.with_file(path)?,
        None => started,
    };
    let config = train.applied(started, backend);
    let engine = engine(&config.backend)?;
    let data = data.load()?;
    let (run, resume) = (train.folder(), train.resume.is_some());
    let job = TrainJob { config, data: &data, run: &run, from: from.as_ref(), resume, provenance: provenance() };
    let summary = spaxiom_embedding::train(job, engine.as_ref(), &mut TrainingProgress::new("finetune"))?;
    report(&run, &summary, data.n_rejected(), json)
}
