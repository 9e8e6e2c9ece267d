//! `ablate`: which objective helps which figure.

use spaxiom_embedding::{AblationJob, EvaluateOptions, Observer, Preset, RunConfig, Task, engine};

use super::{load, provenance};
use crate::args::AblateArgs;
use crate::exit::Exit;
use crate::observer::TrainingProgress;
use crate::output;

pub(crate) fn run(args: &AblateArgs, json: bool) -> anyhow::Result<Exit> {
    let mut config = match &args.config {
        Some(path) => RunConfig::from_file(path, Task::Pretrain)?,
        None => RunConfig::preset(args.preset.map_or(Preset::Tiny, Preset::from), Task::Pretrain),
    };
    if let Some(encoder) = args.encoder {
        config = config.with_encoder(encoder.into());
    }
    config.train.max_steps = args.max_steps.unwrap_or(config.train.max_steps);
    config.backend = args.backend.backend.clone().unwrap_or(config.backend);
    let engine = engine(&config.backend)?;
    let data = load(&args.data)?;
    let job = AblationJob {
        config,
        sets: args.sets.iter().map(|set| set.0.clone()).collect(),
        n_seeds: args.seeds,
        data: &data,
        out: &args.out,
        provenance: provenance(),
        options: EvaluateOptions::default(),
    };
    let mut watch = |name: &str| -> Box<dyn Observer> { Box::new(TrainingProgress::new(name)) };
    let Some(report) = spaxiom_embedding::ablate(&job, engine.as_ref(), &mut watch)? else {
        tracing::warn!("stopped; the same command goes on");
        return Ok(Exit::Interrupted);
    };
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_table());
    }
    Ok(Exit::of_rejected(data.n_rejected() as u64, false))
}
