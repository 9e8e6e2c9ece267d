//! Stores of many vectors: adding, building every kind, memory, and searches with and without filters against exact ones.

mod figures;
mod queries;
mod reduced;
mod step;
mod vectors;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::json;
use spaxiom_embedding::{Exact, KindName, KindRecord, Store};

pub use self::figures::{IndexFigures, build_of, search_of};
use self::queries::Truth;
pub use self::step::IndexStep;
use self::vectors::{DIM, Vectors};
use crate::folder::Folder;
use crate::options::BenchOptions;
use crate::peers;
use crate::row::BenchRow;
use crate::timing::now;

/// Records that are added in one transaction, as the pipeline does.
const BATCH: usize = 256;

/// Kinds that are measured, and settings that differ from their defaults.
fn kinds(threads: u32) -> Vec<(&'static str, KindRecord)> {
    let with = |name: KindName, changes: &[(&str, serde_json::Value)]| {
        let mut settings = name.open(&spaxiom_embedding::KindSettings::default()).map(|kind| kind.settings()).ok()?;
        for (name, value) in changes {
            settings.replace(name, value.clone());
        }
        Some(KindRecord::new(name.as_str(), settings))
    };
    let rows = [
        ("exact", with(KindName::Exact, &[])),
        ("rabitq, 1 bit", with(KindName::RaBitQ, &[])),
        ("rabitq, 2 bits", with(KindName::RaBitQ, &[("bits", json!(2))])),
        ("ivf-pq", with(KindName::IvfPq, &[("n-threads", json!(threads))])),
        ("hnsw", with(KindName::Hnsw, &[("ef-construction", json!(40)), ("n-threads", json!(threads))])),
    ];
    rows.into_iter().filter_map(|(name, record)| Some((name, record?))).collect()
}

/// Every figure of a store of so many vectors.
pub(crate) fn index(options: &BenchOptions, folder: &Folder) -> anyhow::Result<Vec<BenchRow>> {
    let n = options.vectors;
    let vectors = Vectors::made(&folder.path, n)?;
    let row = |workload: String, unit, ours| BenchRow {
        workload,
        unit,
        ours,
        peer: None,
        ratio: None,
        runs: 1,
        threads: options.threads,
        peer_name: None,
    };
    let path = folder.path.join(format!("store_{n}"));
    let mut rows = Vec::new();
    if !path.exists() {
        let start = now();
        fill(&path, &vectors)?;
        rows.push(row(format!("add, {n} vectors"), "vectors/s", n as f64 / start.elapsed().as_secs_f64()));
    }
    let store = Store::open(&path)?;
    let bytes = store.stats()?.n_bytes;
    rows.push(row(
        "bytes on disk without an index".into(),
        "B/vector",
        (bytes.vectors + bytes.database) as f64 / n as f64,
    ));
    let truth = folder.path.join(format!("truth_{n}.json"));
    if !truth.exists() {
        Truth::made(&store)?.write(&truth)?;
    }
    let found = reduced::reduced(&folder.path, &store, &vectors, &Truth::read(&truth)?)?;
    rows.push(row("exact, 128 principal components: p50".into(), "ms", found.p50_ms));
    rows.push(row("exact, 128 principal components: recall@10".into(), "mean", found.recall_mean));
    drop((store, vectors));
    let peers = match &options.peers {
        Some(folder) => peers::index(folder, &options.python, n, options.threads)?,
        None => Vec::new(),
    };
    for (name, kind) in kinds(options.threads) {
        let figures = measured(options, &path, &truth, &kind)?;
        let IndexFigures { build_secs, build_peak_mib, index_bytes, anonymous_mib, filtered_mib, open_secs, searches } =
            figures;
        if index_bytes > 0 {
            let peer = peers.iter().find(|_| name == "hnsw").map(|peer| peer.1);
            let build = row(format!("{name}: build"), "s", build_secs);
            let ratio = peer.map(|peer| build_secs / peer);
            let peer_name = peer.map(|_| "faiss-cpu".into());
            rows.push(BenchRow { peer, ratio, peer_name, ..build });
            rows.push(row(format!("{name}: peak memory of the build"), "MiB", build_peak_mib));
            rows.push(row(format!("{name}: index"), "B/vector", index_bytes as f64 / n as f64));
        }
        rows.push(row(format!("{name}: to the first answer"), "s", open_secs));
        rows.push(row(format!("{name}: anonymous memory"), "MiB", anonymous_mib));
        rows.push(row(format!("{name}: anonymous memory with columns of filters"), "MiB", filtered_mib));
        for search in searches {
            let what = format!("{name}: {}", search.what);
            rows.push(row(format!("{what}, p50"), "ms", search.p50_ms));
            rows.push(row(format!("{what}, p99"), "ms", search.p99_ms));
            if !search.recall_mean.is_nan() {
                rows.push(row(format!("{what}, recall@10"), "mean", search.recall_mean));
                rows.push(row(format!("{what}, recall@10"), "5 %", search.recall_p5));
            }
        }
    }
    Ok(rows)
}

fn fill(path: &Path, vectors: &Vectors) -> anyhow::Result<()> {
    let store = Store::open_or_create(path, &vectors::header(), std::sync::Arc::new(Exact))?;
    let mut first = 0;
    let bands = vectors.bands();
    for batch in vectors.rows().chunks(BATCH * DIM) {
        let records = batch.chunks_exact(DIM).zip(first..).map(|(vector, at)| vectors::record(at, bands[at], vector));
        first += store.add(records.collect())?;
    }
    Ok(())
}

/// Builds and searches, each in a process of its own, so that memory is theirs alone.
fn measured(options: &BenchOptions, store: &Path, truth: &Path, kind: &KindRecord) -> anyhow::Result<IndexFigures> {
    let child = |step: &str| -> anyhow::Result<IndexFigures> {
        let kind = serde_json::to_string(kind)?;
        tracing::info!("{step} {kind}");
        let output = Command::new(&options.program)
            .args(["bench", "--threads", &options.threads.to_string(), "--index-step", step, "--index-kind", &kind])
            .args([Path::new("--index-store"), store, Path::new("--index-truth"), truth])
            .output()
            .context("a process of its own for the index")?;
        ensure!(output.status.success(), "{step} failed: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).context("figures of an index")
    };
    let built = child("build")?;
    let searched = child("search")?;
    Ok(IndexFigures { build_secs: built.build_secs, build_peak_mib: built.build_peak_mib, ..searched })
}
