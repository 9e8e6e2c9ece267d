//! What pretraining and fine-tuning have in common.

use std::path::PathBuf;

use clap::Args;
use spaxiom_embedding::{CellReport, FitReport, Outcome, Run, RunConfig, RunFolder, RunSummary, Task};

use super::BackendArgs;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Folder of the new run
    #[arg(long, required_unless_present = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Resume the run in this folder from its last checkpoint
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub(crate) resume: Option<PathBuf>,
    /// Maximum number of steps [default: that of the preset]
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub(crate) max_steps: Option<u64>,
    /// Reduce vectors to N dimensions with PCA fitted on the training split [default: all dimensions of the encoder]
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub(crate) reduce_to: Option<usize>,
    /// Random seed of initial weights, order and masks [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "resume", help_heading = "Training")]
    pub(crate) seed: Option<u64>,
}

impl TrainArgs {
    /// The folder of the run.
    pub(crate) fn folder(&self) -> RunFolder {
        let path = self.resume.as_ref().or(self.out.as_ref());
        RunFolder::new(path.expect("clap wants one of the two"))
    }

    /// The configuration of the run that is resumed; none for a new run.
    pub(crate) fn resumed(&self, task: Task) -> anyhow::Result<Option<RunConfig>> {
        Ok(self.resume.as_deref().map(|path| Run::open(path)?.resumed_config(task)).transpose()?)
    }

    /// The configuration with what the flags say.
    pub(crate) fn applied(&self, mut config: RunConfig, backend: &BackendArgs) -> RunConfig {
        let Self { out: _, resume: _, max_steps, seed, reduce_to } = self;
        config.train.max_steps = max_steps.unwrap_or(config.train.max_steps);
        config.train.seed = seed.unwrap_or(config.train.seed);
        config.reduce_to = reduce_to.or(config.reduce_to);
        config.backend = backend.backend.clone().unwrap_or(config.backend);
        config
    }
}

/// Reports how a run ended.
pub(crate) fn report(run: &RunFolder, summary: &RunSummary, n_rejected: usize, json: bool) -> anyhow::Result<Exit> {
    let path = run.path().display();
    if json {
        output::json(summary)?;
    } else {
        let RunSummary { outcome: _, steps, validation_loss, vector, weights, n_parameters, tokens } = summary;
        if let Some(tokens) = tokens {
            output::text(&tokens_text(tokens));
        }
        if let (None, Some(hash)) = (weights, vector) {
            output::text(&format!("{path}: a memory without an encoder, vectors {}\n", &hash[..16]));
            return Ok(Exit::of_rejected(n_rejected as u64, false));
        }
        let loss = validation_loss.map_or("none".into(), |loss| format!("{loss:.4}"));
        output::text(&format!(
            "{path}: {steps} steps, {n_parameters} parameters, validation loss {loss}, weights {}\n",
            weights.as_deref().map_or("none yet", |hash| &hash[..16])
        ));
    }
    if summary.outcome == Outcome::Interrupted {
        tracing::warn!("stopped; continue with `--resume {path}`");
        return Ok(Exit::Interrupted);
    }
    Ok(Exit::of_rejected(n_rejected as u64, false))
}

/// What the tokenizer learned, and how full its hash tables are.
fn tokens_text(report: &FitReport) -> String {
    let FitReport { n_events, n_tokens, cells } = report;
    let cell = |CellReport { resolution_m, n_cells, n_buckets, collisions }: &CellReport| {
        let percent = collisions * 100.0;
        format!("cells of {resolution_m} m: {n_cells} in {n_buckets} buckets, {percent:.0} % collide with another\n")
    };
    let cells: String = cells.iter().map(cell).collect();
    format!("{n_tokens} tokens learned from {n_events} events\n{cells}")
}
