//! Multi-head attention: over the states themselves, or over those of something else.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;

use crate::fused;
use crate::init::{WeightRng, layer_norm};
use crate::layers::{dense, gelu, normed};

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
        if let (None, Some(mixed)) = (rotation, fused::attention(&qkv, &bias, self.n_heads)) {
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

/// Shortest and longest time in seconds in which a pair of columns turns once: ten seconds, ten days.
const TURN_SECS: [f64; 2] = [10.0, 864_000.0];

/// Rotary position embedding (Su et al. 2021) by continuous time: queries and keys turn with the age of their event,
/// so that their products depend on the time between two events and not on when they were.
#[derive(Debug, Clone)]
pub(crate) struct Rotation<B: Backend> {
    /// `[batch, 1, seq, d_head]` each.
    cos: Tensor<B, 4>,
    sin: Tensor<B, 4>,
}

/// How far each pair of columns turns in a second, in radians: from fast to slow.
pub(crate) fn turns_per_sec(d_head: usize) -> Vec<f32> {
    let n_pairs = d_head / 2;
    let [shortest, longest] = TURN_SECS;
    let secs = |pair: usize| shortest * (longest / shortest).powf(pair as f64 / (n_pairs.max(2) - 1) as f64);
    #[expect(clippy::cast_possible_truncation, reason = "an angle below 1")]
    let turn = |pair: usize| (std::f64::consts::TAU / secs(pair)) as f32;
    (0..n_pairs).map(turn).collect()
}

impl<B: Backend> Rotation<B> {
    /// From ages in seconds, `[batch, seq]`, for heads of `d_head` columns: an even number.
    pub(crate) fn new(ages: &Tensor<B, 2>, d_head: usize) -> Self {
        let [batch, seq] = ages.dims();
        let turns = turns_per_sec(d_head);
        let turns = Tensor::<B, 1>::from_floats([turns.clone(), turns].concat().as_slice(), &ages.device());
        let angles = ages.clone().reshape([batch, 1, seq, 1]) * turns.reshape([1, 1, 1, d_head]);
        Self { cos: angles.clone().cos(), sin: angles.sin() }
    }

    /// Turns column `i` with column `i + d_head / 2`, in `[batch, heads, seq, d_head]`.
    fn apply(&self, states: Tensor<B, 4>) -> Tensor<B, 4> {
        let half = states.dims()[3] / 2;
        let (first, second) = (states.clone().narrow(3, 0, half), states.clone().narrow(3, half, half));
        states * self.cos.clone() + Tensor::cat(vec![second.neg(), first], 3) * self.sin.clone()
    }
}

/// Attention of some states to others, then a feed-forward part; each is normalised before and added to its input.
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
