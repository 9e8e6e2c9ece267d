//! Fusion of the modalities of events: early, late and hybrid (seed, "Multi-modal fusion in embedding space").

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};
use spaxiom_token::Modality;

use crate::batch::{BatchLayout, EventBatch};
use crate::cell::Cell;
use crate::encoder::{Encoded, Encoder, EncoderConfig};
use crate::error::EncoderError;
use crate::init::{WeightRng, layer_norm};
use crate::layers::attention::CrossAttentionLayer;
use crate::layers::dense::{dense, normed};
use crate::layers::graph::GraphStack;
use crate::layers::modality::ModalityEncoder;
use crate::layers::pool::Pooling;
use crate::layers::recurrent::{RecurrentStack, RecurrentStackConfig};
use crate::layers::transformer::TransformerStack;
use crate::preset::Preset;

/// Where modalities meet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FusionMethod {
    /// Before anything else: side by side and projected, event by event; then attention over the events.
    Early,
    /// At the end: what happened and when attends to where, and the mean is taken; as wide as one modality.
    Late,
    /// A graph over the places and an LSTM over the events each by themselves; then the one attends to the other.
    #[default]
    Hybrid,
}

/// Shape of a [`MultiModalFusion`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MultiModalFusionConfig {
    /// Where modalities meet.
    pub method: FusionMethod,
    /// Width of each modality.
    pub d_modality: usize,
    /// Width of states and vectors; `d_modality` in late fusion, even in hybrid fusion.
    pub d_model: usize,
    /// Number of attention heads; divides `d_model`.
    pub n_heads: usize,
    /// Layers of attention.
    pub n_layers: usize,
    /// Layers of the graph over the places; hybrid fusion only.
    pub n_graph_layers: usize,
    /// Layers of the LSTM over the events; hybrid fusion only.
    pub n_recurrent_layers: usize,
    /// Longest window in events.
    pub max_len: usize,
    /// What stands for a window; the mean in late fusion.
    pub pooling: Pooling,
}

impl From<Preset> for MultiModalFusionConfig {
    /// Hybrid; `base` has the seed's 128 numbers of each modality and 768 of the whole.
    fn from(preset: Preset) -> Self {
        let (d_modality, d_model, n_heads, n_layers, max_len) = match preset {
            Preset::Tiny => (32, 64, 4, 1, 32),
            Preset::Small => (64, 256, 4, 2, 128),
            Preset::Base => (128, 768, 12, 2, 512),
        };
        let (n_graph_layers, n_recurrent_layers) = (2, 1);
        let (method, pooling) = (FusionMethod::default(), Pooling::default());
        Self { method, d_modality, d_model, n_heads, n_layers, n_graph_layers, n_recurrent_layers, max_len, pooling }
    }
}

impl EncoderConfig for MultiModalFusionConfig {
    fn check(&self) -> Result<(), EncoderError> {
        let Self { method, d_modality, d_model, n_heads, n_layers, max_len, .. } = *self;
        EncoderError::at_least_one(&[
            ("d-modality", d_modality),
            ("d-model", d_model),
            ("n-heads", n_heads),
            ("n-layers", n_layers),
            ("n-graph-layers", self.n_graph_layers),
            ("n-recurrent-layers", self.n_recurrent_layers),
            ("max-len", max_len),
        ])?;
        EncoderError::divides("n-heads", "a part of d-model", n_heads, d_model)?;
        let setting = |name, want, got: String| Err(EncoderError::Setting { name, want, got });
        match method {
            FusionMethod::Late if d_model != d_modality => {
                setting("d-model", "as d-modality in late fusion", d_model.to_string())
            }
            FusionMethod::Late if self.pooling != Pooling::Mean => {
                // The state of one event knows the places of the others and nothing else of them.
                setting("pooling", "mean in late fusion", format!("{:?}", self.pooling).to_lowercase())
            }
            _ if self.pooling.is_learned() => {
                setting("pooling", "cls, mean or last", format!("{:?}", self.pooling).to_lowercase())
            }
            FusionMethod::Hybrid if !d_model.is_multiple_of(2) => {
                setting("d-model", "an even number in hybrid fusion", d_model.to_string())
            }
            _ => Ok(()),
        }
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
        self.method == FusionMethod::Hybrid
    }

    fn needs_ages(&self) -> bool {
        true
    }
}

