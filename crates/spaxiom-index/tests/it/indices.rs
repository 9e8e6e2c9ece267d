//! Exact search against a plain loop, HNSW against exact search.

use proptest::prelude::*;
use spaxiom_index::{ExactIndex, HnswIndex, HnswOptions, IndexError, VectorId, VectorIndex};

use crate::clustered;

fn ids(n: usize) -> Vec<VectorId> {
    (0..).map(|i| VectorId(3 * i + 1)).take(n).collect()
}

fn found(index: &dyn VectorIndex, query: &[f32], k: usize) -> Vec<i64> {
    index.search(query, k).unwrap().iter().map(|hit| hit.id.0).collect()
}

#[test]
fn hnsw_finds_what_exact_search_finds() {
    let (n, dim, k) = (2_000, 32, 10);
    let (rows, queries) = (clustered(42, n, dim), clustered(43, 50, dim));
    let mut exact = ExactIndex::new(dim);
    let mut hnsw = HnswIndex::new(dim, HnswOptions::default()).unwrap();
    exact.add(&ids(n), &rows).unwrap();
    hnsw.add(&ids(n), &rows).unwrap();
    let hits = queries.chunks_exact(dim).map(|query| {
        let want = found(&exact, query, k);
        found(&hnsw, query, k).iter().filter(|id| want.contains(id)).count()
    });
    let recall = hits.sum::<usize>() as f64 / (50 * k) as f64;
    // 1.0 for seeds 0 to 9 when this was written.
    assert!(recall >= 0.98, "recall@10 is {recall:.3}");
}

#[test]
fn similarity_is_the_cosine_and_the_nearest_comes_first() {
    let rows = clustered(1, 300, 16);
    for mut index in [
        Box::new(ExactIndex::new(16)) as Box<dyn VectorIndex>,
        Box::new(HnswIndex::new(16, HnswOptions::default()).unwrap()),
    ] {
        index.add(&ids(300), &rows).unwrap();
        let hits = index.search(&rows[16 * 7..16 * 8], 5).unwrap();
        assert_eq!(hits[0].id, VectorId(22));
        assert!((hits[0].similarity - 1.0).abs() < 1e-5);
        assert!(hits.is_sorted_by(|a, b| a.similarity >= b.similarity));
    }
}

#[test]
fn exact_search_gives_all_that_there_are() {
    let mut index = ExactIndex::new(16);
    index.add(&ids(300), &clustered(1, 300, 16)).unwrap();
    assert_eq!(index.search(&clustered(2, 1, 16), 1_000).unwrap().len(), 300);
}

#[test]
fn vectors_of_another_width_are_refused() {
    for mut index in [
        Box::new(ExactIndex::new(4)) as Box<dyn VectorIndex>,
        Box::new(HnswIndex::new(4, HnswOptions::default()).unwrap()),
    ] {
        let error = index.add(&ids(2), &[0.0; 6]).unwrap_err();
        assert!(matches!(error, IndexError::Dimension { want: 4, got: 3 }), "{error}");
        assert!(matches!(index.search(&[0.0; 5], 1), Err(IndexError::Dimension { want: 4, got: 5 })));
        assert!(index.search(&[0.0; 4], 3).unwrap().is_empty(), "an empty index finds nothing");
    }
}

#[test]
fn a_graph_without_edges_is_refused() {
    let options = HnswOptions { m: 0, ..HnswOptions::default() };
    assert!(HnswIndex::new(4, options).unwrap_err().to_string().contains("`m`"));
}

proptest! {
    #[test]
    fn exact_search_is_a_sorted_loop(
        rows in proptest::collection::vec(proptest::collection::vec(-1.0f32..1.0, 11), 1..40), k in 1usize..50
    ) {
        let mut index = ExactIndex::new(11);
        index.add(&ids(rows.len()), &rows.concat()).unwrap();
        let query = &rows[0];
        let mut want: Vec<(f32, i64)> = rows
            .iter()
            .zip(ids(rows.len()))
            .map(|(row, id)| (row.iter().zip(query).map(|(a, b)| a * b).sum::<f32>(), id.0))
            .collect();
        want.sort_by(|a, b| b.0.total_cmp(&a.0));
        let got = index.search(query, k).unwrap();
        prop_assert_eq!(got.len(), k.min(rows.len()));
        for (hit, (similarity, _)) in got.iter().zip(want) {
            prop_assert!((hit.similarity - similarity).abs() < 1e-4);
        }
    }
}
