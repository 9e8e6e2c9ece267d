//! Which backend a command computes on.

use clap::Args;
use spaxiom_embedding::{Engine, Run};

#[derive(Debug, Clone, Args)]
pub(crate) struct BackendArgs {
    /// Backend: flex, ndarray, wgpu or cuda, if compiled in [default: flex, or that of the run]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
}

impl BackendArgs {
    /// The engine that was asked for, or the one that made the run.
    pub(crate) fn engine_for(&self, run: &Run) -> anyhow::Result<Box<dyn Engine>> {
        let name = self.backend.as_deref().unwrap_or(&run.config().backend);
        Ok(spaxiom_embedding::engine(name)?)
    }
}