impl MultiModalFusionConfig {
    /// An encoder with the weights that `seed` gives.
    pub fn init<B: Backend>(&self, layout: &BatchLayout, seed: u64, device: &B::Device) -> MultiModalFusion<B> {
        let rng = &mut WeightRng::new(seed);
        let mut modality = |modality| ModalityEncoder::new(modality, layout, self.d_modality, rng, device);
        let [spatial, temporal, category, numeric] = Modality::ALL.map(&mut modality);
        let fusion = match self.method {
            FusionMethod::Early => Fusion::Early(EarlyFusion::new(self, rng, device)),
            FusionMethod::Late => Fusion::Late(LateFusion::new(self, rng, device)),
            FusionMethod::Hybrid => Fusion::Hybrid(HybridFusion::new(self, rng, device)),
        };
        let Self { d_model, max_len, pooling, .. } = *self;
        MultiModalFusion { spatial, temporal, category, numeric, fusion, d_model, max_len, pooling }
    }
}

/// The seed's `MultiModalFusion`: modalities are encoded each by itself, and brought together.
///
/// The seed's three ways, with its sizes:
///
/// ```
/// use burn_flex::Flex;
/// use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, FusionMethod, MultiModalFusionConfig, Pooling, Preset};
/// use spaxiom_event::{Event, group_by_site};
/// use spaxiom_token::{LinkOptions, Tokenizer, TokenizerOptions};
///
/// let lines = [
///     r#"{"type": "DoorOpened", "zone": "dock", "x": 1, "y": 2, "timestamp": "2025-01-06T10:00:00Z"}"#,
///     r#"{"type": "QueueFormed", "zone": "dock", "x": 4, "y": 2, "count": 8, "timestamp": "2025-01-06T10:00:20Z"}"#,
/// ];
/// let events: Vec<Event> = lines.into_iter().map(Event::from_json).collect::<Result<_, _>>()?;
/// let sequences = group_by_site(events);
/// let options = TokenizerOptions { links: Some(LinkOptions::default()), ..TokenizerOptions::default() };
/// let tokenizer = Tokenizer::fit(&options, &sequences)?;
/// let layout = BatchLayout::of(&tokenizer).with_ages().with_edges();
/// let device = Default::default();
/// let tokens = tokenizer.tokenize(&sequences[0]);
/// let batch = EventBatch::<Flex>::new(&layout, &[tokens.window(0, 2)], &device);
///
/// let hybrid = MultiModalFusionConfig::from(Preset::Base);
/// let early = MultiModalFusionConfig { method: FusionMethod::Early, ..hybrid.clone() };
/// assert_eq!(4 * early.d_modality, 512); // side by side, before the projection
/// for config in [early, hybrid.clone()] {
///     assert_eq!(config.init::<Flex>(&layout, 0, &device).encode(&batch).pooled.dims(), [1, 768]);
/// }
/// let late = FusionMethod::Late;
/// let late = MultiModalFusionConfig { method: late, d_model: 128, n_heads: 4, pooling: Pooling::Mean, ..hybrid };
/// assert_eq!(late.init::<Flex>(&layout, 0, &device).encode(&batch).pooled.dims(), [1, 128]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Module, Debug)]
pub struct MultiModalFusion<B: Backend> {
    spatial: ModalityEncoder<B>,
    temporal: ModalityEncoder<B>,
    /// Of the types.
    category: ModalityEncoder<B>,
    numeric: ModalityEncoder<B>,
    fusion: Fusion<B>,
    d_model: usize,
    max_len: usize,
    #[module(skip)]
    pooling: Pooling,
}

impl<B: Backend> Encoder<B> for MultiModalFusion<B> {
    fn d_model(&self) -> usize {
        self.d_model
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        batch.require_len(self.max_len);
        let events = Modalities {
            spatial: self.spatial.forward(batch),
            temporal: self.temporal.forward(batch),
            category: self.category.forward(batch),
            numeric: self.numeric.forward(batch),
        };
        let states = match &self.fusion {
            Fusion::Early(fusion) => fusion.forward(events, &batch.keep),
            Fusion::Late(fusion) => fusion.forward(events, &batch.keep),
            Fusion::Hybrid(fusion) => fusion.forward(events, &batch.keep, batch.edges.as_ref()),
        };
        let pooled = self.pooling.pool(states.clone(), batch.keep.clone());
        Encoded { states, pooled }
    }
}

/// What events say in each modality, `[batch, seq, d_modality]` each.
struct Modalities<B: Backend> {
    spatial: Tensor<B, 3>,
    temporal: Tensor<B, 3>,
    category: Tensor<B, 3>,
    numeric: Tensor<B, 3>,
}

/// One of the ways.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them, and burn derives modules for plain variants only")]
enum Fusion<B: Backend> {
    Early(EarlyFusion<B>),
    Late(LateFusion<B>),
    Hybrid(HybridFusion<B>),
}

