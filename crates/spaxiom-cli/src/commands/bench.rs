//! `bench`: how fast, beside the peers, in the same run; and what views keep.

mod encode;
mod ingest;
mod peers;
mod train;
mod views;

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use spaxiom_sim::write_benchmark_events;

use crate::args::{BenchArgs, WorkloadArg};
use crate::exit::Exit;
use crate::output;

/// The seed of the benchmark file; peers use the same.
const SEED: u64 = 1;

/// One figure of ours, and the peer's where there is one.
#[derive(Debug, Serialize)]
struct Row {
    workload: String,
    unit: &'static str,
    /// Median.
    ours: f64,
    /// Median.
    peer: Option<f64>,
    /// Our time over the peer's: below 1 is faster.
    ratio: Option<f64>,
    runs: u32,
    threads: u32,
    /// Which peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_name: Option<String>,
}

pub(crate) fn run(args: &BenchArgs, json: bool) -> anyhow::Result<Exit> {
    if let Some(file) = &args.stream_file {
        output::text(&format!("{}\n", ingest::peak_of_stream(file, args.threads)?));
        return Ok(Exit::Done);
    }
    let folder = Folder::new(args.keep.as_deref())?;
    let workloads = match args.workload.as_slice() {
        [] => &[WorkloadArg::Ingest, WorkloadArg::Validate, WorkloadArg::Tokenize, WorkloadArg::Memory],
        chosen => chosen,
    };
    rayon_threads(args.threads)?;
    let mut rows = Vec::new();
    for workload in workloads {
        match workload {
            WorkloadArg::Ingest => rows.extend(ingest::ingest(args, &folder.events(args.events)?)?),
            WorkloadArg::Validate => rows.push(ingest::validate(args, &folder.events(args.events)?)?),
            WorkloadArg::Tokenize => rows.push(ingest::tokenize(args, &folder.events(args.events)?)?),
            WorkloadArg::Encode => rows.extend(encode::encode(args, &folder)?),
            WorkloadArg::Train => rows.extend(train::train(args, &folder)?),
            WorkloadArg::Views => rows.extend(views::views()?),
            WorkloadArg::Memory => rows.extend(ingest::memory(args, &folder)?),
        }
    }
    if json {
        output::json(&rows)?;
    } else {
        output::text(&table(&rows));
    }
    Ok(Exit::Done)
}

/// Where benchmark files are: a folder that the user keeps, or one that goes away again.
struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    fn new(kept: Option<&Path>) -> anyhow::Result<Self> {
        let own = || std::env::temp_dir().join(format!("spaxiom-bench-{}", std::process::id()));
        let path = kept.map_or_else(own, Path::to_owned);
        fs_err::create_dir_all(&path)?;
        Ok(Self { path, is_kept: kept.is_some() })
    }

    /// The file of so many events, made now unless it is there.
    fn events(&self, n_events: usize) -> anyhow::Result<PathBuf> {
        let path = self.path.join(format!("events_{n_events}.jsonl"));
        if !path.exists() {
            tracing::info!("making {} events", n_events);
            let partial = path.with_extension("partial");
            let mut out = BufWriter::new(fs_err::File::create(&partial)?);
            write_benchmark_events(&mut out, n_events, SEED).context("the benchmark file")?;
            out.flush()?;
            fs_err::rename(&partial, &path)?;
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

/// The threads of everything that runs in parallel in this process.
fn rayon_threads(n_threads: u32) -> anyhow::Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads as usize)
        .build_global()
        .context("the threads of the benchmark")
}

/// Median of the rates of some runs, after one that does not count.
fn median_rate(runs: u32, n_events: usize, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    work()?;
    let mut rates = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        work()?;
        rates.push(n_events as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[rates.len() / 2])
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<44} {:>12} {:>12} {:>7}  {:<9} {:>4} {:>7}\n",
        "workload", "ours", "peer", "ratio", "unit", "runs", "threads"
    );
    for Row { workload, unit, ours, peer, ratio, runs, threads, peer_name } in rows {
        let name = peer_name.as_ref().map_or_else(|| workload.clone(), |peer| format!("{workload} ({peer})"));
        let figure = |value: f64| if value < 1000.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        let (ours, peer) = (figure(*ours), peer.map_or("-".into(), figure));
        let ratio = ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"));
        let _ = writeln!(text, "{name:<44} {ours:>12} {peer:>12} {ratio:>7}  {unit:<9} {runs:>4} {threads:>7}");
    }
    text
}
