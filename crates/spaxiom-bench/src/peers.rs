//! The Python programs that do the same work.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

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
    /// Milliseconds, and events of a batch.
    #[serde(default)]
    ms: Option<f64>,
    #[serde(default)]
    events: Option<f64>,
    #[serde(default)]
    threads: Option<u32>,
}

/// Name and events per second of every peer that could run.
pub(crate) fn ingest(folder: &Path, python: &Path, file: &Path, threads: u32) -> anyhow::Result<Vec<(String, f64)>> {
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
        let PeerLine { workload, median, error, .. } =
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

/// The name of the figure of a batch.
pub(crate) const BATCH: &str = "1,000 events of 64 windows";

/// The name of the figure of one window.
pub(crate) fn single(len: usize) -> String {
    format!("one window of {len}")
}

/// A figure of a peer's encoder.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) workload: String,
    pub(crate) ms: f64,
}

/// The peer's 32-bit rows without compilation; of a batch padded to one length or to four, the faster.
///
/// The peer goes on with reduced precision and compilation for many minutes; it is stopped before.
pub(crate) fn encode(
    folder: &Path,
    python: &Path,
    preset: &str,
    file: &Path,
    threads: u32,
) -> anyhow::Result<Vec<Encoded>> {
    let mut child = start(folder, python, &["encode", preset], file, threads)?;
    let out = BufReader::new(child.stdout.take().context("the peer's output")?);
    let mut found: Vec<Encoded> = Vec::new();
    let prefix = format!("encode/{preset}/torch_fp32/");
    for line in out.lines() {
        let line = line?;
        let PeerLine { workload, ms, events, .. } =
            serde_json::from_str(&line).with_context(|| format!("a line of the peer: `{line}`"))?;
        let Some(rest) = workload.strip_prefix(&prefix) else {
            // Rows of other precisions stand before and behind.
            if found.is_empty() {
                continue;
            }
            break;
        };
        let ms = ms.with_context(|| format!("milliseconds in `{line}`"))?;
        let figure = match rest.strip_prefix("b1_len") {
            Some(len) => Encoded { workload: single(len.parse()?), ms },
            None => Encoded { workload: BATCH.to_owned(), ms: ms * 1000.0 / events.context("events of a batch")? },
        };
        match found.iter_mut().find(|known| known.workload == figure.workload) {
            Some(known) => known.ms = known.ms.min(figure.ms),
            None => found.push(figure),
        }
    }
    // It is our own child, and its figures are here.
    child.kill().and_then(|()| child.wait()).context("stopping the peer")?;
    ensure!(!found.is_empty(), "the peer gave no figure; is torch installed?");
    Ok(found)
}

/// Milliseconds of the peer's steps of training, and of its recurrent layers forward and back, under the peer's own names.
pub(crate) fn train(folder: &Path, python: &Path, file: &Path, threads: u32) -> anyhow::Result<Vec<Encoded>> {
    let output = start(folder, python, &["train"], file, threads)?.wait_with_output()?;
    ensure!(output.status.success(), "the peer failed; is torch installed?");
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let PeerLine { workload, median, .. } =
            serde_json::from_str(line).with_context(|| format!("a line of the peer: `{line}`"))?;
        found.extend(median.map(|ms| Encoded { workload, ms }));
    }
    Ok(found)
}

/// Seconds in which faiss-cpu builds a graph with 32 neighbors and an `efConstruction` of 40, by the name of the figure.
pub(crate) fn index(folder: &Path, python: &Path, n: usize, threads: u32) -> anyhow::Result<Vec<(String, f64)>> {
    let program = folder.join("peer.py");
    fs_err::create_dir_all(folder.join("data"))?;
    let mut child = Command::new(python)
        .arg(&program)
        .args(["index", &n.to_string(), "0"])
        .env("PEER_THREADS", threads.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| {
            format!("`{}`; name the interpreter with the peers' packages by `--python`", python.display())
        })?;
    let out = BufReader::new(child.stdout.take().context("the peer's output")?);
    let mut found = Vec::new();
    for line in out.lines() {
        let line = line?;
        let PeerLine { workload, median, threads: used, .. } =
            serde_json::from_str(&line).with_context(|| format!("a line of the peer: `{line}`"))?;
        if workload.starts_with("index/hnsw32_efc40/build") && used == Some(threads) {
            found.extend(median.map(|secs| (workload, secs)));
            break;
        }
    }
    // It is our own child, and goes on with what is not compared.
    child.kill().and_then(|()| child.wait()).context("stopping the peer")?;
    ensure!(!found.is_empty(), "the peer gave no figure; are numpy and faiss-cpu installed?");
    Ok(found)
}

/// Starts the peer; it reads the tokens of its own ingestion, which comes first.
fn start(folder: &Path, python: &Path, args: &[&str], file: &Path, threads: u32) -> anyhow::Result<Child> {
    let program = folder.join("peer.py");
    if !folder.join("data").join("tokens.npz").exists() {
        ingest(folder, python, file, threads)?;
    }
    tracing::info!("running {} {}", program.display(), args.join(" "));
    Command::new(python)
        .arg(&program)
        .args(args)
        .env("PEER_THREADS", threads.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{}`; name the interpreter with the peers' packages by `--python`", python.display()))
}
