//! The Python programs that do the same work.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// A line that a peer prints.
#[derive(Debug, Deserialize)]
struct PeerLine {
    workload: String,
    #[serde(default)]
    median: Option<f64>,
    #[serde(default)]
    error: Option<String>,
}

/// Name and events per second of every peer that could run.
pub(super) fn ingest(folder: &Path, python: &Path, file: &Path, threads: u32) -> anyhow::Result<Vec<(String, f64)>> {
    let program = folder.join("peer.py");
    ensure!(program.exists(), "`--peers`: there is no `{}`", program.display());
    tracing::info!("running {} ingest", program.display());
    let output = Command::new(python)
        .arg(&program)
        .arg("ingest")
        .arg(file)
        .env("PEER_THREADS", threads.to_string())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| {
            format!("`{}`; name the interpreter with the peers' packages by `--python`", python.display())
        })?;
    ensure!(output.status.success(), "{} failed; are numpy, pyarrow, pandas and orjson installed?", program.display());
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let PeerLine { workload, median, error } =
            serde_json::from_str(line).with_context(|| format!("a line of the peer: `{line}`"))?;
        let name = workload.trim_start_matches("ingest/").to_owned();
        match (median, error) {
            (Some(median), _) => found.push((name, median)),
            (None, error) => tracing::warn!("{workload}: {}", error.unwrap_or_else(|| "no figure".into())),
        }
    }
    ensure!(!found.is_empty(), "no peer gave a figure");
    Ok(found)
}
