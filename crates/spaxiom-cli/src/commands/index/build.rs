//! `index build` and `index add`.

use std::sync::Arc;

use serde_json::json;
use spaxiom_embedding::{
    Added, BuildReport, EmbeddingPipeline, Exact, IndexError, IndexKind, KindName, KindRecord, Progress, Run, Store,
    VectorName, VectorStore,
};

use super::args::{IndexAddArgs, IndexBuildArgs};
use super::kind::{IndexFlags, KindChoice};
use crate::args::StorePlace;
use crate::exit::{Exit, WrongUse};
use crate::{observer, output, unknown};

/// Up to so many vectors a server compares one by one.
const N_COMPARED: usize = 50_000;

pub(super) fn build(args: &IndexBuildArgs, json: bool) -> anyhow::Result<Exit> {
    let IndexBuildArgs { add, vector, index } = args;
    let folder = match add.store.place()? {
        StorePlace::Folder(path) => path,
        StorePlace::Server(_) => return build_on_server(args, json),
    };
    let stored = Store::inspect(folder).and_then(|store| store.stats()).ok();
    let parts = vector.or(stored.as_ref().map(|stats| EmbeddingPipeline::parts(&stats.header)));
    let stored = stored.map(|stats| stats.index);
    // A new store has its kind when the number of its vectors is known.
    let kind = match &stored {
        Some(stored) => stored.open()?,
        None => Arc::new(Exact),
    };
    // Wrong flags are told before hours of work.
    index
        .kind(stored.clone(), 0, 1)
        .map(drop)
        .or_else(|error| if index.kind.is_some() { Err(error) } else { Ok(()) })?;
    let (pipeline, added, n_rejected) = fill(add, kind, parts.unwrap_or_default())?;
    drop(pipeline);
    // The index that is there is about to be replaced: it is not read.
    let store = Store::inspect(folder)?;
    chosen_and_built(&store, index, stored)?;
    told(add, &store, added, n_rejected, json)
}

/// A graph on a server that has more vectors than are compared in a moment, or where it is asked for.
fn build_on_server(args: &IndexBuildArgs, json: bool) -> anyhow::Result<Exit> {
    let IndexBuildArgs { add, vector, index } = args;
    let wants_graph = match index.kind {
        None | Some(KindChoice::Auto) => None,
        Some(KindChoice::Named(KindName::Exact)) => Some(false),
        Some(KindChoice::Named(KindName::Hnsw)) => Some(true),
        Some(KindChoice::Named(other)) => {
            let other = other.as_str();
            return Err(WrongUse(format!("a database server has `exact` and `hnsw`, not `{other}`")).into());
        }
    };
    let (pipeline, added, n_rejected) = fill(add, Arc::new(Exact), vector.unwrap_or_default())?;
    let store = pipeline.store();
    if wants_graph.unwrap_or(store.stats()?.n_vectors > N_COMPARED) {
        tracing::info!("the server builds its graph; searches go on");
        store.build(&())?;
    }
    told(add, store, added, n_rejected, json)
}

/// Gives a store the kind of the flags, builds its index, and lays it out.
pub(super) fn chosen_and_built(store: &Store, index: &IndexFlags, stored: Option<KindRecord>) -> anyhow::Result<()> {
    let stats = store.stats()?;
    let (kind, why) = index.kind(stored, stats.n_vectors, stats.header.dim)?;
    if let Some(why) = why {
        tracing::info!("index kind `{}`: {why}", kind.name());
    }
    store.set_kind(kind)?;
    build_with_progress(store)?;
    store.lay_out()?;
    Ok(())
}

pub(super) fn add(args: &IndexAddArgs, json: bool) -> anyhow::Result<Exit> {
    let folder = match args.store.place()? {
        StorePlace::Folder(path) => path,
        place @ StorePlace::Server(_) => {
            let parts = EmbeddingPipeline::parts(place.open()?.header());
            let (pipeline, added, n_rejected) = fill(args, Arc::new(Exact), parts)?;
            return told(args, pipeline.store(), added, n_rejected, json);
        }
    };
    let stored = Store::inspect(folder)?.stats()?;
    let (pipeline, added, n_rejected) = fill(args, stored.index.open()?, EmbeddingPipeline::parts(&stored.header))?;
    drop(pipeline);
    let store = Store::open(folder)?;
    if store.is_build_due()? {
        tracing::info!("so many events are not in the index that it is built again");
        build_with_progress(&store)?;
    }
    told(args, &store, added, n_rejected, json)
}

fn fill(
    args: &IndexAddArgs,
    index: Arc<dyn IndexKind>,
    parts: VectorName,
) -> anyhow::Result<(EmbeddingPipeline, Added, usize)> {
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let data = args.data.load()?;
    let pipeline = args.store.place()?.create(&run, index, engine.as_ref(), parts)?;
    let pipeline = pipeline.with_sites(data.sites());
    let pipeline = if args.replace { pipeline.replacing() } else { pipeline };
    unknown::warn_of_data(&run, pipeline.tokenizer(), &data);
    let bar = observer::counter("embed", data.n_events());
    let added = pipeline.add_data(&data, |n| bar.inc(n as u64))?;
    bar.finish_and_clear();
    Ok((pipeline, added, data.n_rejected()))
}

/// Builds the index of a store behind a bar.
pub(super) fn build_with_progress(store: &Store) -> anyhow::Result<BuildReport> {
    let bar = Bar(observer::counter("index", store.stats()?.n_vectors));
    let report = store.build(&bar)?;
    bar.0.finish_and_clear();
    Ok(report)
}

/// A bar that follows a build.
pub(super) struct Bar(pub(super) indicatif::ProgressBar);

impl Progress for Bar {
    fn done(&self, n_done: usize) -> Result<(), IndexError> {
        self.0.set_position(n_done as u64);
        Ok(())
    }
}

fn told(
    args: &IndexAddArgs,
    store: &dyn VectorStore,
    added: Added,
    n_rejected: usize,
    json: bool,
) -> anyhow::Result<Exit> {
    let Added { n_new, n_known, n_different, n_replaced } = added;
    let stats = store.stats()?;
    if json {
        output::json(
            &json!({"new": n_new, "known": n_known, "different": n_different, "replaced": n_replaced, "stats": stats}),
        )?;
    } else {
        let path = args.store.place()?;
        output::text(&format!(
            "{path}: {n_new} events added, {} stored, {} indexed\n",
            stats.n_vectors, stats.n_indexed
        ));
        if n_known > 0 {
            output::text(&format!("{n_known} were there by site and id{}\n", differing(n_different, n_replaced)));
        }
    }
    Ok(Exit::of_rejected(n_rejected as u64, false))
}

/// Two events of one id are two, and one of them is not stored.
fn differing(n_different: usize, n_replaced: usize) -> String {
    if n_different == 0 {
        return String::new();
    }
    if n_replaced > 0 {
        return format!("; {n_replaced} of them differed and were replaced");
    }
    format!(
        "; {n_different} of them differ from what is stored, which was kept: give different events ids of their own, or replace what is stored by `--replace`"
    )
}
