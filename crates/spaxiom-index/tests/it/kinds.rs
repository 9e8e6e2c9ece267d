//! Every kind against exact search: alone, in a store, under filters of every width.

use std::sync::Arc;

use proptest::prelude::*;
use spaxiom_index::{
    Exact, Filter, IdSet, IndexKind, IndexState, KindName, KindSettings, RaBitQ, RaBitQOptions, Record, Rows, Store,
    StoreHeader, VectorId,
};
use tempfile::TempDir;

use crate::clustered;

const DIM: usize = 48;

fn kinds() -> Vec<Arc<dyn IndexKind>> {
    let named = KindName::ALL.iter().filter_map(|name| name.open(&KindSettings::default()).ok());
    let bits = [2, 4].map(|bits| Arc::new(RaBitQ::new(RaBitQOptions { bits, ..RaBitQOptions::default() }).unwrap()));
    #[cfg(feature = "faiss")]
    let storages = {
        use spaxiom_index::{Hnsw, HnswOptions, HnswStorage, IvfPq, IvfPqOptions};
        let hnsw = |storage| -> Arc<dyn IndexKind> {
            Arc::new(Hnsw::new(HnswOptions { storage, ..HnswOptions::default() }).unwrap())
        };
        let opq = IvfPq::new(IvfPqOptions { opq: true, bytes: 12, ..IvfPqOptions::default() }).unwrap();
        vec![hnsw(HnswStorage::F16), hnsw(HnswStorage::Sq8), Arc::new(opq)]
    };
    #[cfg(not(feature = "faiss"))]
    let storages = Vec::new();
    named.chain(bits.map(|kind| kind as Arc<dyn IndexKind>)).chain(storages).collect()
}

fn records(seed: u64, n: usize) -> Vec<Record> {
    let vectors = clustered(seed, n, DIM);
    let record = |(i, vector): (i64, &[f32])| Record {
        id: format!("event-{seed}-{i}"),
        site: format!("site-{}", i % 3),
        kind: if i % 2 == 0 { "Even" } else { "Odd" }.into(),
        zone: None,
        time_ns: i,
        metadata: format!("{{\"thousandth\":{}}}", i % 1_000),
        vector: vector.to_vec(),
    };
    (0..).zip(vectors.chunks_exact(DIM)).map(record).collect()
}

/// The share of hits that are as near as the last of the exact answer: other vectors of the same similarity are as good.
fn recall(store: &Store, query: &[f32], filter: &Filter) -> f64 {
    let exact = store.search_exactly(query, 10, filter).unwrap();
    let got = store.search(query, 10, filter).unwrap();
    assert_eq!(got.len(), exact.len(), "k hits whenever k exist: {filter:?}");
    assert!(got.is_sorted_by(|a, b| a.similarity >= b.similarity));
    let least = exact.last().map_or(0.0, |hit| hit.similarity) - 1e-6;
    got.iter().filter(|hit| hit.similarity >= least).count() as f64 / exact.len().max(1) as f64
}

#[test]
fn every_kind_finds_what_exact_search_finds_with_and_without_filters() {
    let queries = clustered(9, 30, DIM);
    for kind in kinds() {
        let folder = TempDir::new().unwrap();
        let header = StoreHeader { dim: DIM, tokenizer: "t".into(), encoder: "e".into() };
        let store = Store::open_or_create(folder.path(), &header, Arc::clone(&kind)).unwrap();
        store.add(records(1, 6_000)).unwrap();
        store.build(&()).unwrap();
        // Some are neither in the index nor there any more.
        store.add(records(2, 300)).unwrap();
        store.delete_passing(&Filter::parse("thousandth in 100..149").unwrap()).unwrap();
        let is_indexed = kind.file().is_some();
        assert_eq!(store.index_state(), if is_indexed { IndexState::Ready } else { IndexState::None });
        // Half, a twentieth, a thousandth; and those of the other end of time.
        for filter in ["", "type = Even", "thousandth < 50", "thousandth = 7", "time >= 1970-01-01T00:00:00.000005900Z"]
        {
            let filter = Filter::parse(filter).unwrap();
            let recalls: Vec<f64> = queries.chunks_exact(DIM).map(|query| recall(&store, query, &filter)).collect();
            let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
            // 1.0 for all kinds and filters when this was written.
            assert!(mean >= 0.99, "{kind:?} {filter:?}: {mean:.3}");
        }
    }
}

