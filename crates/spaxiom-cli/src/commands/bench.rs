//! `bench`: how fast, beside the peers, in the same run.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use spaxiom_bench::{BenchOptions, IndexStep, Workload, bench, build_of, intake_of, peak_of_stream, search_of, table};

use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask bench --workload ingest\n  \
    cargo xtask bench --workload ingest --peers peers --python venv/bin/python --json\n\n\
    The ratio is our time over the peer's: below 1 is faster. Both run in turn on the same file.")]
pub(crate) struct BenchArgs {
    /// What to measure, repeatable [default: ingest, validate, tokenize, memory]
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) workload: Vec<Workload>,
    /// Number of events in the benchmark file
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub(crate) events: usize,
    /// Number of vectors in the store of `--workload index`
    #[arg(long, default_value_t = 50_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1_000..))]
    pub(crate) vectors: u32,
    /// Runs of ours, of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Threads of ours and of the peers
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) threads: u32,
    /// Folder of the Python peers (peer.py), to run them too
    #[arg(long, value_name = "DIR")]
    pub(crate) peers: Option<PathBuf>,
    /// Python interpreter with the packages of the peers
    #[arg(long, default_value = "python3")]
    pub(crate) python: PathBuf,
    /// Data of the store of `--workload serve` [default: a simulated warehouse]
    #[arg(long, value_name = "DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Seconds of each load of `--workload serve`
    #[arg(long, default_value_t = 10.0, value_name = "SECS")]
    pub(crate) secs: f64,
    /// Folder to keep the benchmark file in and reuse it from [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Used by `--workload memory` for a process of its own
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) stream_file: Option<PathBuf>,
    /// Used by `--workload intake` for a process of its own
    #[arg(long, hide = true, value_name = "DATA")]
    pub(crate) intake_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) index: IndexStepArgs,
}

/// Used by `--workload index` for processes of its own.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "the names of flags")]
pub(crate) struct IndexStepArgs {
    #[arg(long, hide = true, requires_all = ["index_store", "index_kind", "index_truth"])]
    pub(crate) index_step: Option<String>,
    #[arg(long, hide = true)]
    pub(crate) index_store: Option<PathBuf>,
    #[arg(long, hide = true)]
    pub(crate) index_kind: Option<String>,
    #[arg(long, hide = true)]
    pub(crate) index_truth: Option<PathBuf>,
}

pub(crate) fn run(args: &BenchArgs, json: bool) -> anyhow::Result<Exit> {
    let BenchArgs {
        workload,
        events,
        vectors,
        runs,
        threads,
        peers,
        python,
        data,
        secs,
        keep,
        stream_file,
        intake_file,
        index,
    } = args;
    if let Some(step) = &index.index_step {
        return index_step(step, index, *threads);
    }
    if let Some(file) = stream_file {
        output::text(&format!("{}\n", peak_of_stream(file, *threads)?));
        return Ok(Exit::Done);
    }
    if let Some(data) = intake_file {
        let (secs, mib) = intake_of(data, *threads)?;
        output::text(&format!("{secs} {mib}\n"));
        return Ok(Exit::Done);
    }
    let options = BenchOptions {
        events: *events,
        vectors: *vectors as usize,
        runs: *runs,
        threads: *threads,
        peers: peers.clone(),
        python: python.clone(),
        data: data.clone(),
        secs: *secs,
        keep: keep.clone(),
        program: std::env::current_exe().context("this program")?,
    };
    let workloads = if workload.is_empty() { &Workload::DEFAULT } else { workload.as_slice() };
    let rows = bench(workloads, &options)?;
    if json {
        output::json(&rows)?;
    } else {
        output::text(&table(&rows));
    }
    Ok(Exit::Done)
}

fn index_step(step: &str, args: &IndexStepArgs, threads: u32) -> anyhow::Result<Exit> {
    let IndexStepArgs { index_step: _, index_store, index_kind, index_truth } = args;
    let given = index_store.clone().zip(index_kind.clone()).zip(index_truth.clone());
    let ((store, kind), truth) = given.context("`--index-step` needs a store, a kind and exact answers")?;
    let job = IndexStep { store, kind, truth, threads };
    output::json(&if step == "build" { build_of(&job)? } else { search_of(&job)? })?;
    Ok(Exit::Done)
}
