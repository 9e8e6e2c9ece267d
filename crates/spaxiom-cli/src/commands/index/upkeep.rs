//! What a store needs beside searches: statistics, checks, deletions and copies.

use serde_json::json;
use spaxiom_embedding::{AuditOptions, AuditReport, Drift, SearchAudit, Store, StoreBytes};

use super::args::{IndexDeleteArgs, IndexRestoreArgs, IndexSnapshotArgs, IndexVerifyArgs};
use super::build::Bar;
use crate::args::StoreArgs;
use crate::clock::now;
use crate::commands::search::condition;
use crate::exit::{Exit, WrongUse};
use crate::{observer, output};

pub(super) fn compact(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let store = Store::inspect(args.folder("index compact")?)?;
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
    let condition = condition(&args.condition)?;
    if condition.is_all() {
        return Err(WrongUse(
            "`--where` names no condition: to delete all events, remove the folder of the store".into(),
        )
        .into());
    }
    let store = args.store.place()?.inspect()?;
    let n_deleted = store.delete_passing(&condition)?;
    let n_left = store.stats()?.n_vectors;
    if json {
        output::json(&json!({"deleted": n_deleted, "left": n_left}))?;
    } else {
        output::text(&format!("{n_deleted} events deleted, {n_left} left\n"));
    }
    Ok(Exit::Done)
}

pub(super) fn stats(args: &StoreArgs, json: bool) -> anyhow::Result<Exit> {
    let stats = args.place()?.inspect()?.stats()?;
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

pub(super) fn verify(args: &IndexVerifyArgs, json: bool) -> anyhow::Result<Exit> {
    let IndexVerifyArgs { store, queries, min_recall } = args;
    let store = store.folder("index verify")?;
    let report = Store::inspect(store)?.verify()?;
    // A store whose vectors are damaged cannot be searched.
    let audit = if *queries > 0 && report.n_bad_vectors == 0 { Some(audit(store, *queries)?) } else { None };
    let is_near = audit.as_ref().is_none_or(|audit| {
        [audit.stored, audit.out_of_distribution].iter().all(|searches| searches.recall_mean >= *min_recall)
    });
    if json {
        let mut document = serde_json::to_value(&report)?;
        document["audit"] = serde_json::to_value(&audit)?;
        output::json(&document)?;
    } else {
        let index = if report.index_is_sound { "ok" } else { "missing or damaged: run `index compact`" };
        let (database, n_bad, n_misplaced) = (&report.database, report.n_bad_vectors, report.n_misplaced);
        output::text(&format!(
            "database: {database}\ndamaged vectors: {n_bad}\nmisplaced rows: {n_misplaced}\nindex: {index}\n"
        ));
        if let Some(audit) = &audit {
            output::text(&audited(audit, *min_recall));
        }
    }
    Ok(if report.is_sound() && is_near { Exit::Done } else { Exit::Failed })
}

fn audit(store: &std::path::Path, n_queries: usize) -> anyhow::Result<AuditReport> {
    let store = Store::open(store)?;
    store.wait_for_index();
    let started = now();
    let options = AuditOptions { n_queries, ..AuditOptions::default() };
    Ok(store.audit(options, &|| started.elapsed().as_secs_f64())?)
}

fn audited(audit: &AuditReport, min_recall: f64) -> String {
    let row = |what: &str, searches: &SearchAudit| {
        let SearchAudit { n_queries, recall_mean, recall_p5, recall_min, p50_ms, p99_ms } = searches;
        let low =
            if *recall_mean < min_recall { " - too low: rebuild with other settings or another kind" } else { "" };
        format!(
            "{n_queries} {what} queries: recall@10 mean {recall_mean:.3}, p5 {recall_p5:.2}, min {recall_min:.2}; \
             latency p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms{low}\n"
        )
    };
    let drift = audit.drift.map_or(String::new(), |Drift { old, new }| {
        format!(
            "drift: nearest-neighbor similarity {old:.3} among older vectors, {new:.3} from the newest 10 % to them\n"
        )
    });
    row("stored", &audit.stored) + &row("out-of-distribution", &audit.out_of_distribution) + &drift
}

pub(super) fn snapshot(args: &IndexSnapshotArgs, json: bool) -> anyhow::Result<Exit> {
    let store = Store::inspect(args.store.folder("index snapshot")?)?;
    store.snapshot(&args.to)?;
    copied(&args.to, json)
}

pub(super) fn restore(args: &IndexRestoreArgs, json: bool) -> anyhow::Result<Exit> {
    let store = args.store.folder("index restore")?;
    Store::restore(&args.from, store)?;
    copied(store, json)
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
