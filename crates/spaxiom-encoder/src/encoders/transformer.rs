//! The transformer encoder of events (BERT-style, pre-norm with a final norm).

use burn::module::Module;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::batch::{BatchLayout, EventBatch};
use crate::encoder::{Encoded, Encoder, EncoderConfig};
use crate::error::EncoderError;
use crate::init::WeightRng;
use crate::layers::attention::{causal_bias, padding_bias};
use crate::layers::embedding::EventEmbedding;
use crate::layers::pool::Pooling;
use crate::layers::readout::Readout;
use crate::layers::relative_bias::RelativeBias;
use crate::layers::rotation::Rotation;
use crate::layers::transformer::{Attending, TransformerStack};
use crate::preset::Preset;

/// Shape of a [`TransformerEventEncoder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is chosen by itself")]
pub struct TransformerEventEncoderConfig {
    /// Width of states and vectors.
    pub d_model: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Number of attention heads; divides `d_model`.
    pub n_heads: usize,
    /// Width inside the feed-forward part of a layer.
    pub d_feed_forward: usize,
    /// Longest window in events.
    pub max_len: usize,
    /// What stands for a window.
    pub pooling: Pooling,
    /// Whether the time from each event to the last one is embedded, as waves and a logarithm.
    #[serde(default)]
    pub ages: bool,
    /// Whether an event attends to itself and to what came before it alone; `[CLS]` then knows nothing.
    #[serde(default)]
    pub causal: bool,
    /// Whether queries and keys turn with time, so that attention knows how long lies between two events.
    #[serde(default)]
    pub rotary: bool,
    /// Whether attention learns, for each head, what time between two events and places that they share are worth.
    #[serde(default)]
    pub relative_bias: bool,
}

impl From<Preset> for TransformerEventEncoderConfig {
    fn from(preset: Preset) -> Self {
        let (d_model, n_layers, n_heads, max_len) = match preset {
            Preset::Tiny => (64, 2, 4, 32),
            Preset::Small => (256, 4, 4, 128),
            Preset::Base => (768, 12, 12, 512),
        };
        let (d_feed_forward, pooling) = (4 * d_model, Pooling::default());
        let (ages, causal, rotary, relative_bias) = (false, false, false, false);
        Self { d_model, n_layers, n_heads, d_feed_forward, max_len, pooling, ages, causal, rotary, relative_bias }
    }
}

impl EncoderConfig for TransformerEventEncoderConfig {
    fn check(&self) -> Result<(), EncoderError> {
        let Self { d_model, n_layers, n_heads, d_feed_forward, max_len, .. } = *self;
        EncoderError::at_least_one(&[
            ("d-model", d_model),
            ("n-layers", n_layers),
            ("n-heads", n_heads),
            ("d-feed-forward", d_feed_forward),
            ("max-len", max_len),
        ])?;
        EncoderError::divides("n-heads", "a part of d-model", n_heads, d_model)?;
        if self.rotary {
            EncoderError::divides("n-heads", "a part of half of d-model with rotary", 2 * n_heads, d_model)?;
        }
        if self.causal && self.pooling == Pooling::Cls {
            let want = "last or mean with causal: nothing comes before the first position";
            return Err(EncoderError::Setting { name: "pooling", want, got: "cls".into() });
        }
        Ok(())
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

    fn needs_ages(&self) -> bool {
        self.ages
    }

    fn sees_no_future(&self) -> bool {
        // An age is the time until the last event of the window; states know nothing of a read-out by age.
        self.causal && !self.ages
    }

    fn hide_future(&mut self) {
        (self.causal, self.ages) = (true, false);
    }

    fn has_inference(&self) -> bool {
        !self.relative_bias
    }
}

impl TransformerEventEncoderConfig {
    /// An encoder with the weights that `seed` gives.
    pub fn init<B: Backend>(&self, layout: &BatchLayout, seed: u64, device: &B::Device) -> TransformerEventEncoder<B> {
        let Self { d_model, n_layers, n_heads, d_feed_forward, max_len, pooling, causal, rotary, .. } = *self;
        let mut rng = WeightRng::new(seed);
        TransformerEventEncoder {
            embedding: EventEmbedding::new(layout, max_len, d_model, &mut rng, device),
            stack: TransformerStack::new(d_model, n_layers, n_heads, d_feed_forward, &mut rng, device),
            relative_bias: self.relative_bias.then(|| RelativeBias::new(layout, n_heads, &mut rng, device)),
            d_head: d_model / n_heads,
            causal,
            rotary,
            readout: Readout::new(pooling, d_model, &mut rng, device),
        }
    }
}

/// The seed's `TransformerEventEncoder`: attention over the events of a window, in both directions.
#[derive(Module, Debug)]
pub struct TransformerEventEncoder<B: Backend> {
    embedding: EventEmbedding<B>,
    stack: TransformerStack<B>,
    relative_bias: Option<RelativeBias<B>>,
    d_head: usize,
    causal: bool,
    rotary: bool,
    readout: Readout<B>,
}

impl<B: Backend> TransformerEventEncoder<B> {
    fn attending(&self, batch: &EventBatch<B>) -> Attending<B> {
        let [_, seq] = batch.keep.dims();
        let mut bias = padding_bias(&batch.keep);
        if self.causal {
            bias = bias + causal_bias(seq, &batch.keep.device());
        }
        if let Some(relative) = &self.relative_bias {
            bias = bias + relative.forward(batch);
        }
        Attending { bias, rotation: self.rotary.then(|| Rotation::new(&batch.ages, self.d_head)) }
    }
}

impl<B: Backend> Encoder<B> for TransformerEventEncoder<B> {
    fn d_model(&self) -> usize {
        self.stack.d_model()
    }

    fn max_len(&self) -> usize {
        self.embedding.max_len().unwrap_or(usize::MAX)
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        batch.require_len(self.max_len());
        let states = self.stack.attend(self.embedding.forward(batch), &self.attending(batch));
        let pooled = self.readout.forward(states.clone(), batch);
        Encoded { states, pooled }
    }
}
