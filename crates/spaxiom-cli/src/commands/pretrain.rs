//! `pretrain`: data to a run folder, without labels.

use std::path::PathBuf;

use clap::Args;
use spaxiom_embedding::{
    LayoutName, ObjectiveName, Preset, RunConfig, ShardedDataset, Task, TrainJob, TrainingData, engine,
};

use crate::args::{BackendArgs, DataArgs, EncoderArgs, TrainArgs, report};
use crate::exit::Exit;
use crate::objectives::objective_parser;
use crate::observer::TrainingProgress;
use crate::provenance::provenance;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask pretrain --data data/warehouse --encoder memory --out runs/memory\n  \
    cargo xtask pretrain --data data/warehouse --preset tiny --out runs/warehouse\n  \
    cargo xtask pretrain --data data/warehouse --preset small --encoder gru --out runs/gru\n  \
    cargo xtask pretrain --data data/warehouse --objective mep,info-nce --out runs/mixed\n  \
    cargo xtask pretrain --data data/warehouse --resume runs/warehouse\n  \
    cargo xtask pretrain --data data/years --stream --out runs/years\n\n\
    Ctrl-C writes a checkpoint and exits with code 130."
)]
pub(crate) struct PretrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Read the files of the folder --data one after another in every epoch, for data larger than memory
    #[arg(long, help_heading = "Reading events")]
    pub(crate) stream: bool,
    /// Sizes and training settings that are known to work
    #[arg(long, value_enum, conflicts_with_all = ["config", "resume"], help_heading = "Model")]
    pub(crate) preset: Option<Preset>,
    /// Experiment file (TOML): any settings over those of the preset it names
    #[arg(long, conflicts_with = "resume", help_heading = "Model")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) encoder: EncoderArgs,
    /// Token layout: what one position of a window is [default: composite, or what the experiment file says]
    #[arg(long, value_enum, conflicts_with = "resume", help_heading = "Model")]
    pub(crate) tokens: Option<LayoutName>,
    /// Objectives, separated by commas and equally weighted [default: mep, or what the experiment file says]
    #[arg(long, value_parser = objective_parser(), value_delimiter = ',', conflicts_with = "resume", help_heading = "Model")]
    pub(crate) objective: Vec<ObjectiveName>,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

pub(crate) fn run(args: &PretrainArgs, json: bool) -> anyhow::Result<Exit> {
    let config = args.train.applied(config(args)?, &args.backend);
    if args.stream {
        let data = ShardedDataset::open(&args.data.data, &args.data.read.options()?)?;
        tracing::info!("{}: {} events in {} files", args.data.data.display(), data.n_events(), data.n_shards());
        return train(args, config, &data, data.n_rejected(), json);
    }
    let data = args.data.load()?;
    train(args, config, &data, data.n_rejected(), json)
}

fn config(args: &PretrainArgs) -> anyhow::Result<RunConfig> {
    let mut config = match (args.train.resumed(Task::Pretrain)?, &args.config) {
        (Some(config), _) => config,
        (None, Some(path)) => RunConfig::from_file(path, Task::Pretrain)?,
        (None, None) => RunConfig::preset(args.preset.unwrap_or(Preset::Tiny), Task::Pretrain),
    };
    config = args.encoder.applied(config);
    if let Some(tokens) = args.tokens {
        config = config.with_tokens(tokens);
    }
    if !args.objective.is_empty() {
        config = config.with_objectives(&args.objective);
    }
    Ok(config)
}

fn train(
    args: &PretrainArgs,
    config: RunConfig,
    data: &dyn TrainingData,
    n_rejected: usize,
    json: bool,
) -> anyhow::Result<Exit> {
    let engine = engine(&config.backend)?;
    let (run, resume) = (args.train.folder(), args.train.resume.is_some());
    let job = TrainJob { config, data, run: &run, from: None, resume, provenance: provenance() };
    let summary = spaxiom_embedding::train(job, engine.as_ref(), &mut TrainingProgress::new("pretrain"))?;
    report(&run, &summary, n_rejected, json)
}
