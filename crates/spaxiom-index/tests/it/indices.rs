//! Exact search against a plain loop, HNSW against exact search.

use std::collections::BTreeMap;

use proptest::prelude::*;
use spaxiom_index::{
    Exact, Hnsw, HnswOptions, IdSet, IndexError, IndexKind, KindName, KindSettings, Rows, VectorId, VectorIndex,
};

use crate::clustered;

fn ids(n: usize) -> Vec<VectorId> {
    (0..).map(|i| VectorId(3 * i + 1)).take(n).collect()
}

fn build(kind: &dyn IndexKind, vectors: &[f32], dim: usize) -> Box<dyn VectorIndex> {
    let ids = ids(vectors.len() / dim);
    kind.build(&Rows::new(dim, &ids, vectors).unwrap(), &()).unwrap()
}

fn found(index: &dyn VectorIndex, query: &[f32], k: usize) -> Vec<i64> {
    index.search(query, k).unwrap().iter().map(|hit| hit.id.0).collect()
}

#[test]
fn hnsw_finds_what_exact_search_finds() {
    let (n, dim, k) = (2_000, 32, 10);
    let (rows, queries) = (clustered(42, n, dim), clustered(43, 50, dim));
    let (exact, hnsw) = (build(&Exact, &rows, dim), build(&Hnsw::default(), &rows, dim));
    let hits = queries.chunks_exact(dim).map(|query| {
        let want = found(exact.as_ref(), query, k);
        found(hnsw.as_ref(), query, k).iter().filter(|id| want.contains(id)).count()
    });
    let recall = hits.sum::<usize>() as f64 / (50 * k) as f64;
    // 1.0 for seeds 0 to 9 when this was written.
    assert!(recall >= 0.98, "recall@10 is {recall:.3}");
}

#[test]
fn similarity_is_the_cosine_and_the_nearest_comes_first() {
    let rows = clustered(1, 300, 16);
    for index in [build(&Exact, &rows, 16), build(&Hnsw::default(), &rows, 16)] {
        let hits = index.search(&rows[16 * 7..16 * 8], 5).unwrap();
        assert_eq!(hits[0].id, VectorId(22));
        assert!((hits[0].similarity - 1.0).abs() < 1e-5);
        assert!(hits.is_sorted_by(|a, b| a.similarity >= b.similarity));
    }
}

#[test]
fn exact_search_gives_all_that_there_are() {
    let index = build(&Exact, &clustered(1, 300, 16), 16);
    assert_eq!(index.search(&clustered(2, 1, 16), 1_000).unwrap().len(), 300);
}

#[test]
fn vectors_of_another_width_are_refused() {
    let ids = ids(2);
    let error = Rows::new(4, &ids, &[0.0; 6]).unwrap_err();
    assert!(matches!(error, IndexError::Dimension { want: 4, got: 3 }), "{error}");
    for index in [build(&Exact, &[], 4), build(&Hnsw::default(), &[], 4)] {
        assert!(matches!(index.search(&[0.0; 5], 1), Err(IndexError::Dimension { want: 4, got: 5 })));
        assert!(index.search(&[0.0; 4], 3).unwrap().is_empty(), "an empty index finds nothing");
    }
}

#[test]
fn a_graph_without_edges_is_refused() {
    let options = HnswOptions { m: 0, ..HnswOptions::default() };
    assert!(Hnsw::new(options).unwrap_err().to_string().contains("`m`"));
    assert!(KindName::Hnsw.open(&KindSettings::of(&options).unwrap()).unwrap_err().to_string().contains("`m`"));
}

#[test]
fn a_row_of_the_table_opens_the_kind_that_it_names() {
    for name in KindName::ALL {
        let kind = name.open(&KindSettings::default()).unwrap();
        assert_eq!(kind.name(), name.as_str());
        assert_eq!(name.open(&kind.settings()).unwrap().settings(), kind.settings(), "settings are read as written");
        let error = name.open(&KindSettings::of(&[("none", 1)].into_iter().collect::<BTreeMap<_, _>>()).unwrap());
        assert!(matches!(error, Err(IndexError::Settings(_))), "{name:?} has no setting `none`");
    }
}

#[test]
fn a_setting_is_replaced_only_where_there_is_one() {
    let mut settings = Hnsw::default().settings();
    assert!(settings.replace("ef-search", 200) && !settings.replace("n-lists", 9));
    let want = HnswOptions { ef_search: 200, ..HnswOptions::default() };
    assert_eq!(settings.parse::<HnswOptions>().unwrap(), want);
}

proptest! {
    #[test]
    fn exact_search_is_a_sorted_loop(
        rows in proptest::collection::vec(proptest::collection::vec(-1.0f32..1.0, 11), 1..40), k in 1usize..50
    ) {
        let index = build(&Exact, &rows.concat(), 11);
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

    #[test]
    fn exact_search_among_ids_is_search_over_their_vectors_alone(
        rows in proptest::collection::vec((proptest::collection::vec(-1.0f32..1.0, 11), any::<bool>()), 1..40),
        k in 1usize..50
    ) {
        let (vectors, chosen): (Vec<Vec<f32>>, Vec<bool>) = rows.into_iter().unzip();
        let all = ids(vectors.len());
        let (some, some_vectors): (Vec<VectorId>, Vec<Vec<f32>>) =
            (0..all.len()).filter(|&row| chosen[row]).map(|row| (all[row], vectors[row].clone())).unzip();
        let some_vectors = some_vectors.concat();
        let want = Exact.build(&Rows::new(11, &some, &some_vectors).unwrap(), &()).unwrap().search(&vectors[0], k).unwrap();
        let index = build(&Exact, &vectors.concat(), 11);
        let among: IdSet = some.into_iter().rev().collect();
        prop_assert_eq!(index.filtered().unwrap().search_among(&vectors[0], k, &among).unwrap(), want);
    }
}
