//! Multinomial logistic regression: the same linear probe for every representation, learned or not.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};

use crate::lbfgs::{Stop, minimize};

/// One row of features: indices and values, in any order. A dense row has all indices.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Which features; none stands for `0..values.len()`.
    pub indices: Option<&'a [u32]>,
    /// Their values.
    pub values: &'a [f32],
}

/// Options of the regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SoftmaxRegressionOptions {
    /// Strength of half the squared penalty on the weights, beside the mean loss of a row; 1e-4.
    pub l2: f32,
    /// Steps at most; 200.
    pub max_iterations: usize,
    /// The greatest number of the gradient at which it has converged; 1e-4.
    pub tolerance: f32,
}

impl Default for SoftmaxRegressionOptions {
    fn default() -> Self {
        Self { l2: 1e-4, max_iterations: 200, tolerance: 1e-4 }
    }
}

/// A fitted multinomial logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftmaxRegression {
    n_classes: usize,
    /// Class-major rows per feature: `weights[feature * n_classes + class]`; the bias is the last feature.
    weights: Vec<f32>,
    n_features: usize,
}

impl SoftmaxRegression {
    /// A model that says nothing: all classes are equally likely.
    #[must_use]
    pub fn new(n_features: usize, n_classes: usize) -> Self {
        Self { n_classes, weights: vec![0.0; (n_features + 1) * n_classes], n_features }
    }

    /// Fits to convergence by L-BFGS: features, rows and penalty decide the result, not an order or a number of passes.
    ///
    /// # Panics
    /// Where `rows` and `labels` differ in length, or an index or label is out of range.
    #[must_use]
    pub fn fit(
        options: &SoftmaxRegressionOptions,
        rows: &[Row<'_>],
        labels: &[usize],
        n_features: usize,
        n_classes: usize,
    ) -> Self {
        Self::new(n_features, n_classes).refit(options, rows, labels)
    }

    /// Fits from the weights that it has: cheaper where these are those of nearly the same problem.
    ///
    /// # Panics
    /// As [`SoftmaxRegression::fit`].
    #[must_use]
    pub fn refit(mut self, options: &SoftmaxRegressionOptions, rows: &[Row<'_>], labels: &[usize]) -> Self {
        assert_eq!(rows.len(), labels.len(), "one label per row");
        let SoftmaxRegressionOptions { l2, max_iterations, tolerance } = *options;
        let problem = Problem::new(rows, self.n_features, self.n_classes);
        let stop = Stop { max_iterations, tolerance };
        let mut errors = vec![0.0; rows.len() * self.n_classes];
        minimize(&mut self.weights, stop, |weights, gradient| problem.loss(weights, labels, l2, &mut errors, gradient));
        self
    }

    /// The most likely class.
    #[must_use]
    pub fn predict(&self, row: Row<'_>) -> usize {
        self.probabilities(row).iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
    }

    /// The probability of each class; they sum to 1.
    #[must_use]
    pub fn probabilities(&self, row: Row<'_>) -> Vec<f32> {
        let mut scores = self.weights[self.n_features * self.n_classes..].to_vec();
        row.for_each(|feature, value| {
            let weights = &self.weights[feature * self.n_classes..][..self.n_classes];
            scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight * value);
        });
        softmax(&mut scores);
        scores
    }
}

/// Rows as a product takes them.
enum Problem<'a> {
    /// `[n, n_features]`, row after row.
    Dense {
        values: Vec<f32>,
        n: usize,
        n_classes: usize,
    },
    Sparse {
        rows: &'a [Row<'a>],
        n_classes: usize,
    },
}