#[derive(Module, Debug)]
struct EarlyFusion<B: Backend> {
    /// From the modalities side by side, `[4 * d_modality, d_model]`.
    projection: Linear<B>,
    stack: TransformerStack<B>,
}

impl<B: Backend> EarlyFusion<B> {
    fn new(config: &MultiModalFusionConfig, rng: &mut WeightRng, device: &B::Device) -> Self {
        let MultiModalFusionConfig { d_modality, d_model, n_heads, n_layers, .. } = *config;
        Self {
            projection: rng.linear(Modality::ALL.len() * d_modality, d_model, device),
            stack: TransformerStack::new(d_model, n_layers, n_heads, 4 * d_model, rng, device),
        }
    }

    fn forward(&self, events: Modalities<B>, keep: &Tensor<B, 2>) -> Tensor<B, 3> {
        let Modalities { spatial, temporal, category, numeric } = events;
        let fused = dense(&self.projection, Tensor::cat(vec![spatial, temporal, category, numeric], 2));
        self.stack.forward(fused, keep)
    }
}

/// Layers of attention from one side to another, and a final norm.
#[derive(Module, Debug)]
struct CrossAttentionStack<B: Backend> {
    layers: Vec<CrossAttentionLayer<B>>,
    norm: LayerNorm<B>,
}

impl<B: Backend> CrossAttentionStack<B> {
    fn new(config: &MultiModalFusionConfig, rng: &mut WeightRng, device: &B::Device) -> Self {
        let MultiModalFusionConfig { d_model, n_heads, n_layers, .. } = *config;
        let layer = |_| CrossAttentionLayer::new(d_model, n_heads, 4 * d_model, rng, device);
        Self { layers: (0..n_layers).map(layer).collect(), norm: layer_norm(d_model, device) }
    }

    fn forward(&self, states: Tensor<B, 3>, context: &Tensor<B, 3>, keep: &Tensor<B, 2>) -> Tensor<B, 3> {
        let attend = |states, layer: &CrossAttentionLayer<B>| layer.forward(states, context.clone(), keep);
        normed(&self.norm, self.layers.iter().fold(states, attend))
    }
}

#[derive(Module, Debug)]
struct LateFusion<B: Backend> {
    attention: CrossAttentionStack<B>,
}

impl<B: Backend> LateFusion<B> {
    fn new(config: &MultiModalFusionConfig, rng: &mut WeightRng, device: &B::Device) -> Self {
        Self { attention: CrossAttentionStack::new(config, rng, device) }
    }

    fn forward(&self, events: Modalities<B>, keep: &Tensor<B, 2>) -> Tensor<B, 3> {
        let Modalities { spatial, temporal, category, numeric } = events;
        self.attention.forward(temporal + category + numeric, &spatial, keep)
    }
}

#[derive(Module, Debug)]
struct HybridFusion<B: Backend> {
    /// Over the places, along the edges between events.
    graph: GraphStack<B>,
    /// Over what happened and when, in both directions.
    sequence: RecurrentStack<B>,
    /// From types and numbers, `[d_modality, d_model]`.
    metadata: Linear<B>,
    attention: CrossAttentionStack<B>,
}

impl<B: Backend> HybridFusion<B> {
    fn new(config: &MultiModalFusionConfig, rng: &mut WeightRng, device: &B::Device) -> Self {
        let MultiModalFusionConfig { d_modality, d_model, n_graph_layers, n_recurrent_layers, .. } = *config;
        let sequence = RecurrentStackConfig {
            d_in: d_modality,
            d_hidden: d_model / 2,
            n_layers: n_recurrent_layers,
            bidirectional: true,
        };
        Self {
            graph: GraphStack::new(d_modality, d_model, n_graph_layers, rng, device),
            sequence: RecurrentStack::new(Cell::Lstm, sequence, rng, device),
            metadata: rng.linear(d_modality, d_model, device),
            attention: CrossAttentionStack::new(config, rng, device),
        }
    }

    /// The sequence attends to the graph and, beside it, to the metadata.
    fn forward(&self, events: Modalities<B>, keep: &Tensor<B, 2>, edges: Option<&Tensor<B, 3>>) -> Tensor<B, 3> {
        let Modalities { spatial, temporal, category, numeric } = events;
        let places = self.graph.forward(spatial, edges);
        let (sequence, _) = self.sequence.forward(temporal + category.clone(), keep);
        let metadata = dense(&self.metadata, category + numeric);
        let context = Tensor::cat(vec![places, metadata], 1);
        self.attention.forward(sequence, &context, &Tensor::cat(vec![keep.clone(), keep.clone()], 1))
    }
}
