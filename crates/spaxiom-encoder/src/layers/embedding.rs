//! A position is the sum of the embeddings of its fields, of its numbers and of its place in the window.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use super::dense::{dense, normed};
use crate::autodiff;
use crate::batch::{BatchLayout, EventBatch};
use crate::init::{WeightRng, layer_norm};

/// Sums embeddings of fields, numbers and positions, and normalizes the sum.
#[derive(Module, Debug)]
pub struct EventEmbedding<B: Backend> {
    /// One row per id of every field, `[n_rows, d_model]`.
    table: Param<Tensor<B, 2>>,
    /// One row per distance from the end of the window, `[max_len + 1, d_model]`; none for encoders that read in order.
    positions: Option<Param<Tensor<B, 2>>>,
    /// From the features of the numbers, `[n_features, d_model]`.
    numbers: Option<Linear<B>>,
    norm: LayerNorm<B>,
}

impl<B: Backend> EventEmbedding<B> {
    /// Tables for the ids of `layout` and windows of up to `max_len` positions.
    #[must_use]
    pub fn new(layout: &BatchLayout, max_len: usize, d_model: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        let n_features = layout.n_features();
        Self {
            table: rng.matrix([layout.n_rows(), d_model], device),
            positions: Some(rng.matrix([max_len + 1, d_model], device)),
            numbers: (n_features > 0).then(|| rng.linear(n_features, d_model, device)),
            norm: layer_norm(d_model, device),
        }
    }

    /// Tables for the ids of `layout` alone: an event is embedded alike wherever it stands.
    #[must_use]
    pub fn without_positions(layout: &BatchLayout, d_model: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        let n_features = layout.n_features();
        Self {
            table: rng.matrix([layout.n_rows(), d_model], device),
            positions: None,
            numbers: (n_features > 0).then(|| rng.linear(n_features, d_model, device)),
            norm: layer_norm(d_model, device),
        }
    }

    /// The longest window, where positions limit it.
    #[must_use]
    pub fn max_len(&self) -> Option<usize> {
        self.positions.as_ref().map(|positions| positions.dims()[0] - 1)
    }

    /// # Shapes
    /// - batch: `[batch, seq]` events
    /// - output: `[batch, seq, d_model]`
    pub fn forward(&self, batch: &EventBatch<B>) -> Tensor<B, 3> {
        let mut summed = sum_of_fields(&self.table, batch.rows.clone());
        if let (Some(numbers), Some(features)) = (&self.numbers, &batch.features) {
            summed = summed + dense(numbers, features.clone());
        }
        if let Some(positions) = &self.positions {
            let [n_windows, seq, d_model] = summed.dims();
            let places = positions.val().select(0, batch.positions.clone().reshape([n_windows * seq]));
            summed = summed + places.reshape([n_windows, seq, d_model]);
        }
        normed(&self.norm, summed)
    }
}

/// The sum of the rows of all fields of each position.
///
/// # Shapes
/// - table: `[n_rows, d_model]`
/// - rows: `[batch, seq, n_fields]`
/// - output: `[batch, seq, d_model]`
pub(crate) fn sum_of_fields<B: Backend>(table: &Param<Tensor<B, 2>>, rows: Tensor<B, 3, Int>) -> Tensor<B, 3> {
    if let Some(sums) = autodiff::sum_of_rows(&table.val(), &rows) {
        return sums;
    }
    let [n_windows, seq, n_fields] = rows.dims();
    let [_, d_model] = table.dims();
    let n_events = n_windows * seq;
    let fields = table.val().select(0, rows.reshape([n_events * n_fields])).reshape([n_events, n_fields, d_model]);
    fields.sum_dim(1).reshape([n_windows, seq, d_model])
}