impl<'a> Problem<'a> {
    fn new(rows: &'a [Row<'a>], n_features: usize, n_classes: usize) -> Self {
        if rows.iter().any(|row| row.indices.is_some() || row.values.len() != n_features) {
            return Self::Sparse { rows, n_classes };
        }
        let values = rows.iter().flat_map(|row| row.values).copied().collect();
        Self::Dense { values, n: rows.len(), n_classes }
    }

    /// The mean loss with its penalty, and its gradient; `errors` is room for one number per row and class.
    fn loss(&self, weights: &[f32], labels: &[usize], l2: f32, errors: &mut [f32], gradient: &mut [f32]) -> f64 {
        let n_classes = match self {
            Self::Dense { n_classes, .. } | Self::Sparse { n_classes, .. } => *n_classes,
        };
        let (of_features, bias) = weights.split_at(weights.len() - n_classes);
        errors.chunks_exact_mut(n_classes).for_each(|scores| scores.copy_from_slice(bias));
        self.add_scores(of_features, errors);
        let mut loss = 0.0;
        #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
        let share = 1.0 / labels.len().max(1) as f32;
        for (scores, &label) in errors.chunks_exact_mut(n_classes).zip(labels) {
            softmax(scores);
            loss -= f64::from(scores[label].max(f32::MIN_POSITIVE).ln());
            scores[label] -= 1.0;
            for error in scores {
                *error *= share;
            }
        }
        let (gradients, of_bias) = gradient.split_at_mut(of_features.len());
        of_bias.fill(0.0);
        for errors in errors.chunks_exact(n_classes) {
            of_bias.iter_mut().zip(errors).for_each(|(sum, error)| *sum += error);
        }
        self.gradients(errors, gradients);
        let mut squares = 0.0;
        for (gradient, weight) in gradients.iter_mut().zip(of_features) {
            *gradient += l2 * weight;
            squares += f64::from(weight * weight);
        }
        loss / labels.len().max(1) as f64 + f64::from(l2) / 2.0 * squares
    }

    fn add_scores(&self, weights: &[f32], scores: &mut [f32]) {
        match self {
            Self::Dense { values, n, n_classes } if !weights.is_empty() => {
                let n_features = weights.len() / n_classes;
                let values = MatRef::from_row_major_slice(values, *n, n_features);
                let weights = MatRef::from_row_major_slice(weights, n_features, *n_classes);
                let scores = MatMut::from_row_major_slice_mut(scores, *n, *n_classes);
                matmul(scores, Accum::Add, values, weights, 1.0, Par::rayon(0));
            }
            Self::Dense { .. } => {}
            Self::Sparse { rows, n_classes } => {
                for (row, scores) in rows.iter().zip(scores.chunks_exact_mut(*n_classes)) {
                    row.for_each(|feature, value| {
                        let weights = &weights[feature * n_classes..][..*n_classes];
                        scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight * value);
                    });
                }
            }
        }
    }

    fn gradients(&self, errors: &[f32], gradients: &mut [f32]) {
        match self {
            Self::Dense { values, n, n_classes } if !gradients.is_empty() => {
                let n_features = gradients.len() / n_classes;
                let values = MatRef::from_row_major_slice(values, *n, n_features);
                let errors = MatRef::from_row_major_slice(errors, *n, *n_classes);
                let gradients = MatMut::from_row_major_slice_mut(gradients, n_features, *n_classes);
                matmul(gradients, Accum::Replace, values.transpose(), errors, 1.0, Par::rayon(0));
            }
            Self::Dense { .. } => {}
            Self::Sparse { rows, n_classes } => {
                gradients.fill(0.0);
                for (row, errors) in rows.iter().zip(errors.chunks_exact(*n_classes)) {
                    row.for_each(|feature, value| {
                        let gradients = &mut gradients[feature * n_classes..][..*n_classes];
                        gradients.iter_mut().zip(errors).for_each(|(gradient, error)| *gradient += error * value);
                    });
                }
            }
        }
    }
}

fn softmax(scores: &mut [f32]) {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for score in &mut *scores {
        *score = (*score - max).exp();
    }
    let sum: f32 = scores.iter().sum();
    for score in scores {
        *score /= sum;
    }
}

impl Row<'_> {
    fn for_each(&self, mut visit: impl FnMut(usize, f32)) {
        match self.indices {
            Some(indices) => indices.iter().zip(self.values).for_each(|(&i, &value)| visit(i as usize, value)),
            None => self.values.iter().enumerate().for_each(|(i, &value)| visit(i, value)),
        }
    }
}
