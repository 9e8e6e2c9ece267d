//! A network of one hidden layer on features that are given: the head of a classifier (seed, "Downstream tasks").

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Options of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MlpOptions {
    /// Width of the hidden layer; 256.
    pub width: usize,
    /// Passes over the rows at most; 60.
    pub max_epochs: usize,
    /// Passes without a lower loss of the validation rows before it stops; 8.
    pub patience: usize,
    /// Step size of `AdamW`; 1e-3.
    pub learning_rate: f32,
    /// Share of a weight that is taken off in every step, times the step size; 0.05.
    pub weight_decay: f32,
    /// Share of the inputs and of the hidden units that a step leaves out; 0.3.
    pub dropout: f32,
    /// Rows of a step; 64.
    pub batch_size: usize,
    /// Seed of weights, order and dropout; 1.
    pub seed: u64,
}

impl Default for MlpOptions {
    fn default() -> Self {
        Self {
            width: 256,
            max_epochs: 60,
            patience: 8,
            learning_rate: 1e-3,
            weight_decay: 0.05,
            dropout: 0.3,
            batch_size: 64,
            seed: 1,
        }
    }
}

/// A network `n_features -> width -> 1` with a rectifier between, for yes or no; its output is the log-odds of yes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mlp {
    n_features: usize,
    width: usize,
    /// `[n_features, width]`, the biases of the hidden layer, the weights of the output, and its bias.
    weights: Vec<f32>,
}

/// Rows of features, row after row, with what came of each.
#[derive(Debug, Clone, Copy)]
pub struct BinaryRows<'a> {
    /// Row after row.
    pub features: &'a [f32],
    /// One per row.
    pub labels: &'a [bool],
}

/// Moments of `AdamW` (Loshchilov and Hutter 2019).
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
    step: i32,
}

impl Mlp {
    /// Fits until the loss of the validation rows stops falling, and gives the network of the lowest one.
    ///
    /// # Panics
    /// Where there is no row, or rows and labels differ in number: only a programmer can do that.
    #[must_use]
    pub fn fit(options: &MlpOptions, train: BinaryRows<'_>, validation: BinaryRows<'_>, n_features: usize) -> Self {
        assert_eq!(train.features.len(), train.labels.len() * n_features, "one label per row");
        assert!(!train.labels.is_empty(), "a network needs rows");
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let mut network = Self::new(n_features, options.width, &mut rng);
        let n = network.weights.len();
        let mut moments = Moments { first: vec![0.0; n], second: vec![0.0; n], step: 0 };
        let mut order: Vec<usize> = (0..train.labels.len()).collect();
        let mut best = (f64::INFINITY, network.clone());
        let mut n_without = 0;
        for _ in 0..options.max_epochs {
            order.shuffle(&mut rng);
            for rows in order.chunks(options.batch_size.max(1)) {
                let gradient = network.gradient(options, train, rows, &mut rng);
                moments.step(options, &mut network, &gradient);
            }
            let loss = network.loss(validation);
            if loss < best.0 {
                best = (loss, network.clone());
                n_without = 0;
            } else {
                n_without += 1;
            }
            if n_without >= options.patience {
                break;
            }
        }
        best.1
    }

    fn new(n_features: usize, width: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut uniform = |n: usize, fan_in: usize| -> Vec<f32> {
            #[expect(clippy::cast_precision_loss, reason = "a number of features")]
            let bound = 1.0 / (fan_in.max(1) as f32).sqrt();
            (0..n).map(|_| rng.random_range(-bound..=bound)).collect()
        };
        let mut weights = uniform(n_features * width, n_features);
        weights.extend(vec![0.0; width]);
        weights.extend(uniform(width, width));
        weights.push(0.0);
        Self { n_features, width, weights }
    }

    /// The log-odds of yes of each row.
    #[must_use]
    pub fn scores(&self, features: &[f32]) -> Vec<f64> {
        let n_rows = features.len() / self.n_features.max(1);
        let mut hidden = self.hidden(features, n_rows);
        rectify(&mut hidden);
        self.outputs(&hidden)
    }

    /// Numbers before the rectifier, `[n_rows, width]`.
    fn hidden(&self, inputs: &[f32], n_rows: usize) -> Vec<f32> {
        let (of_inputs, rest) = self.weights.split_at(self.n_features * self.width);
        let mut hidden: Vec<f32> = (0..n_rows).flat_map(|_| &rest[..self.width]).copied().collect();
        let inputs = MatRef::from_row_major_slice(inputs, n_rows, self.n_features);
        let weights = MatRef::from_row_major_slice(of_inputs, self.n_features, self.width);
        let out = MatMut::from_row_major_slice_mut(&mut hidden, n_rows, self.width);
        matmul(out, Accum::Add, inputs, weights, 1.0, Par::Seq);
        hidden
    }

