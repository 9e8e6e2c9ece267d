//! An event is one position: the sum of the embeddings of its fields and of its place in the window.

use burn::module::{Module, Param};
use burn::nn::LayerNorm;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::batch::EventBatch;
use crate::init::{WeightRng, layer_norm};

/// Sums field and position embeddings and normalises the sum.
#[derive(Module, Debug)]
pub struct EventEmbedding<B: Backend> {
    /// One row per id of every field, `[n_rows, d_model]`.
    table: Param<Tensor<B, 2>>,
    /// One row per distance from the end of the window, `[max_len + 1, d_model]`.
    positions: Param<Tensor<B, 2>>,
    norm: LayerNorm<B>,
}

impl<B: Backend> EventEmbedding<B> {
    /// Tables for `n_rows` ids and windows of up to `max_len` events.
    #[must_use]
    pub fn new(n_rows: usize, max_len: usize, d_model: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        Self {
            table: rng.matrix([n_rows, d_model], device),
            positions: rng.matrix([max_len + 1, d_model], device),
            norm: layer_norm(d_model, device),
        }
    }

    /// The longest window.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.positions.dims()[0] - 1
    }

    /// # Shapes
    /// - batch: `[batch, seq]` events
    /// - output: `[batch, seq, d_model]`
    pub fn forward(&self, batch: &EventBatch<B>) -> Tensor<B, 3> {
        let [n_windows, seq, n_fields] = batch.rows.dims();
        let [_, d_model] = self.table.dims();
        let n_events = n_windows * seq;
        let rows = batch.rows.clone().reshape([n_events * n_fields]);
        let fields = self.table.val().select(0, rows).reshape([n_events, n_fields, d_model]);
        let summed = fields.sum_dim(1).reshape([n_windows, seq, d_model]);
        let places = self.positions.val().select(0, batch.positions.clone().reshape([n_events]));
        self.norm.forward(summed + places.reshape([n_windows, seq, d_model]))
    }
}
