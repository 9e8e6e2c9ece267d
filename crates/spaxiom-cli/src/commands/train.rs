//! `pretrain` and `finetune`: data to run folders.

use spaxiom_embedding::{
    CellReport, FinetuneJob, FitReport, Outcome, Preset, PretrainJob, RunConfig, RunFolder, RunSummary, ShardedDataset,
    Task, engine,
};

use super::{load, provenance};
use crate::args::{BackendArgs, FinetuneArgs, PretrainArgs, TrainArgs};
use crate::exit::Exit;
use crate::observer::TrainingProgress;
use crate::output;

pub(crate) fn pretrain(args: &PretrainArgs, json: bool) -> anyhow::Result<Exit> {
    let (run, resume) = folder(&args.train);
    let config = match (resume, &args.config) {
        (true, _) => PretrainJob::resumed_config(&run, Task::Pretrain)?,
        (false, Some(path)) => RunConfig::from_file(path, Task::Pretrain)?,
        (false, None) => {
            let preset = args.preset.map_or(Preset::Tiny, Preset::from);
            RunConfig::preset(preset, Task::Pretrain)
        }
    };
    let config = match args.encoder {
        Some(encoder) => config.with_encoder(encoder.into()),
        None => config,
    };
    let config = match args.tokens {
        Some(tokens) => config.with_tokens(tokens.into()),
        None => config,
    };
    let config = match args.objective.as_slice() {
        [] => config,
        objectives => config.with_objectives(&objectives.iter().copied().map(Into::into).collect::<Vec<_>>()),
    };
    let config = with_flags(config, &args.train, &args.backend);
    let engine = engine(&config.backend)?;
    if args.stream {
        let data = ShardedDataset::open(&args.data.data, &args.data.read.options()?)?;
        tracing::info!("{}: {} events in {} files", args.data.data.display(), data.n_events(), data.n_shards());
        let job = PretrainJob { config, data: &data, run: &run, resume, provenance: provenance() };
        let progress = &mut TrainingProgress::new("pretrain");
        let summary = spaxiom_embedding::pretrain_sharded(job, engine.as_ref(), progress)?;
        return finish(&run, &summary, data.n_rejected(), json);
    }
    let data = load(&args.data)?;
    let job = PretrainJob { config, data: &data, run: &run, resume, provenance: provenance() };
    let summary = spaxiom_embedding::pretrain(job, engine.as_ref(), &mut TrainingProgress::new("pretrain"))?;
    finish(&run, &summary, data.n_rejected(), json)
}

pub(crate) fn finetune(args: &FinetuneArgs, json: bool) -> anyhow::Result<Exit> {
    let (run, resume) = folder(&args.train);
    let from = args.from.as_deref().map(RunFolder::new);
    let config = match &from {
        Some(from) if !resume => from.config()?.for_classify(),
        _ => PretrainJob::resumed_config(&run, Task::Classify)?,
    };
    let config = with_flags(config, &args.train, &args.backend);
    let engine = engine(&config.backend)?;
    let data = load(&args.data)?;
    let job = PretrainJob { config, data: &data, run: &run, resume, provenance: provenance() };
    let job = FinetuneJob { from: from.as_ref(), job };
    let summary = spaxiom_embedding::finetune(job, engine.as_ref(), &mut TrainingProgress::new("finetune"))?;
    finish(&run, &summary, data.n_rejected(), json)
}

/// The folder of the run, and whether it is to be resumed.
fn folder(args: &TrainArgs) -> (RunFolder, bool) {
    match (&args.resume, &args.out) {
        (Some(run), _) => (RunFolder::new(run), true),
        (None, out) => (RunFolder::new(out.as_deref().expect("clap wants one of the two")), false),
    }
}

fn with_flags(mut config: RunConfig, train: &TrainArgs, backend: &BackendArgs) -> RunConfig {
    let TrainArgs { out: _, resume: _, max_steps, seed, reduce_to } = train;
    config.train.max_steps = max_steps.unwrap_or(config.train.max_steps);
    config.train.seed = seed.unwrap_or(config.train.seed);
    config.reduce_to = reduce_to.or(config.reduce_to);
    config.backend = backend.backend.clone().unwrap_or(config.backend);
    config
}

/// What the tokenizer learnt, and how full its hash tables are.
fn tokens_text(report: &FitReport) -> String {
    let FitReport { n_events, n_tokens, cells } = report;
    let cell = |CellReport { resolution_m, n_cells, n_buckets, collisions }: &CellReport| {
        let percent = collisions * 100.0;
        format!(
            "cells of {resolution_m} m: {n_cells} in {n_buckets} buckets, {percent:.0} % share theirs with another\n"
        )
    };
    let cells: String = cells.iter().map(cell).collect();
    format!("{n_tokens} tokens learnt from {n_events} events\n{cells}")
}

fn finish(run: &RunFolder, summary: &RunSummary, n_rejected: usize, json: bool) -> anyhow::Result<Exit> {
    let path = run.path().display();
    if json {
        output::json(summary)?;
    } else {
        let RunSummary { outcome: _, steps, validation_loss, weights, n_parameters, tokens } = summary;
        if let Some(tokens) = tokens {
            output::text(&tokens_text(tokens));
        }
        let loss = validation_loss.map_or("none".into(), |loss| format!("{loss:.4}"));
        output::text(&format!(
            "{path}: {steps} steps, {n_parameters} parameters, validation loss {loss}, weights {}\n",
            weights.as_deref().map_or("none yet", |hash| &hash[..16])
        ));
    }
    if summary.outcome == Outcome::Interrupted {
        tracing::warn!("stopped; go on with `--resume {path}`");
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::of_rejected(n_rejected as u64, false))
}
