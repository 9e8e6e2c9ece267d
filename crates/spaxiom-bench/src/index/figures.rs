//! Figures of one kind, measured in a process of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use spaxiom_embedding::{Filter, IndexState, KindRecord, Store};

use super::queries::{Asked, Truth};
use super::step::IndexStep;
use super::vectors;
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
    /// Share of hits that are as near as the tenth exact one; not a number where it was not measured.
    #[serde(deserialize_with = "or_nan")]
    pub recall_mean: f64,
    /// The same of the query in the lowest twentieth.
    #[serde(deserialize_with = "or_nan")]
    pub recall_p5: f64,
}

/// JSON has no word for what is not a number but `null`.
fn or_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
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
    let filtered_mib = anonymous_mib()?;
    if !is_exact {
        searches.extend(together(&store, &truth.asked[0])?);
    }
    let index_bytes = store.stats()?.n_bytes.index;
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

/// Threads that search at once.
const N_THREADS: usize = 10;

/// Searches of each thread.
const N_EACH: usize = 60;

/// Ten threads that search, alone and beside one that adds, over a copy of the store.
fn together(store: &Store, asked: &Asked) -> anyhow::Result<Vec<SearchFigures>> {
    let folder = tempfile::tempdir_in(store.path().parent().context("the folder of the store")?)?;
    store.snapshot(&folder.path().join("copy"))?;
    let copy = Store::open(&folder.path().join("copy"))?;
    copy.wait_for_index();
    let queries = asked.queries();
    let searched = |what: &str| -> anyhow::Result<SearchFigures> {
        let search = |thread: usize| -> anyhow::Result<Vec<f64>> {
            let own = queries.iter().cycle().skip(thread * 7).take(N_EACH);
            own.map(|query| {
                let start = now();
                copy.search(query, K, &Filter::All)?;
                Ok(start.elapsed().as_secs_f64() * 1e3)
            })
            .collect()
        };
        let times = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..N_THREADS).map(|thread| scope.spawn(move || search(thread))).collect();
            let joined = threads.into_iter().map(|thread| thread.join().expect("a search does not panic"));
            joined.collect::<anyhow::Result<Vec<_>>>()
        })?;
        let mut times_ms = times.concat();
        times_ms.sort_by(f64::total_cmp);
        let at = |percent: usize| times_ms[(times_ms.len() * percent / 100).min(times_ms.len() - 1)];
        Ok(SearchFigures {
            what: what.into(),
            p50_ms: at(50),
            p99_ms: at(99),
            recall_mean: f64::NAN,
            recall_p5: f64::NAN,
        })
    };
    let alone = searched("ten threads")?;
    let is_done = AtomicBool::new(false);
    let beside = std::thread::scope(|scope| {
        let adding = scope.spawn(|| -> anyhow::Result<()> {
            let mut first = usize::try_from(u32::MAX)?;
            while !is_done.load(Ordering::Relaxed) {
                let records = (first..first + ADDED).map(|at| vectors::record(at, 0, &queries[at % queries.len()]));
                copy.add(records.collect())?;
                first += ADDED;
                // A building with a thousand events a second is a large one.
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            Ok(())
        });
        let beside = searched("ten threads beside one that adds");
        is_done.store(true, Ordering::Relaxed);
        adding.join().expect("adding does not panic")?;
        beside
    })?;
    Ok(vec![alone, beside])
}

/// Records that are added at once beside searches.
const ADDED: usize = 50;
