//! `index`: events into a store.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use spaxiom_embedding::{Added, EmbeddingPipeline, IndexKind, KindName, KindRecord, Run, Store, VectorName};

use crate::args::{BackendArgs, DataArgs, vector_parser};
use crate::exit::Exit;
use crate::{observer, output, unknown};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index build --store stores/warehouse --run runs/warehouse --data data/warehouse\n  \
    cargo xtask index stats --store stores/warehouse\n\n\
    A build that was stopped goes on where it was."
)]
pub(crate) struct IndexArgs {
    #[command(subcommand)]
    pub(crate) action: IndexAction,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Folder of the store
    #[arg(long)]
    pub(crate) store: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask index add --store stores/warehouse --run runs/warehouse --data today.jsonl"
)]
pub(crate) struct IndexAddArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The run whose encoder is used
    #[arg(long)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index build --store stores/warehouse --run runs/warehouse --data data/warehouse\n  \
    cargo xtask index build --store stores/small --run runs/warehouse --data data/warehouse --kind exact"
)]
pub(crate) struct IndexBuildArgs {
    #[command(flatten)]
    pub(crate) add: IndexAddArgs,
    /// Parts of the vectors that are stored [default: as before, or both]
    #[arg(long, value_parser = vector_parser())]
    pub(crate) vector: Option<VectorName>,
    #[command(flatten)]
    pub(crate) index: IndexFlags,
}

/// Options of the index; an existing store keeps those that are not given.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct IndexFlags {
    /// Index kind [default: as before, or hnsw]
    #[arg(long, value_enum, help_heading = "Index")]
    pub(crate) kind: Option<KindName>,
    /// HNSW: neighbors per vector [default: as before, or 32]
    #[arg(long, help_heading = "Index")]
    pub(crate) m: Option<u32>,
    /// HNSW: candidates kept while building [default: as before, or 80]
    #[arg(long, help_heading = "Index")]
    pub(crate) ef_construction: Option<u32>,
    /// HNSW: candidates kept while searching [default: as before, or 64]
    #[arg(long, help_heading = "Index")]
    pub(crate) ef_search: Option<u32>,
    /// HNSW: threads while building; with more than one the graph is not reproducible [default: as before, or 1]
    #[arg(long, help_heading = "Index")]
    pub(crate) threads: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexAction {
    /// Embed all events of the data and index them
    Build(IndexBuildArgs),
    /// Add events without rebuilding the index; they are searchable immediately
    Add(IndexAddArgs),
    /// Rebuild the index file over everything that is stored
    Compact(StoreArgs),
    /// Print the number of vectors and the index kind
    Stats(StoreArgs),
    /// Verify database and index file
    Verify(StoreArgs),
}

pub(crate) fn run(args: &IndexArgs, json: bool) -> anyhow::Result<Exit> {
    match &args.action {
        IndexAction::Build(args) => build(args, json),
        IndexAction::Add(args) => add(args, json),
        IndexAction::Compact(args) => compact(args, json),
        IndexAction::Stats(args) => stats(args, json),
        IndexAction::Verify(args) => verify(args, json),
    }
}

fn build(args: &IndexBuildArgs, json: bool) -> anyhow::Result<Exit> {
    let IndexBuildArgs { add, vector, index } = args;
    let stored = Store::inspect(&add.store.store).and_then(|store| store.stats()).ok();
    let parts = vector.or(stored.as_ref().map(|stats| EmbeddingPipeline::parts(&stats.header)));
    let kind = kind(*index, stored.map(|stats| stats.index))?;
    let (mut pipeline, added, n_rejected) = fill(add, kind, parts.unwrap_or_default())?;
    pipeline.build_index()?;
    told(add, &pipeline, added, n_rejected, json)
}

fn add(args: &IndexAddArgs, json: bool) -> anyhow::Result<Exit> {
    let stored = Store::inspect(&args.store.store)?.stats()?;
    let (pipeline, added, n_rejected) = fill(args, stored.index.open()?, EmbeddingPipeline::parts(&stored.header))?;
    told(args, &pipeline, added, n_rejected, json)
}

