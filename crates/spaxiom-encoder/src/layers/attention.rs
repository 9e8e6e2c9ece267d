//! Multi-head attention: over the states themselves, or over those of something else.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;

use super::dense::{dense, gelu, normed};
use super::rotation::Rotation;
use crate::autodiff;
use crate::init::{WeightRng, layer_norm};

/// Added to the score of a position that must not be attended to.
pub(crate) const NEVER: f32 = -1e9;

/// Scaled dot-product self-attention (Vaswani et al. 2017), with one matrix for queries, keys and values.
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
    /// - bias: `[batch, 1 or heads, 1 or seq, seq]`, added to every score
    /// - rotation: of `d_model / heads` columns
    /// - output: `[batch, seq, d_model]`
    pub(crate) fn forward(
        &self,
        states: Tensor<B, 3>,
        bias: Tensor<B, 4>,
        rotation: Option<&Rotation<B>>,
    ) -> Tensor<B, 3> {
        let [batch, seq, d_model] = states.dims();
        let d_head = d_model / self.n_heads;
        let qkv = dense(&self.qkv, states);
        if let (None, Some(mixed)) = (rotation, autodiff::attention(&qkv, &bias, self.n_heads)) {
            return dense(&self.output, mixed);
        }
        // Cut first: of a whole tensor of five dimensions every number would be moved by itself.
        let part = |index: usize| {
            qkv.clone().narrow(2, index * d_model, d_model).reshape([batch, seq, self.n_heads, d_head]).swap_dims(1, 2)
        };
        let (mut query, mut key) = (part(0), part(1));
        if let Some(rotation) = rotation {
            (query, key) = (rotation.apply(query), rotation.apply(key));
        }
        dense(&self.output, attended(query, key, part(2), bias))
    }
}

/// Mixes values by the softmax of the scores of queries and keys.
///
/// # Shapes
/// - query: `[batch, heads, n_queries, d_head]`
/// - key, value: `[batch, heads, n_keys, d_head]`
/// - bias: added to the scores `[batch, heads, n_queries, n_keys]`
/// - output: `[batch, n_queries, heads * d_head]`
fn attended<B: Backend>(
    query: Tensor<B, 4>,
    key: Tensor<B, 4>,
    value: Tensor<B, 4>,
    bias: Tensor<B, 4>,
) -> Tensor<B, 3> {
    let [batch, n_heads, n_queries, d_head] = query.dims();
    let scale = 1.0 / (d_head as f64).sqrt();
    let scores = query.mul_scalar(scale).matmul(key.swap_dims(2, 3)) + bias;
    softmax(scores, 3).matmul(value).swap_dims(1, 2).reshape([batch, n_queries, n_heads * d_head])
}

/// The bias that hides padding, `[batch, 1, 1, seq]` from `keep` `[batch, seq]`.
pub(crate) fn padding_bias<B: Backend>(keep: &Tensor<B, 2>) -> Tensor<B, 4> {
    let [batch, seq] = keep.dims();
    keep.clone().neg().add_scalar(1.0).mul_scalar(NEVER).reshape([batch, 1, 1, seq])
}

/// The bias that hides what comes later, `[1, 1, seq, seq]`.
pub(crate) fn causal_bias<B: Backend>(seq: usize, device: &B::Device) -> Tensor<B, 4> {
    Tensor::<B, 2>::ones([seq, seq], device).triu(1).mul_scalar(NEVER).reshape([1, 1, seq, seq])
}

/// Attention of some states to others, then a feed-forward part; each is normalized before and added to its input.
#[derive(Module, Debug)]
pub struct CrossAttentionLayer<B: Backend> {
    query_norm: LayerNorm<B>,
    context_norm: LayerNorm<B>,
    query: Linear<B>,
    /// Keys and values side by side, `[d_model, 2 * d_model]`.
    key_value: Linear<B>,
    output: Linear<B>,
    feed_forward_norm: LayerNorm<B>,
    expand: Linear<B>,
    contract: Linear<B>,
    n_heads: usize,
}

impl<B: Backend> CrossAttentionLayer<B> {
    /// A layer with weights from `rng`; `n_heads` divides `d_model`.
    pub fn new(d_model: usize, n_heads: usize, d_feed_forward: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        Self {
            query_norm: layer_norm(d_model, device),
            context_norm: layer_norm(d_model, device),
            query: rng.linear(d_model, d_model, device),
            key_value: rng.linear(d_model, 2 * d_model, device),
            output: rng.linear(d_model, d_model, device),
            feed_forward_norm: layer_norm(d_model, device),
            expand: rng.linear(d_model, d_feed_forward, device),
            contract: rng.linear(d_feed_forward, d_model, device),
            n_heads,
        }
    }

    /// # Shapes
    /// - states: `[batch, n_queries, d_model]`
    /// - context: `[batch, n_keys, d_model]`
    /// - keep: `[batch, n_keys]`, 1 for what may be attended to and 0 for padding
    /// - output: `[batch, n_queries, d_model]`
    pub fn forward(&self, states: Tensor<B, 3>, context: Tensor<B, 3>, keep: &Tensor<B, 2>) -> Tensor<B, 3> {
        let [batch, n_queries, d_model] = states.dims();
        let [_, n_keys] = keep.dims();
        let d_head = d_model / self.n_heads;
        let query = dense(&self.query, normed(&self.query_norm, states.clone()));
        let query = query.reshape([batch, n_queries, self.n_heads, d_head]).swap_dims(1, 2);
        let key_value = dense(&self.key_value, normed(&self.context_norm, context));
        let part = |index: usize| {
            let part = key_value.clone().narrow(2, index * d_model, d_model);
            part.reshape([batch, n_keys, self.n_heads, d_head]).swap_dims(1, 2)
        };
        let states = states + dense(&self.output, attended(query, part(0), part(1), padding_bias(keep)));
        let expanded = gelu(dense(&self.expand, normed(&self.feed_forward_norm, states.clone())));
        states + dense(&self.contract, expanded)
    }
}
