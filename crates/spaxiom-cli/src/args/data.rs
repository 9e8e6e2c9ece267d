//! Which data a command reads.

use std::path::PathBuf;

use clap::Args;
use spaxiom_embedding::Dataset;

use super::ReadArgs;

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// File of events, or folder with events.jsonl and labels.jsonl
    #[arg(long)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

impl DataArgs {
    /// Reads the data and reports what was left out.
    pub(crate) fn load(&self) -> anyhow::Result<Dataset> {
        let data = Dataset::load(&self.data, &self.read.options()?)?;
        tracing::info!("{}: {} events of {} sites", self.data.display(), data.n_events(), data.n_sites());
        if data.n_rejected() > 0 {
            tracing::warn!("{} lines were rejected; `check` says why", data.n_rejected());
        }
        if data.n_duplicates() > 0 {
            tracing::warn!("{} events were left out as duplicates by site and id", data.n_duplicates());
        }
        if data.n_left_out() > 0 {
            tracing::warn!("{} values were left out of events; `check` says which", data.n_left_out());
        }
        if data.n_unpaired() > 0 {
            tracing::warn!("{} activity marks have no partner and give no label", data.n_unpaired());
        }
        Ok(data)
    }
}
