//! `index build` and `index add`.

use std::sync::Arc;

use serde_json::json;
use spaxiom_embedding::{
    Added, BuildReport, EmbeddingPipeline, Exact, IndexError, IndexKind, KindRecord, Progress, Run, Store, VectorName,
};

use super::args::{IndexAddArgs, IndexBuildArgs};
use super::kind::IndexFlags;
use crate::exit::Exit;
use crate::{observer, output, unknown};

pub(super) fn build(args: &IndexBuildArgs, json: bool) -> anyhow::Result<Exit> {
    let IndexBuildArgs { add, vector, index } = args;
    let stored = Store::inspect(&add.store.store).and_then(|store| store.stats()).ok();
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
    let store = Store::inspect(&add.store.store)?;
    chosen_and_built(&store, index, stored)?;
    told(add, &store, added, n_rejected, json)
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
    let stored = Store::inspect(&args.store.store)?.stats()?;
    let (pipeline, added, n_rejected) = fill(args, stored.index.open()?, EmbeddingPipeline::parts(&stored.header))?;
    drop(pipeline);
    let store = Store::open(&args.store.store)?;
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
    let pipeline = EmbeddingPipeline::create_with(&run, &args.store.store, index, engine.as_ref(), parts)?;
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

fn told(args: &IndexAddArgs, store: &Store, added: Added, n_rejected: usize, json: bool) -> anyhow::Result<Exit> {
    let Added { n_new, n_known, n_different, n_replaced } = added;
    let stats = store.stats()?;
    if json {
        output::json(
            &json!({"new": n_new, "known": n_known, "different": n_different, "replaced": n_replaced, "stats": stats}),
        )?;
    } else {
        let path = args.store.store.display();
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