    fn outputs(&self, hidden: &[f32]) -> Vec<f64> {
        let (weights, bias) = self.weights[(self.n_features + 1) * self.width..].split_at(self.width);
        let output = |row: &[f32]| row.iter().zip(weights).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        hidden.chunks_exact(self.width).map(|row| output(row) + f64::from(bias[0])).collect()
    }

    fn loss(&self, rows: BinaryRows<'_>) -> f64 {
        let scores = self.scores(rows.features);
        // log(1 + exp(-margin)), without overflow.
        let loss = |(score, is_yes): (&f64, &bool)| {
            let margin = if *is_yes { *score } else { -score };
            (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
        };
        scores.iter().zip(rows.labels).map(loss).sum::<f64>() / rows.labels.len().max(1) as f64
    }

    /// The gradient of the mean loss of some rows.
    fn gradient(&self, options: &MlpOptions, data: BinaryRows<'_>, rows: &[usize], rng: &mut ChaCha8Rng) -> Vec<f32> {
        let (n_features, width, n) = (self.n_features, self.width, rows.len());
        let keep = 1.0 - options.dropout;
        let mut mask = |value: &mut f32| *value = if rng.random::<f32>() < keep { *value / keep } else { 0.0 };
        let mut inputs = Vec::with_capacity(n * n_features);
        for row in rows {
            inputs.extend_from_slice(&data.features[row * n_features..(row + 1) * n_features]);
        }
        for input in &mut inputs {
            mask(input);
        }
        let mut hidden = self.hidden(&inputs, n);
        // What was left out, and what the rectifier cut, passes no gradient: it is 0 here.
        rectify(&mut hidden);
        for unit in &mut hidden {
            mask(unit);
        }
        #[expect(clippy::cast_possible_truncation, reason = "gradients are 32-bit floats")]
        let error = |(score, row): (f64, &usize)| {
            let p = 1.0 / (1.0 + (-score).exp());
            ((p - f64::from(u8::from(data.labels[*row]))) / n as f64) as f32
        };
        let errors: Vec<f32> = self.outputs(&hidden).into_iter().zip(rows).map(error).collect();
        let mut gradient = vec![0.0; self.weights.len()];
        let (of_inputs, rest) = gradient.split_at_mut(n_features * width);
        let (of_biases, of_output) = rest.split_at_mut(width);
        let output = &self.weights[(n_features + 1) * width..(n_features + 2) * width];
        let mut backward = vec![0.0; n * width];
        for ((error, hidden), backward) in
            errors.iter().zip(hidden.chunks_exact(width)).zip(backward.chunks_exact_mut(width))
        {
            for at in 0..width {
                of_output[at] += error * hidden[at];
                if hidden[at] > 0.0 {
                    backward[at] = error * output[at] / keep;
                    of_biases[at] += backward[at];
                }
            }
            of_output[width] += error;
        }
        let inputs = MatRef::from_row_major_slice(&inputs, n, n_features);
        let backward = MatRef::from_row_major_slice(&backward, n, width);
        let out = MatMut::from_row_major_slice_mut(of_inputs, n_features, width);
        matmul(out, Accum::Replace, inputs.transpose(), backward, 1.0, Par::Seq);
        gradient
    }
}

fn rectify(values: &mut [f32]) {
    for value in values {
        *value = value.max(0.0);
    }
}

impl Moments {
    fn step(&mut self, options: &MlpOptions, network: &mut Mlp, gradient: &[f32]) {
        const DECAYS: [f32; 2] = [0.9, 0.999];
        self.step += 1;
        let corrections = DECAYS.map(|decay| 1.0 - decay.powi(self.step));
        let n_products = network.n_features * network.width;
        let moments = self.first.iter_mut().zip(&mut self.second).zip(gradient);
        for (at, (weight, ((first, second), gradient))) in network.weights.iter_mut().zip(moments).enumerate() {
            *first = DECAYS[0] * *first + (1.0 - DECAYS[0]) * gradient;
            *second = DECAYS[1] * *second + (1.0 - DECAYS[1]) * gradient * gradient;
            let step = (*first / corrections[0]) / ((*second / corrections[1]).sqrt() + 1e-8);
            let decay = if at < n_products { options.weight_decay * *weight } else { 0.0 };
            *weight -= options.learning_rate * (step + decay);
        }
    }
}
