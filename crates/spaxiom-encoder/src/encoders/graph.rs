//! The graph encoder: events are nodes, edges join them by place, by time and by cause.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::batch::{BatchLayout, EventBatch};
use crate::encoder::{Encoded, Encoder, EncoderConfig};
use crate::error::EncoderError;
use crate::init::WeightRng;
use crate::layers::attention::NEVER;
use crate::layers::dense::dense;
use crate::layers::embedding::EventEmbedding;
use crate::layers::graph::GraphStack;
use crate::layers::pool::{Pooling, masked_mean};
use crate::preset::Preset;

/// How the nodes of a graph become one vector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readout {
    /// The mean over all events, as in the seed.
    Mean,
    /// A mean whose weights are learned: a softmax over one score per event.
    Attention,
    /// The node of the last event: that event among those around it.
    #[default]
    Last,
}

/// Shape of a [`SpatioTemporalGnn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SpatioTemporalGnnConfig {
    /// Width of a node before the first layer.
    pub d_node: usize,
    /// Width of states and vectors.
    pub d_model: usize,
    /// Number of layers: how many edges away a node hears of another.
    pub n_layers: usize,
    /// Longest window in events.
    pub max_len: usize,
    /// What stands for a window.
    pub readout: Readout,
}

impl From<Preset> for SpatioTemporalGnnConfig {
    /// `base` is the seed's: four layers from 128 to 512.
    fn from(preset: Preset) -> Self {
        let (d_node, d_model, n_layers, max_len) = match preset {
            Preset::Tiny => (64, 64, 2, 32),
            Preset::Small => (128, 256, 4, 128),
            Preset::Base => (128, 512, 4, 512),
        };
        Self { d_node, d_model, n_layers, max_len, readout: Readout::default() }
    }
}

impl EncoderConfig for SpatioTemporalGnnConfig {
    fn check(&self) -> Result<(), EncoderError> {
        let Self { d_node, d_model, n_layers, max_len, readout: _ } = *self;
        EncoderError::at_least_one(&[
            ("d-node", d_node),
            ("d-model", d_model),
            ("n-layers", n_layers),
            ("max-len", max_len),
        ])
    }

    fn d_model(&self) -> usize {
        self.d_model
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn set_max_len(&mut self, max_len: usize) {
        self.max_len = max_len;
    }

    fn needs_edges(&self) -> bool {
        true
    }

    fn knows_order_from_edges(&self) -> bool {
        true
    }
}

impl SpatioTemporalGnnConfig {
    /// An encoder with the weights that `seed` gives.
    pub fn init<B: Backend>(&self, layout: &BatchLayout, seed: u64, device: &B::Device) -> SpatioTemporalGnn<B> {
        let Self { d_node, d_model, n_layers, max_len, readout } = *self;
        let mut rng = WeightRng::new(seed);
        SpatioTemporalGnn {
            embedding: EventEmbedding::without_positions(layout, d_node, &mut rng, device),
            stack: GraphStack::new(d_node, d_model, n_layers, &mut rng, device),
            score: (readout == Readout::Attention).then(|| rng.linear(d_model, 1, device)),
            readout,
            max_len,
        }
    }
}

/// The seed's `SpatialTemporalGNN`: relational message passing (Schlichtkrull et al. 2018) over typed edges.
///
/// A window is a graph; nodes have no position, so that what is known of their order is in the edges and in the fields of time.
/// The seed's listing:
///
/// ```
/// use burn_flex::Flex;
/// use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, Preset, Readout, SpatioTemporalGnnConfig, WindowRows};
/// use spaxiom_event::{Event, group_by_site};
/// use spaxiom_token::{Edge, EdgeType, Tokenizer, TokenizerOptions};
///
/// let gnn = SpatioTemporalGnnConfig { readout: Readout::Mean, ..Preset::Base.into() };
/// assert_eq!((gnn.d_node, EdgeType::ALL.len(), gnn.n_layers, gnn.d_model), (128, 3, 4, 512));
///
/// let nodes = [("DoorOpened", "entrance", 0), ("OccupancyChanged", "entrance", 2), ("QueueFormed", "loading", 10)];
/// let event = |(kind, zone, t)| {
///     let time = format!("2025-01-06T10:00:{t:02}Z");
///     Event::from_json(&format!(r#"{{"type": "{kind}", "zone": "{zone}", "timestamp": "{time}"}}"#))
/// };
/// let events: Vec<Event> = nodes.into_iter().map(event).collect::<Result<_, _>>()?;
/// let sequences = group_by_site(events);
/// let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), &sequences)?;
/// let edges = vec![
///     Edge { from: 0, to: 1, kind: EdgeType::Temporal }, // DoorOpened -> OccupancyChanged
///     Edge { from: 1, to: 2, kind: EdgeType::Causal },   // OccupancyChanged -> QueueFormed
/// ];
/// let graph = WindowRows { edges, ..tokenizer.tokenize(&sequences[0]).window(0, 3).into() };
///
/// let layout = BatchLayout::of(&tokenizer).with_edges();
/// let device = Default::default();
/// let batch = EventBatch::<Flex>::with_rows(&layout, &[graph], &device);
/// let encoded = gnn.init::<Flex>(&layout, 0, &device).encode(&batch);
/// assert_eq!(encoded.states.dims(), [1, 1 + 3, 512]); // `[CLS]` stands before the nodes.
/// assert_eq!(encoded.pooled.dims(), [1, 512]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Module, Debug)]
pub struct SpatioTemporalGnn<B: Backend> {
    embedding: EventEmbedding<B>,
    stack: GraphStack<B>,
    /// One score per node, where the readout weighs them.
    score: Option<Linear<B>>,
    #[module(skip)]
    readout: Readout,
    max_len: usize,
}

impl<B: Backend> Encoder<B> for SpatioTemporalGnn<B> {
    fn d_model(&self) -> usize {
        self.stack.d_model()
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        batch.require_len(self.max_len);
        let states = self.stack.forward(self.embedding.forward(batch), batch.edges.as_ref());
        let pooled = match (self.readout, &self.score) {
            (Readout::Last, _) => Pooling::Last.pool(states.clone(), batch.keep.clone()),
            (Readout::Attention, Some(score)) => weighted(states.clone(), score, events(&batch.keep)),
            _ => masked_mean(states.clone(), events(&batch.keep)),
        };
        Encoded { states, pooled }
    }
}

/// 1 for events alone, `[batch, seq]`; for `[CLS]` too where a window has no event.
fn events<B: Backend>(keep: &Tensor<B, 2>) -> Tensor<B, 2> {
    let [n_windows, seq] = keep.dims();
    let cls = keep.clone().sum_dim(1).lower_equal_elem(1.0).float();
    if seq == 1 {
        return cls;
    }
    Tensor::cat(vec![cls, keep.clone().slice([0..n_windows, 1..seq])], 1)
}

/// The mean of `states` `[batch, seq, d_model]`, by the softmax of their scores over the positions in `keep`.
fn weighted<B: Backend>(states: Tensor<B, 3>, score: &Linear<B>, keep: Tensor<B, 2>) -> Tensor<B, 2> {
    let [n_windows, seq, d_model] = states.dims();
    let bias = keep.neg().add_scalar(1.0).mul_scalar(NEVER).reshape([n_windows, 1, seq]);
    let scores = dense(score, states.clone().tanh()).swap_dims(1, 2);
    softmax(scores + bias, 2).matmul(states).reshape([n_windows, d_model])
}