fn fill(
    args: &IndexAddArgs,
    index: Arc<dyn IndexKind>,
    parts: VectorName,
) -> anyhow::Result<(EmbeddingPipeline, Added, usize)> {
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let data = args.data.load()?;
    let pipeline = EmbeddingPipeline::create_with(&run, &args.store.store, index, engine.as_ref(), parts)?;
    let mut pipeline = pipeline.with_sites(data.sites());
    unknown::warn_of_data(&run, pipeline.tokenizer(), &data);
    let bar = observer::counter("embed", data.n_events());
    let added = pipeline.add_data(&data, |n| bar.inc(n as u64))?;
    bar.finish_and_clear();
    Ok((pipeline, added, data.n_rejected()))
}

fn told(
    args: &IndexAddArgs,
    pipeline: &EmbeddingPipeline,
    added: Added,
    n_rejected: usize,
    json: bool,
) -> anyhow::Result<Exit> {
    let Added { n_new, n_known, n_different } = added;
    let stats = pipeline.store().stats()?;
    if json {
        output::json(&json!({"new": n_new, "known": n_known, "different": n_different, "stats": stats}))?;
    } else {
        let store = args.store.store.display();
        output::text(&format!(
            "{store}: {n_new} events added, {} stored, {} indexed\n",
            stats.n_vectors, stats.n_indexed
        ));
        if n_known > 0 {
            output::text(&format!("{n_known} were there by site and id{}\n", differing(n_different)));
        }
    }
    Ok(Exit::of_rejected(n_rejected as u64, false))
}

/// Two events of one id are two, and one of them is not stored.
fn differing(n_different: usize) -> String {
    if n_different == 0 {
        return String::new();
    }
    format!(
        "; {n_different} of them differ from what is stored, which was kept: give different events ids of their own"
    )
}

/// The flags, over what the store has, over the defaults.
fn kind(flags: IndexFlags, stored: Option<KindRecord>) -> anyhow::Result<Arc<dyn IndexKind>> {
    let IndexFlags { kind, m, ef_construction, ef_search, threads } = flags;
    let record = match (kind, stored) {
        (Some(name), Some(stored)) if stored.name() == name.as_str() => stored,
        (None, Some(stored)) => stored,
        (name, _) => KindRecord::from(name.unwrap_or_default()),
    };
    let mut settings = record.open()?.settings();
    let flags = [("m", m), ("ef-construction", ef_construction), ("ef-search", ef_search), ("n-threads", threads)];
    for (name, value) in flags {
        if let Some(value) = value {
            // A kind without this setting is left as it is.
            settings.replace(name, value);
        }
    }
    Ok(KindRecord::new(record.name(), settings).open()?)
}

fn compact(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let report = Store::inspect(&args.store)?.build()?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&format!("{} vectors indexed, {} bytes\n", report.n_vectors, report.n_bytes));
    }
    Ok(Exit::Done)
}

fn stats(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let stats = Store::inspect(&args.store)?.stats()?;
    if json {
        output::json(&stats)?;
    } else {
        let dim = stats.header.dim;
        output::text(&format!("{} vectors of width {dim}, {} indexed\n", stats.n_vectors, stats.n_indexed));
    }
    Ok(Exit::Done)
}

fn verify(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let report = Store::inspect(&args.store)?.verify()?;
    let is_sound = report.database == "ok" && report.n_bad_vectors == 0 && report.index_is_sound;
    if json {
        output::json(&report)?;
    } else {
        let index = if report.index_is_sound { "ok" } else { "damaged: run `index compact`" };
        let (database, n_bad) = (&report.database, report.n_bad_vectors);
        output::text(&format!("database: {database}\ndamaged vectors: {n_bad}\nindex: {index}\n"));
    }
    Ok(if is_sound { Exit::Done } else { Exit::Failed })
}
