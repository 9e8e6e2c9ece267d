//! The linear probe.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spaxiom_eval::{Row, SoftmaxRegression, SoftmaxRegressionOptions};

/// Three classes around three corners, with noise.
fn corners(n: usize) -> (Vec<Vec<f32>>, Vec<usize>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let row = |label: usize, rng: &mut ChaCha8Rng| {
        (0..3).map(|i| f32::from(i == label) + rng.random_range(-0.3..0.3)).collect::<Vec<f32>>()
    };
    (0..n).map(|i| (row(i % 3, &mut rng), i % 3)).unzip()
}

#[test]
fn separable_classes_are_told_apart_dense_or_sparse() {
    let (values, labels) = corners(300);
    let all = [0, 1, 2];
    for indices in [None, Some(&all[..])] {
        let rows: Vec<Row<'_>> = values.iter().map(|values| Row { indices, values }).collect();
        let model = SoftmaxRegression::fit(&SoftmaxRegressionOptions::default(), &rows, &labels, 3, 3);
        let n_right = rows.iter().zip(&labels).filter(|(row, label)| model.predict(**row) == **label).count();
        assert!(n_right >= 298, "{n_right} of 300");
    }
}

#[test]
fn without_features_the_most_frequent_class_is_predicted() {
    let labels = [0, 1, 1, 1, 2];
    let rows = [Row { indices: Some(&[]), values: &[] }; 5];
    let model = SoftmaxRegression::fit(&SoftmaxRegressionOptions::default(), &rows, &labels, 1, 3);
    assert_eq!(model.predict(rows[0]), 1);
}

/// Many rare features beside one that tells: rows of length 1, as TF-IDF gives them.
#[test]
fn rare_features_of_sparse_rows_are_learned() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let labels: Vec<usize> = (0..2_000).map(|at| [0, 0, 0, 1, 2][at % 5]).collect();
    let rows: Vec<[u32; 4]> = labels
        .iter()
        .map(|&label| {
            let mut any = || rng.random_range(30..3_000u32);
            [any(), any(), any(), u32::try_from(label).unwrap() * 10 + rng.random_range(0..10)]
        })
        .collect();
    let inputs: Vec<Row<'_>> = rows.iter().map(|row| Row { indices: Some(row), values: &[0.5; 4] }).collect();
    let n_right = |l2: f32| {
        let options = SoftmaxRegressionOptions { l2, ..SoftmaxRegressionOptions::default() };
        let model = SoftmaxRegression::fit(&options, &inputs, &labels, 3_000, 3);
        inputs.iter().zip(&labels).filter(|(row, label)| model.predict(**row) == **label).count()
    };
    assert_eq!([n_right(1e-4), n_right(10.0)], [2_000, 1_200], "learned, and the most frequent class");
}
