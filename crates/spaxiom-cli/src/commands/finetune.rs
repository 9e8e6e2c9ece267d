//! `finetune`: a pretrained run and labels to a run for a task.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spaxiom_embedding::{Run, Task, TrainJob, engine};

use crate::args::{BackendArgs, DataArgs, TrainArgs, report};
use crate::exit::Exit;
use crate::observer::TrainingProgress;
use crate::provenance::provenance;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FinetuneTask {
    /// Classify the labels of the data: hidden causes or activities
    Classify,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask finetune --task classify --from runs/warehouse --data data/warehouse --out runs/causes\n\n\
    Ctrl-C writes a checkpoint and exits with code 130."
)]
pub(crate) struct FinetuneArgs {
    /// Task
    #[arg(long, value_enum)]
    pub(crate) task: FinetuneTask,
    /// The pretrained run to start from
    #[arg(long, value_name = "RUN", required_unless_present = "resume")]
    pub(crate) from: Option<PathBuf>,
    /// Experiment file (TOML): any settings over those of the run to start from
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

pub(crate) fn run(args: &FinetuneArgs, json: bool) -> anyhow::Result<Exit> {
    let FinetuneArgs { task: FinetuneTask::Classify, from, config, data, train, backend } = args;
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
