//! Multinomial logistic regression: the same linear probe for every representation, learned or not.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

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
    /// Strength of the squared penalty on the weights, per row; 1e-4.
    pub l2: f32,
    /// Step size of Adagrad; 0.3.
    pub learning_rate: f32,
    /// Passes over the rows; 12.
    pub n_epochs: usize,
    /// Order of the rows; 0.
    pub seed: u64,
}

impl Default for SoftmaxRegressionOptions {
    fn default() -> Self {
        Self { l2: 1e-4, learning_rate: 0.3, n_epochs: 12, seed: 0 }
    }
}

/// A fitted multinomial logistic regression.
#[derive(Debug, Clone)]
pub struct SoftmaxRegression {
    n_classes: usize,
    /// Class-major rows per feature: `weights[feature * n_classes + class]`; the bias is the last feature.
    weights: Vec<f32>,
    n_features: usize,
}

impl SoftmaxRegression {
    /// Fits by stochastic gradient steps with per-weight step sizes (Adagrad, Duchi et al. 2011).
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
        assert_eq!(rows.len(), labels.len(), "one label per row");
        let SoftmaxRegressionOptions { l2, learning_rate, n_epochs, seed } = *options;
        let mut model = Self { n_classes, weights: vec![0.0; (n_features + 1) * n_classes], n_features };
        let mut squares = vec![1e-6f32; model.weights.len()];
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut error = vec![0.0; n_classes];
        for _ in 0..n_epochs {
            order.shuffle(&mut rng);
            for &row in &order {
                model.probabilities_into(rows[row], &mut error);
                error[labels[row]] -= 1.0;
                model.step(rows[row], &error, &mut squares, learning_rate, l2);
            }
        }
        model
    }

    /// The most likely class.
    #[must_use]
    pub fn predict(&self, row: Row<'_>) -> usize {
        self.probabilities(row).iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
    }

    /// The probability of each class; they sum to 1.
    #[must_use]
    pub fn probabilities(&self, row: Row<'_>) -> Vec<f32> {
        let mut scores = vec![0.0; self.n_classes];
        self.probabilities_into(row, &mut scores);
        scores
    }

    fn probabilities_into(&self, row: Row<'_>, scores: &mut [f32]) {
        scores.copy_from_slice(&self.weights[self.n_features * self.n_classes..]);
        row.for_each(|feature, value| {
            let weights = &self.weights[feature * self.n_classes..][..self.n_classes];
            scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += weight * value);
        });
        let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for score in &mut *scores {
            *score = (*score - max).exp();
        }
        let sum: f32 = scores.iter().sum();
        for score in scores {
            *score /= sum;
        }
    }

    fn step(&mut self, row: Row<'_>, error: &[f32], squares: &mut [f32], learning_rate: f32, l2: f32) {
        let n_classes = self.n_classes;
        let mut update = |feature: usize, value: f32, l2: f32| {
            let range = feature * n_classes..(feature + 1) * n_classes;
            let weights = self.weights[range.clone()].iter_mut().zip(&mut squares[range]);
            for ((weight, square), error) in weights.zip(error) {
                let gradient = error * value + l2 * *weight;
                *square += gradient * gradient;
                *weight -= learning_rate * gradient / square.sqrt();
            }
        };
        row.for_each(|feature, value| update(feature, value, l2));
        update(self.n_features, 1.0, 0.0);
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
