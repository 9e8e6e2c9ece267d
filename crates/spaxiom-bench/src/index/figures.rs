//! Figures of one kind, measured in a process of its own.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use spaxiom_embedding::{Filter, IndexState, KindRecord, Store};

use super::queries::{Asked, Truth};
use super::step::IndexStep;
use crate::timing::{now, peak_mib};

const K: usize = 10;

/// Rounding of a similarity in half precision does not make another neighbor.
const TIE: f32 = 1e-5;

/// What is measured of a kind.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct IndexFigures {
    /// Seconds of the build.
    pub build_secs: f64,
    /// The most memory that the build had resident.
    pub build_peak_mib: f64,
    /// Size of the index file.
    pub index_bytes: u64,
    /// Memory that is in no file, after searches without a filter.
    pub anonymous_mib: f64,
    /// The same with the columns that filters look at.
    pub filtered_mib: f64,
    /// Seconds from opening the store to the first answer.
    pub open_secs: f64,
    /// Searches by what was asked.
    pub searches: Vec<SearchFigures>,
}

/// Searches of one kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SearchFigures {
    /// What was asked.
    pub what: String,
    /// Median time.
    pub p50_ms: f64,
    /// Time that 99 of 100 take at most.
    pub p99_ms: f64,
    /// Share of hits that are as near as the tenth exact one.
    pub recall_mean: f64,
    /// The same of the query in the lowest twentieth.
    pub recall_p5: f64,
}

/// Builds an index.
///
/// # Errors
/// A store that cannot be read or built.
pub fn build_of(step: &IndexStep) -> anyhow::Result<IndexFigures> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(step.threads as usize).build_global();
    pool.context("the threads of the benchmark")?;
    let kind: KindRecord = serde_json::from_str(&step.kind)?;
    let store = Store::inspect(&step.store)?;
    store.set_kind(kind.open()?)?;
    let start = now();
    store.build(&())?;
    Ok(IndexFigures {
        build_secs: start.elapsed().as_secs_f64(),
        build_peak_mib: peak_mib()?,
        ..IndexFigures::default()
    })
}

/// Searches an index that is built.
///
/// # Errors
/// A store that cannot be read, and a system without `/proc`.
pub fn search_of(step: &IndexStep) -> anyhow::Result<IndexFigures> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(step.threads as usize).build_global();
    pool.context("the threads of the benchmark")?;
    let truth = Truth::read(&step.truth)?;
    let first = truth.asked[0].queries().into_iter().next().context("a query")?;
    let start = now();
    let store = Store::open(&step.store)?;
    store.search(&first, K, &Filter::All)?;
    let open_secs = start.elapsed().as_secs_f64();
    let state = store.wait_for_index();
    let is_exact = store.stats()?.index.name() == "exact";
    anyhow::ensure!(is_exact || state == IndexState::Ready, "the index is not ready: {state:?}");
    let mut searches = vec![searched(&store, &truth.asked[0], is_exact)?];
    let anonymous = anonymous_mib()?;
    for asked in &truth.asked[1..] {
        searches.push(searched(&store, asked, is_exact)?);
    }
    let index_bytes = store.stats()?.n_bytes.index;
    let filtered_mib = anonymous_mib()?;
    Ok(IndexFigures {
        index_bytes,
        anonymous_mib: anonymous,
        filtered_mib,
        open_secs,
        searches,
        ..IndexFigures::default()
    })
}

fn searched(store: &Store, asked: &Asked, is_exact: bool) -> anyhow::Result<SearchFigures> {
    let filter = Filter::parse(&asked.condition)?;
    // The first search with a filter reads its columns.
    let n_warm = if is_exact { 1 } else { 20 };
    let queries = asked.queries();
    for query in queries.iter().take(n_warm) {
        store.search(query, K, &filter)?;
    }
    let (mut times_ms, mut recalls) = (Vec::new(), Vec::new());
    // Comparing every vector is slow, and has no recall to measure.
    let n = if is_exact { 20 } else { usize::MAX };
    for (query, least) in queries.iter().zip(&asked.least).take(n) {
        let start = now();
        let hits = store.search(query, K, &filter)?;
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        let n_near = hits.iter().filter(|hit| hit.similarity >= least - TIE).count();
        recalls.push(n_near as f64 / hits.len().max(1) as f64);
    }
    times_ms.sort_by(f64::total_cmp);
    recalls.sort_by(f64::total_cmp);
    let at = |values: &[f64], share: usize| values[(values.len() * share / 100).min(values.len() - 1)];
    Ok(SearchFigures {
        what: asked.what.clone(),
        p50_ms: at(&times_ms, 50),
        p99_ms: at(&times_ms, 99),
        recall_mean: recalls.iter().sum::<f64>() / recalls.len() as f64,
        recall_p5: at(&recalls, 5),
    })
}

/// Memory of this process that is in no file.
fn anonymous_mib() -> anyhow::Result<f64> {
    let status = fs_err::read_to_string("/proc/self/status").context("memory is measured on Linux only")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("`RssAnon` in /proc/self/status")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().context("`RssAnon` in kB")?;
    Ok(kib / 1024.0)
}