/// The filter leaves only what is farthest from the query: the lists and nodes near to it hold nothing that passes.
#[test]
fn a_filter_that_contradicts_the_query_has_its_hits_all_the_same() {
    let all = clustered(1, 4_000, DIM);
    let query = &clustered(9, 1, DIM)[..];
    let similarity = |row: &[f32]| row.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
    let mut by_distance: Vec<usize> = (0..4_000).collect();
    by_distance.sort_by(|&a, &b| similarity(&all[a * DIM..][..DIM]).total_cmp(&similarity(&all[b * DIM..][..DIM])));
    let ids: Vec<VectorId> = (0..4_000).map(VectorId).collect();
    let rows = Rows::new(DIM, &ids, &all).unwrap();
    let exact = Exact.build(&rows, &()).unwrap();
    for kind in kinds() {
        let index = kind.build(&rows, &()).unwrap();
        let Some(filtered) = index.filtered() else { continue };
        for n in [2_000, 200, 20] {
            let far: IdSet = by_distance[..n].iter().map(|&row| ids[row]).collect();
            let want = exact.filtered().unwrap().search_among(query, 10, &far).unwrap();
            let n_candidates = index.n_candidates(10).unwrap_or(10);
            let got = filtered.search_among(query, n_candidates, &far).unwrap();
            assert!(got.iter().all(|neighbor| far.contains(neighbor.id)), "{kind:?}");
            if n <= filtered.n_compared() {
                // The store compares so few by itself.
                continue;
            }
            let n_found = want.iter().filter(|hit| got.iter().any(|other| other.id == hit.id)).count();
            assert!(n_found >= 9, "{kind:?}, {n} of 4,000: {n_found} of 10");
        }
    }
}

/// A command that folds hits into moments asks for thousands.
#[test]
fn every_kind_gives_thousands_of_hits_under_a_filter() {
    for kind in kinds() {
        let folder = TempDir::new().unwrap();
        let header = StoreHeader { dim: DIM, tokenizer: "t".into(), encoder: "e".into() };
        let store = Store::open_or_create(folder.path(), &header, Arc::clone(&kind)).unwrap();
        store.add(records(1, 12_000)).unwrap();
        store.build(&()).unwrap();
        let hits = store.search(&clustered(9, 1, DIM), 5_000, &Filter::parse("type = Even").unwrap()).unwrap();
        assert_eq!(hits.len(), 5_000, "{kind:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Few vectors, equal vectors, zeros, and every number of them.
    #[test]
    fn a_kind_holds_any_vectors(
        rows in proptest::collection::vec(proptest::sample::select(vec![0.0f32, 1.0, -1.0, 0.5]), 0..40 * 5), k in 1usize..50
    ) {
        let n = rows.len() / 5;
        let mut rows = rows[..n * 5].to_vec();
        spaxiom_index::normalize(&mut rows, 5);
        let ids: Vec<VectorId> = (0..).take(n).map(|i| VectorId(2 * i)).collect();
        for name in KindName::ALL {
            let Ok(kind) = name.open(&KindSettings::default()) else { continue };
            let index = kind.build(&Rows::new(5, &ids, &rows).unwrap(), &()).unwrap();
            prop_assert_eq!(index.len(), n);
            let found = index.search(&[1.0, 0.0, 0.0, 0.0, 0.0], k).unwrap();
            prop_assert!(found.len() <= k.min(n));
            prop_assert!(found.iter().all(|neighbor| ids.contains(&neighbor.id) && neighbor.similarity.is_finite()));
        }
    }
}
