//! `finetune`: a pretrained run and labels to a run for a task.

mod args;
mod classify;
mod fall_risk;
mod retrieval;

pub(crate) use self::args::{FallRiskArgs, FinetuneArgs, FinetuneTask};
use crate::args::TrainArgs;
use crate::exit::{Exit, WrongUse};

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
        FinetuneTask::Retrieval => {
            let TrainArgs { out: _, resume, max_steps: _, reduce_to, seed: _ } = &args.train;
            let others = [("--resume", resume.is_some()), ("--reduce-to", reduce_to.is_some())];
            let others = others.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag);
            require_unused(args.fall_risk.given().chain(others), "retrieval")?;
            retrieval::run(args, json)
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
