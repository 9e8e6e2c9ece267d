//! Every encoder behind one type, for programs that choose one by its name.

use burn::module::Module;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};
use spaxiom_token::Tokenizer;

use crate::batch::{BatchLayout, EventBatch};
use crate::encoder::{Encoded, Encoder};
use crate::error::EncoderError;
use crate::fusion::{FusionMethod, MultiModalFusion, MultiModalFusionConfig};
use crate::graph::{SpatioTemporalGnn, SpatioTemporalGnnConfig};
use crate::recurrent::{Cell, RecurrentEventEncoder, RecurrentEventEncoderConfig};
use crate::transformer::{Preset, TransformerEventEncoder, TransformerEventEncoderConfig};

/// The encoders by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum EncoderKind {
    /// Self-attention over the events of a window
    Transformer,
    /// Recurrent, with a cell state
    Lstm,
    /// Recurrent, with fewer weights than an LSTM
    Gru,
    /// Message passing along edges of zone, time and cause
    Gnn,
    /// Separate encoders for place, time, type and numbers, then fusion
    Fusion,
}

/// Name and shape of an [`EventEncoder`]; in files the name is `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum EventEncoderConfig {
    /// [`TransformerEventEncoder`].
    Transformer(TransformerEventEncoderConfig),
    /// [`RecurrentEventEncoder`] with the gates of an LSTM.
    Lstm(RecurrentEventEncoderConfig),
    /// [`RecurrentEventEncoder`] with the gates of a GRU.
    Gru(RecurrentEventEncoderConfig),
    /// [`SpatioTemporalGnn`].
    Gnn(SpatioTemporalGnnConfig),
    /// [`MultiModalFusion`].
    Fusion(MultiModalFusionConfig),
}

impl EventEncoderConfig {
    /// An encoder of this kind, of the size of a preset.
    #[must_use]
    pub fn preset(kind: EncoderKind, preset: Preset) -> Self {
        match kind {
            EncoderKind::Transformer => Self::Transformer(preset.into()),
            EncoderKind::Lstm => Self::Lstm(preset.into()),
            EncoderKind::Gru => Self::Gru(preset.into()),
            EncoderKind::Gnn => Self::Gnn(preset.into()),
            EncoderKind::Fusion => Self::Fusion(preset.into()),
        }
    }

    /// Which encoder it is.
    #[must_use]
    pub fn kind(&self) -> EncoderKind {
        match self {
            Self::Transformer(_) => EncoderKind::Transformer,
            Self::Lstm(_) => EncoderKind::Lstm,
            Self::Gru(_) => EncoderKind::Gru,
            Self::Gnn(_) => EncoderKind::Gnn,
            Self::Fusion(_) => EncoderKind::Fusion,
        }
    }

    /// Width of states and vectors.
    #[must_use]
    pub fn d_model(&self) -> usize {
        match self {
            Self::Transformer(config) => config.d_model,
            Self::Lstm(config) | Self::Gru(config) => config.d_model(),
            Self::Gnn(config) => config.d_model,
            Self::Fusion(config) => config.d_model,
        }
    }

    /// Whether it reads the edges between events.
    #[must_use]
    pub fn needs_edges(&self) -> bool {
        match self {
            Self::Gnn(_) => true,
            Self::Fusion(config) => config.method == FusionMethod::Hybrid,
            Self::Transformer(_) | Self::Lstm(_) | Self::Gru(_) => false,
        }
    }

    /// Whether it reads how long before the last event of its window an event was.
    #[must_use]
    pub fn needs_ages(&self) -> bool {
        match self {
            Self::Transformer(config) => config.ages,
            Self::Fusion(_) => true,
            Self::Lstm(_) | Self::Gru(_) | Self::Gnn(_) => false,
        }
    }

    /// Whether a state knows nothing of the events after it, nor of when they come: what next-event prediction needs.
    #[must_use]
    pub fn sees_no_future(&self) -> bool {
        match self {
            // An age is the time until the last event of the window.
            Self::Transformer(config) => config.causal && !config.ages,
            Self::Lstm(config) | Self::Gru(config) => !config.bidirectional,
            Self::Gnn(_) | Self::Fusion(_) => false,
        }
    }

