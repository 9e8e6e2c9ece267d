//! Metrics against numbers made by hand or by a slow exact version.

use proptest::prelude::*;
use spaxiom_eval::{
    Ranked, accuracy, clustered_mean, clustered_statistic, latency, macro_f1, recall_overlap, score_ranking, silhouette,
};

#[test]
fn macro_f1_is_the_mean_over_the_classes_that_occur() {
    // F1 of class 0: 2*2 / (3+2) = 0.8, of class 1: 2*1 / (1+3) = 0.5; class 2 is predicted, but never true.
    let (predicted, truth) = ([0, 0, 0, 1, 2], [0, 0, 1, 1, 1]);
    let want = 0.65;
    assert!((macro_f1(&predicted, &truth) - want).abs() < 1e-12);
    assert_eq!(accuracy(&predicted, &truth), [1.0, 1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn a_ranking_is_scored_by_its_first_hits() {
    let ranking = |relevant: &[bool]| -> Vec<Ranked> {
        relevant.iter().enumerate().map(|(item, &relevant)| Ranked { item, relevant }).collect()
    };
    let scores = score_ranking(&ranking(&[false, true, false, true]), 2, 3).unwrap();
    assert_eq!((scores.recall_at_k, scores.reciprocal_rank), (0.5, 0.5));
    // Of 20 relevant entries three can be among the first three.
    assert_eq!(score_ranking(&ranking(&[true, true, true]), 20, 3).unwrap().recall_at_k, 1.0);
    assert_eq!(score_ranking(&ranking(&[false, false]), 2, 3).unwrap().reciprocal_rank, 0.0);
    assert_eq!(score_ranking(&ranking(&[false]), 0, 3), None);
}

#[test]
fn equal_vectors_are_equal_neighbors() {
    let exact = [(1, 0.9), (2, 0.8), (3, 0.8)];
    assert_eq!(recall_overlap(&exact, &[(1, 0.9), (7, 0.8), (8, 0.8)]), 1.0);
    assert!((recall_overlap(&exact, &[(1, 0.9), (7, 0.8), (9, 0.7)]) - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(recall_overlap(&[], &[]), 1.0);
}

#[test]
fn percentiles_are_nearest_ranks() {
    let figures = latency((1..=100).rev().map(f64::from).collect());
    assert_eq!((figures.p50_ms, figures.p99_ms, figures.n), (50.0, 99.0, 100));
    assert!(latency(Vec::new()).p50_ms.is_nan());
}

#[test]
fn an_interval_holds_the_mean_and_is_wider_for_fewer_clusters() {
    let values: Vec<f64> = (0..1000).map(|i| f64::from(i / 100 % 2)).collect();
    let single: Vec<u64> = (0..1000).collect();
    let tens: Vec<u64> = (0..1000).map(|i| i / 100).collect();
    let (narrow, wide) = (clustered_mean(&values, &single, 1), clustered_mean(&values, &tens, 1));
    assert_eq!((narrow.mean, wide.mean), (0.5, 0.5));
    assert!(wide.low < narrow.low && narrow.low < 0.5 && 0.5 < narrow.high && narrow.high < wide.high);
    // The deviation of a mean of 1,000 fair coins is 0.0158; 1.96 of them are 0.031.
    assert!((narrow.high - narrow.low - 0.062).abs() < 0.01, "{narrow:?}");
    assert_eq!((narrow.n_clusters, wide.n_clusters), (1000, 10));
    assert_eq!(wide, clustered_mean(&values, &tens, 1));
    assert!(clustered_mean(&[], &[], 1).mean.is_nan());
}

/// The definition, pair by pair.
fn slow_silhouette(rows: &[Vec<f32>], labels: &[usize]) -> f64 {
    let distance = |a: &[f32], b: &[f32]| 1.0 - f64::from(a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>());
    let mean_to = |i: usize, class: usize| {
        let others: Vec<usize> = (0..rows.len()).filter(|&j| j != i && labels[j] == class).collect();
        let sum: f64 = others.iter().map(|&j| distance(&rows[i], &rows[j])).sum();
        (!others.is_empty()).then(|| sum / others.len() as f64)
    };
    let classes: std::collections::BTreeSet<usize> = labels.iter().copied().collect();
    let score = |i: usize| {
        let Some(own) = mean_to(i, labels[i]) else { return 0.0 };
        let others = classes.iter().filter(|&&class| class != labels[i]);
        let next = others.filter_map(|&class| mean_to(i, class)).fold(f64::INFINITY, f64::min);
        if next.is_infinite() || own.max(next) <= 0.0 { 0.0 } else { (next - own) / own.max(next) }
    };
    (0..rows.len()).map(score).sum::<f64>() / rows.len() as f64
}

proptest! {
    #[test]
    fn silhouette_by_sums_is_silhouette_by_pairs(
        rows in proptest::collection::vec((proptest::collection::vec(-1.0f32..1.0, 3), 0usize..4), 2..30)
    ) {
        let labels: Vec<usize> = rows.iter().map(|(_, label)| *label).collect();
        let unit = |row: &Vec<f32>| {
            let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-3);
            row.iter().map(|x| x / length).collect::<Vec<f32>>()
        };
        let rows: Vec<Vec<f32>> = rows.iter().map(|(row, _)| unit(row)).collect();
        prop_assume!(rows.iter().all(|row| (row.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-4));
        let fast = silhouette(&rows.concat(), 3, &labels);
        prop_assert!((fast - slow_silhouette(&rows, &labels)).abs() < 1e-3, "{}", fast);
    }
}

/// Both draw the same clusters from the same seed.
#[test]
fn a_mean_as_a_statistic_has_the_interval_of_the_mean() {
    let values: Vec<f64> = (0..60).map(|i| f64::from(i % 7)).collect();
    let clusters: Vec<u64> = (0..60).map(|i| i / 5).collect();
    let mean = |items: &[usize]| items.iter().map(|&item| values[item]).sum::<f64>() / items.len() as f64;
    let (statistic, want) = (clustered_statistic(&clusters, 3, mean), clustered_mean(&values, &clusters, 3));
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(close(statistic.mean, want.mean) && close(statistic.low, want.low) && close(statistic.high, want.high));
    assert_eq!((statistic.n, statistic.n_clusters), (60, 12));
    assert!(clustered_statistic(&[], 1, |_| 0.0).mean.is_nan());
}
