//! Layers of message passing (Schlichtkrull et al. 2018).

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::dense::{dense, gelu, normed};
use crate::batch::N_RELATIONS;
use crate::init::{WeightRng, layer_norm};

/// Layers of message passing and a final norm, over nodes of any origin.
#[derive(Module, Debug)]
pub struct GraphStack<B: Backend> {
    layers: Vec<Layer<B>>,
    norm: LayerNorm<B>,
}

impl<B: Backend> GraphStack<B> {
    /// Layers with weights from `rng`; the first one takes `d_node` to `d_model`.
    pub fn new(d_node: usize, d_model: usize, n_layers: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        let layer = |idx| Layer::new(if idx == 0 { d_node } else { d_model }, d_model, rng, device);
        Self { layers: (0..n_layers).map(layer).collect(), norm: layer_norm(d_model, device) }
    }

    /// Width of the states.
    pub(crate) fn d_model(&self) -> usize {
        self.norm.gamma.dims()[0]
    }

    /// # Shapes
    /// - nodes: `[batch, seq, d_node]`
    /// - edges: `[batch, n_relations * seq, seq]` as in [`crate::EventBatch::edges`]; without them a node hears of itself alone
    /// - output: `[batch, seq, d_model]`
    pub fn forward(&self, nodes: Tensor<B, 3>, edges: Option<&Tensor<B, 3>>) -> Tensor<B, 3> {
        let states = self.layers.iter().fold(nodes, |states, layer| layer.forward(states, edges));
        normed(&self.norm, states)
    }
}

/// Every node adds what the nodes around it say, each relation through weights of its own.
#[derive(Module, Debug)]
struct Layer<B: Backend> {
    norm: LayerNorm<B>,
    own: Linear<B>,
    /// From the mean message of each relation, side by side, `[n_relations * d_in, d_out]`.
    messages: Linear<B>,
}

impl<B: Backend> Layer<B> {
    fn new(d_in: usize, d_out: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        Self {
            norm: layer_norm(d_in, device),
            own: rng.linear(d_in, d_out, device),
            messages: Linear { bias: None, ..rng.linear(N_RELATIONS * d_in, d_out, device) },
        }
    }

    fn forward(&self, states: Tensor<B, 3>, edges: Option<&Tensor<B, 3>>) -> Tensor<B, 3> {
        let [n_windows, seq, d_in] = states.dims();
        let own = normed(&self.norm, states.clone());
        let mut update = dense(&self.own, own.clone());
        if let Some(edges) = edges {
            // [batch, relations, seq, d_in] -> [batch, seq, relations * d_in]
            let heard = edges.clone().matmul(own).reshape([n_windows, N_RELATIONS, seq, d_in]);
            update =
                update + dense(&self.messages, heard.swap_dims(1, 2).reshape([n_windows, seq, N_RELATIONS * d_in]));
        }
        let update = gelu(update);
        if d_in == update.dims()[2] { states + update } else { update }
    }
}
