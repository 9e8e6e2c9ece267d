//! `index`: events into a store.

use serde_json::json;
use spaxiom_embedding::{EmbeddingPipeline, HnswOptions, IndexKind, PipelineOptions, RunFolder, Store};

use super::{engine_for, load};
use crate::args::{IndexAction, IndexArgs, IndexBuildArgs, KindArg, StoreArgs};
use crate::exit::Exit;
use crate::{observer, output};

/// Events that are encoded and committed together.
pub(crate) const BATCH_SIZE: usize = 256;

pub(crate) fn run(args: &IndexArgs, json: bool) -> anyhow::Result<Exit> {
    match &args.action {
        IndexAction::Build(args) => build(args, true, json),
        IndexAction::Add(args) => build(args, false, json),
        IndexAction::Compact(args) => compact(args, json),
        IndexAction::Stats(args) => stats(args, json),
        IndexAction::Verify(args) => verify(args, json),
    }
}

fn build(args: &IndexBuildArgs, with_index: bool, json: bool) -> anyhow::Result<Exit> {
    let run = RunFolder::new(&args.run);
    let engine = engine_for(&args.backend, &run)?;
    let data = load(&args.data)?;
    let options = PipelineOptions { batch_size: BATCH_SIZE, index: kind(args) };
    let mut pipeline = EmbeddingPipeline::open(&run, &args.store.store, options, engine.as_ref())?;
    let bar = observer::counter("embed", data.n_events());
    let mut n_new = 0;
    for sequence in data.sequences() {
        n_new += pipeline.add_to_index(sequence, |n| bar.inc(n as u64))?;
    }
    bar.finish_and_clear();
    if with_index {
        pipeline.build_index()?;
    }
    let stats = pipeline.store().stats()?;
    if json {
        output::json(&json!({"new": n_new, "stats": stats}))?;
    } else {
        let store = args.store.store.display();
        output::text(&format!(
            "{store}: {n_new} events added, {} stored, {} indexed\n",
            stats.n_vectors, stats.n_indexed
        ));
    }
    Ok(Exit::Done)
}

fn kind(args: &IndexBuildArgs) -> IndexKind {
    let IndexBuildArgs { kind, m, ef_construction, ef_search, threads, .. } = args;
    match kind {
        KindArg::Exact => IndexKind::Exact,
        KindArg::Hnsw => IndexKind::Hnsw(HnswOptions {
            m: *m,
            ef_construction: *ef_construction,
            ef_search: *ef_search,
            n_threads: *threads,
        }),
    }
}

fn compact(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let report = Store::open(&args.store)?.build()?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&format!("{} vectors indexed, {} bytes\n", report.n_vectors, report.n_bytes));
    }
    Ok(Exit::Done)
}

fn stats(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let stats = Store::open(&args.store)?.stats()?;
    if json {
        output::json(&stats)?;
    } else {
        let dim = stats.header.dim;
        output::text(&format!("{} vectors of width {dim}, {} indexed\n", stats.n_vectors, stats.n_indexed));
    }
    Ok(Exit::Done)
}

fn verify(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let report = Store::open(&args.store)?.verify()?;
    let is_sound = report.database == "ok" && report.index_is_sound;
    if json {
        output::json(&report)?;
    } else {
        let index = if report.index_is_sound { "ok" } else { "damaged: run `index compact`" };
        output::text(&format!("database: {}\nindex: {index}\n", report.database));
    }
    Ok(if is_sound { Exit::Done } else { Exit::Failed })
}
