//! The files that benchmarks read.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;
use spaxiom_file::NewFile;
use spaxiom_sim::write_benchmark_events;

/// Random seed of the benchmark file; the peers use the same.
pub(crate) const SEED: u64 = 1;

/// Where benchmark files are: a folder that the user keeps, or a temporary one.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    is_kept: bool,
}

impl Folder {
    pub(crate) fn new(kept: Option<&Path>) -> anyhow::Result<Self> {
        let own = || std::env::temp_dir().join(format!("spaxiom-bench-{}", std::process::id()));
        let path = kept.map_or_else(own, Path::to_owned);
        fs_err::create_dir_all(&path)?;
        Ok(Self { path, is_kept: kept.is_some() })
    }

    /// The file of so many events, generated unless it is there.
    pub(crate) fn events(&self, n_events: usize) -> anyhow::Result<PathBuf> {
        let path = self.path.join(format!("events_{n_events}.jsonl"));
        if !path.exists() {
            tracing::info!("generating {n_events} events");
            let mut out = BufWriter::new(NewFile::create(&path)?);
            write_benchmark_events(&mut out, n_events, SEED).context("the benchmark file")?;
            out.into_inner()?.commit()?;
        }
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            // What cannot be removed from a temporary folder, the system removes.
            let _ = fs_err::remove_dir_all(&self.path);
        }
    }
}