    /// The same encoder reading from the past alone, where it can.
    #[must_use]
    pub fn without_future(mut self) -> Self {
        match &mut self {
            Self::Transformer(config) => (config.causal, config.ages) = (true, false),
            Self::Lstm(config) | Self::Gru(config) => config.bidirectional = false,
            Self::Gnn(_) | Self::Fusion(_) => {}
        }
        self
    }

    /// The layout of the batches that it reads, over the rows of a tokenizer.
    #[must_use]
    pub fn layout(&self, tokenizer: &Tokenizer) -> BatchLayout {
        let layout = BatchLayout::of(tokenizer);
        let layout = if self.needs_ages() { layout.with_ages() } else { layout };
        if self.needs_edges() { layout.with_edges() } else { layout }
    }

    /// Longest window in events.
    #[must_use]
    pub fn max_len(&self) -> usize {
        match self {
            Self::Transformer(config) => config.max_len,
            Self::Lstm(config) | Self::Gru(config) => config.max_len,
            Self::Gnn(config) => config.max_len,
            Self::Fusion(config) => config.max_len,
        }
    }

    /// The same for windows of another length.
    #[must_use]
    pub fn with_max_len(mut self, max_len: usize) -> Self {
        match &mut self {
            Self::Transformer(config) => config.max_len = max_len,
            Self::Lstm(config) | Self::Gru(config) => config.max_len = max_len,
            Self::Gnn(config) => config.max_len = max_len,
            Self::Fusion(config) => config.max_len = max_len,
        }
        self
    }

    /// Fails where the shape is impossible.
    pub fn check(&self) -> Result<(), EncoderError> {
        match self {
            Self::Transformer(config) => config.check(),
            Self::Lstm(config) | Self::Gru(config) => config.check(),
            Self::Gnn(config) => config.check(),
            Self::Fusion(config) => config.check(),
        }
    }

    /// An encoder with the weights that `seed` gives.
    pub fn init<B: Backend>(&self, layout: &BatchLayout, seed: u64, device: &B::Device) -> EventEncoder<B> {
        match self {
            Self::Transformer(config) => EventEncoder::Transformer(config.init(layout, seed, device)),
            Self::Lstm(config) => EventEncoder::Recurrent(config.init(Cell::Lstm, layout, seed, device)),
            Self::Gru(config) => EventEncoder::Recurrent(config.init(Cell::Gru, layout, seed, device)),
            Self::Gnn(config) => EventEncoder::Graph(config.init(layout, seed, device)),
            Self::Fusion(config) => EventEncoder::Fusion(config.init(layout, seed, device)),
        }
    }
}

/// One of the encoders; its weights have the names that they have without this type.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them, and burn derives modules for plain variants only")]
pub enum EventEncoder<B: Backend> {
    /// Attention over the events of a window.
    Transformer(TransformerEventEncoder<B>),
    /// Event after event.
    Recurrent(RecurrentEventEncoder<B>),
    /// Messages along the edges between events.
    Graph(SpatioTemporalGnn<B>),
    /// Modalities each by itself, then together.
    Fusion(MultiModalFusion<B>),
}

impl<B: Backend> Encoder<B> for EventEncoder<B> {
    fn d_model(&self) -> usize {
        match self {
            Self::Transformer(encoder) => encoder.d_model(),
            Self::Recurrent(encoder) => encoder.d_model(),
            Self::Graph(encoder) => encoder.d_model(),
            Self::Fusion(encoder) => encoder.d_model(),
        }
    }

    fn max_len(&self) -> usize {
        match self {
            Self::Transformer(encoder) => encoder.max_len(),
            Self::Recurrent(encoder) => encoder.max_len(),
            Self::Graph(encoder) => encoder.max_len(),
            Self::Fusion(encoder) => encoder.max_len(),
        }
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        match self {
            Self::Transformer(encoder) => encoder.encode(batch),
            Self::Recurrent(encoder) => encoder.encode(batch),
            Self::Graph(encoder) => encoder.encode(batch),
            Self::Fusion(encoder) => encoder.encode(batch),
        }
    }
}
