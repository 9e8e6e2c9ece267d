//! `ablate`: which objective improves which metric.

use std::path::PathBuf;

use clap::Args;
use spaxiom_embedding::{AblationJob, EvaluateOptions, Observer, Preset, RunConfig, Task, VectorName, engine};

use crate::args::{BackendArgs, DataArgs, EncoderArgs, vector_parser};
use crate::exit::Exit;
use crate::objectives::{Objectives, objectives};
use crate::observer::TrainingProgress;
use crate::output;
use crate::provenance::provenance;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask ablate --data data/warehouse --out runs/ablation\n  \
    cargo xtask ablate --data home.txt --format casas --encoder gru --sets nep info-nce nep+info-nce --seeds 5 --out runs/home\n\n\
    Finished runs are reused, so the same command resumes a stopped ablation.")]
pub(crate) struct AblateArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Sizes and training settings that are known to work
    #[arg(long, value_enum, conflicts_with = "config")]
    pub(crate) preset: Option<Preset>,
    /// Experiment file (TOML): any settings over those of the preset it names, weights of objectives included
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) encoder: EncoderArgs,
    /// Parts of the vectors that are compared
    #[arg(long, value_parser = vector_parser(), default_value = "both")]
    pub(crate) vector: VectorName,
    /// Sets of objectives that are trained together, joined by +
    #[arg(long, num_args = 1.., value_name = "SET", value_parser = objectives,
        default_values = ["mep", "nep", "jigsaw", "info-nce", "triplet", "nep+info-nce"])]
    pub(crate) sets: Vec<Objectives>,
    /// Number of seeds per set
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// Maximum number of steps per run [default: that of the preset]
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    /// Folder for the runs and ablation.json
    #[arg(long)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

pub(crate) fn run(args: &AblateArgs, json: bool) -> anyhow::Result<Exit> {
    let mut config = match &args.config {
        Some(path) => RunConfig::from_file(path, Task::Pretrain)?,
        None => RunConfig::preset(args.preset.unwrap_or(Preset::Tiny), Task::Pretrain),
    };
    config = args.encoder.applied(config);
    config.train.max_steps = args.max_steps.unwrap_or(config.train.max_steps);
    config.backend = args.backend.backend.clone().unwrap_or(config.backend);
    let engine = engine(&config.backend)?;
    let data = args.data.load()?;
    let job = AblationJob {
        config,
        sets: args.sets.iter().map(|set| set.0.clone()).collect(),
        n_seeds: args.seeds,
        data: &data,
        out: &args.out,
        provenance: provenance(),
        options: EvaluateOptions { parts: args.vector, ..EvaluateOptions::default() },
    };
    let mut watch = |name: &str| -> Box<dyn Observer> { Box::new(TrainingProgress::new(name)) };
    let Some(report) = spaxiom_embedding::ablate(&job, engine.as_ref(), &mut watch)? else {
        tracing::warn!("stopped; the same command resumes");
        return Ok(Exit::Interrupted);
    };
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_table());
    }
    Ok(Exit::of_rejected(data.n_rejected() as u64, false))
}
