//! Layers of a transformer.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::attention::{SelfAttention, padding_bias};
use super::dense::{dense, gelu, normed};
use super::rotation::Rotation;
use crate::init::{WeightRng, layer_norm};

/// Layers of attention and a final norm, over states of any origin.
#[derive(Module, Debug)]
pub struct TransformerStack<B: Backend> {
    layers: Vec<Layer<B>>,
    norm: LayerNorm<B>,
}

impl<B: Backend> TransformerStack<B> {
    /// Layers with weights from `rng`.
    pub fn new(
        d_model: usize,
        n_layers: usize,
        n_heads: usize,
        d_feed_forward: usize,
        rng: &mut WeightRng,
        device: &B::Device,
    ) -> Self {
        let layers = (0..n_layers).map(|_| Layer::new(d_model, n_heads, d_feed_forward, rng, device)).collect();
        Self { layers, norm: layer_norm(d_model, device) }
    }

    /// # Shapes
    /// - states: `[batch, seq, d_model]`
    /// - keep: `[batch, seq]`, 1 for an event and 0 for padding
    /// - output: `[batch, seq, d_model]`; rows of padding mean nothing
    pub fn forward(&self, states: Tensor<B, 3>, keep: &Tensor<B, 2>) -> Tensor<B, 3> {
        self.attend(states, &Attending { bias: padding_bias(keep), rotation: None })
    }

    /// Width of the states.
    pub(crate) fn d_model(&self) -> usize {
        self.norm.gamma.dims()[0]
    }

    /// As [`TransformerStack::forward`], for whoever decides what each position attends to.
    pub(crate) fn attend(&self, states: Tensor<B, 3>, attending: &Attending<B>) -> Tensor<B, 3> {
        normed(&self.norm, self.layers.iter().fold(states, |states, layer| layer.forward(states, attending)))
    }
}

/// What all layers know of who attends to whom.
pub(crate) struct Attending<B: Backend> {
    pub(crate) bias: Tensor<B, 4>,
    pub(crate) rotation: Option<Rotation<B>>,
}

/// Attention, then a feed-forward part; each is normalized before and added to its input.
#[derive(Module, Debug)]
struct Layer<B: Backend> {
    attention_norm: LayerNorm<B>,
    attention: SelfAttention<B>,
    feed_forward_norm: LayerNorm<B>,
    expand: Linear<B>,
    contract: Linear<B>,
}

impl<B: Backend> Layer<B> {
    fn new(d_model: usize, n_heads: usize, d_feed_forward: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        Self {
            attention_norm: layer_norm(d_model, device),
            attention: SelfAttention::new(d_model, n_heads, rng, device),
            feed_forward_norm: layer_norm(d_model, device),
            expand: rng.linear(d_model, d_feed_forward, device),
            contract: rng.linear(d_feed_forward, d_model, device),
        }
    }

    fn forward(&self, states: Tensor<B, 3>, Attending { bias, rotation }: &Attending<B>) -> Tensor<B, 3> {
        let attending = normed(&self.attention_norm, states.clone());
        let attended = self.attention.forward(attending, bias.clone(), rotation.as_ref());
        let states = states + attended;
        let expanded = gelu(dense(&self.expand, normed(&self.feed_forward_norm, states.clone())));
        states + dense(&self.contract, expanded)
    }
}
