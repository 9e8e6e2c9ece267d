//! `finetune`: a pretrained run and labels to a run for a task.

mod classify;
mod fall_risk;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

pub(crate) use self::fall_risk::FallRiskArgs;
use crate::args::{BackendArgs, DataArgs, TrainArgs};
use crate::exit::{Exit, WrongUse};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FinetuneTask {
    /// Classify the labels of the data: hidden causes or activities
    Classify,
    /// Judge how likely a fall is at the first report of an unsteady walk
    FallRisk,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask finetune --task classify --from runs/warehouse --data data/warehouse --out runs/causes\n  \
    cargo xtask finetune --task fall-risk --from runs/hospital --data data/hospital --out runs/falls\n  \
    cargo xtask finetune --task fall-risk --alerts-per-ward-shift 0.5 --from runs/hospital --data data/hospital --out runs/falls\n\n\
    Ctrl-C writes a checkpoint of a classifier and exits with code 130."
)]
pub(crate) struct FinetuneArgs {
    /// Task
    #[arg(long, value_enum)]
    pub(crate) task: FinetuneTask,
    /// The pretrained run to start from
    #[arg(long, value_name = "RUN", required_unless_present = "resume")]
    pub(crate) from: Option<PathBuf>,
    /// Experiment file (TOML): any settings over those of the run to start from; for `fall-risk` the sections [rule] and [memory]
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) fall_risk: FallRiskArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

pub(crate) fn run(args: &FinetuneArgs, json: bool) -> anyhow::Result<Exit> {
    match args.task {
        FinetuneTask::Classify => {
            require_unused(args.fall_risk.given(), "classify")?;
            classify::run(args, json)
        }
        FinetuneTask::FallRisk => {
            let TrainArgs { out: _, resume, max_steps, reduce_to, seed: _ } = &args.train;
            let trained = [
                ("--resume", resume.is_some()),
                ("--max-steps", max_steps.is_some()),
                ("--reduce-to", reduce_to.is_some()),
                ("--backend", args.backend.backend.is_some()),
            ];
            require_unused(trained.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag), "fall-risk")?;
            fall_risk::run(args, json)
        }
    }
}

/// Fails for a flag that the task does not read.
fn require_unused(given: impl IntoIterator<Item = &'static str>, task: &str) -> anyhow::Result<()> {
    match given.into_iter().next() {
        Some(flag) => Err(WrongUse(format!("`{flag}` does nothing for `--task {task}`: leave it out")).into()),
        None => Ok(()),
    }
}
