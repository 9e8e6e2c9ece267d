//! Multi-head self-attention with one matrix for queries, keys and values.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;

use crate::init::WeightRng;

/// Added to the score of a position that must not be attended to.
pub(crate) const NEVER: f32 = -1e9;

/// Scaled dot-product self-attention (Vaswani et al. 2017).
#[derive(Module, Debug)]
pub(crate) struct SelfAttention<B: Backend> {
    /// Queries, keys and values side by side, `[d_model, 3 * d_model]`.
    qkv: Linear<B>,
    output: Linear<B>,
    n_heads: usize,
}

impl<B: Backend> SelfAttention<B> {
    pub(crate) fn new(d_model: usize, n_heads: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        Self { qkv: rng.linear(d_model, 3 * d_model, device), output: rng.linear(d_model, d_model, device), n_heads }
    }

    /// # Shapes
    /// - states: `[batch, seq, d_model]`
    /// - bias: `[batch, 1, 1, seq]`, added to every score
    /// - output: `[batch, seq, d_model]`
    pub(crate) fn forward(&self, states: Tensor<B, 3>, bias: Tensor<B, 4>) -> Tensor<B, 3> {
        let [batch, seq, d_model] = states.dims();
        let d_head = d_model / self.n_heads;
        // [batch, seq, 3, heads, d_head] -> [3, batch, heads, seq, d_head]
        let qkv = self.qkv.forward(states).reshape([batch, seq, 3, self.n_heads, d_head]).permute([2, 0, 3, 1, 4]);
        let part = |index: usize| qkv.clone().narrow(0, index, 1).reshape([batch, self.n_heads, seq, d_head]);
        let (query, key, value) = (part(0), part(1), part(2));
        let scale = 1.0 / (d_head as f64).sqrt();
        let scores = query.mul_scalar(scale).matmul(key.swap_dims(2, 3)) + bias;
        let mixed = softmax(scores, 3).matmul(value).swap_dims(1, 2).reshape([batch, seq, d_model]);
        self.output.forward(mixed)
    }
}

/// The bias that hides padding, `[batch, 1, 1, seq]` from `keep` `[batch, seq]`.
pub(crate) fn padding_bias<B: Backend>(keep: &Tensor<B, 2>) -> Tensor<B, 4> {
    let [batch, seq] = keep.dims();
    keep.clone().neg().add_scalar(1.0).mul_scalar(NEVER).reshape([batch, 1, 1, seq])
}
