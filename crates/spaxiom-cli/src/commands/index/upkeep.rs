//! What a store needs beside searches: statistics, checks, deletions and copies.

use serde_json::json;
use spaxiom_embedding::{Store, StoreBytes};

use super::args::{IndexDeleteArgs, IndexRestoreArgs, IndexSnapshotArgs, StoreArgs};
use super::build::Bar;
use crate::commands::search::condition;
use crate::exit::Exit;
use crate::{observer, output};

pub(super) fn compact(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let store = Store::inspect(&args.store)?;
    let n_dead = store.stats()?.n_dead;
    let bar = Bar(observer::counter("index", store.stats()?.n_vectors));
    let report = store.compact(&bar)?;
    bar.0.finish_and_clear();
    if json {
        output::json(&json!({"reclaimed": n_dead, "n_vectors": report.n_vectors, "n_bytes": report.n_bytes}))?;
    } else {
        let reclaimed = if n_dead > 0 { format!("{n_dead} deleted, ") } else { String::new() };
        output::text(&format!("{reclaimed}{} vectors indexed, {} bytes\n", report.n_vectors, report.n_bytes));
    }
    Ok(Exit::Done)
}

pub(super) fn delete(args: &IndexDeleteArgs, json: bool) -> anyhow::Result<Exit> {
    let store = Store::inspect(&args.store.store)?;
    let n_deleted = store.delete_passing(&condition(&args.condition)?)?;
    let n_left = store.stats()?.n_vectors;
    if json {
        output::json(&json!({"deleted": n_deleted, "left": n_left}))?;
    } else {
        output::text(&format!("{n_deleted} events deleted, {n_left} left\n"));
    }
    Ok(Exit::Done)
}

pub(super) fn stats(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let stats = Store::inspect(&args.store)?.stats()?;
    if json {
        output::json(&stats)?;
        return Ok(Exit::Done);
    }
    let StoreBytes { database, vectors, index } = stats.n_bytes;
    let per_vector = (database + vectors + index) as f64 / stats.n_vectors.max(1) as f64;
    let dead = if stats.n_dead > 0 { format!(", {} deleted", stats.n_dead) } else { String::new() };
    output::text(&format!(
        "{} vectors of width {}, {} indexed{dead}\nindex: {}\nbytes: {vectors} vectors, {database} events, {index} index, \
         {per_vector:.0} a vector\n",
        stats.n_vectors,
        stats.header.dim,
        stats.n_indexed,
        serde_json::to_string(&stats.index)?,
    ));
    Ok(Exit::Done)
}

pub(super) fn verify(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let report = Store::inspect(&args.store)?.verify()?;
    if json {
        output::json(&report)?;
    } else {
        let index = if report.index_is_sound { "ok" } else { "missing or damaged: run `index compact`" };
        let (database, n_bad, n_misplaced) = (&report.database, report.n_bad_vectors, report.n_misplaced);
        output::text(&format!(
            "database: {database}\ndamaged vectors: {n_bad}\nmisplaced rows: {n_misplaced}\nindex: {index}\n"
        ));
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::Failed })
}

pub(super) fn snapshot(args: &IndexSnapshotArgs, json: bool) -> anyhow::Result<Exit> {
    let store = Store::inspect(&args.store.store)?;
    store.snapshot(&args.to)?;
    copied(&args.to, json)
}

pub(super) fn restore(args: &IndexRestoreArgs, json: bool) -> anyhow::Result<Exit> {
    Store::restore(&args.from, &args.store.store)?;
    copied(&args.store.store, json)
}

fn copied(to: &std::path::Path, json: bool) -> anyhow::Result<Exit> {
    let n_vectors = Store::inspect(to)?.stats()?.n_vectors;
    if json {
        output::json(&json!({"store": to, "n_vectors": n_vectors}))?;
    } else {
        output::text(&format!("{}: {n_vectors} events\n", to.display()));
    }
    Ok(Exit::Done)
}
