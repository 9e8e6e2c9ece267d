//! Recurrent encoders: LSTM (Hochreiter and Schmidhuber 1997) and GRU (Cho et al. 2014).

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::batch::{BatchLayout, EventBatch};
use crate::cell::Cell;
use crate::encoder::{Encoded, Encoder, EncoderConfig};
use crate::error::EncoderError;
use crate::init::WeightRng;
use crate::layers::embedding::EventEmbedding;
use crate::layers::recurrent::{RecurrentStack, RecurrentStackConfig, RecurrentState};
use crate::preset::Preset;

/// Shape of a [`RecurrentEventEncoder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecurrentEventEncoderConfig {
    /// Width of embedded events.
    pub d_embed: usize,
    /// Width of the state of one direction.
    pub d_hidden: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Whether a second set of layers reads from the end; such an encoder cannot go on event by event.
    pub bidirectional: bool,
    /// Longest window in events.
    pub max_len: usize,
}

impl From<Preset> for RecurrentEventEncoderConfig {
    /// `tiny` and `small` read in one direction, so that they can go on event by event;
    /// `base` is the seed's `LSTMEventEncoder`: 256 -> 512, two layers, both directions, so that a vector has 1,024 numbers.
    fn from(preset: Preset) -> Self {
        let (d_embed, d_hidden, n_layers, bidirectional, max_len) = match preset {
            Preset::Tiny => (64, 64, 1, false, 32),
            Preset::Small => (128, 256, 1, false, 128),
            Preset::Base => (256, 512, 2, true, 512),
        };
        Self { d_embed, d_hidden, n_layers, bidirectional, max_len }
    }
}

impl EncoderConfig for RecurrentEventEncoderConfig {
    fn check(&self) -> Result<(), EncoderError> {
        let Self { d_embed, d_hidden, n_layers, bidirectional: _, max_len } = *self;
        EncoderError::at_least_one(&[
            ("d-embed", d_embed),
            ("d-hidden", d_hidden),
            ("n-layers", n_layers),
            ("max-len", max_len),
        ])
    }

    fn d_model(&self) -> usize {
        self.d_hidden * if self.bidirectional { 2 } else { 1 }
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn set_max_len(&mut self, max_len: usize) {
        self.max_len = max_len;
    }

    fn sees_no_future(&self) -> bool {
        !self.bidirectional
    }

    fn goes_on(&self) -> bool {
        !self.bidirectional
    }

    fn hide_future(&mut self) {
        self.bidirectional = false;
    }

    fn n_copies_on_cpu(&self) -> usize {
        // The threads share the windows already.
        1
    }
}

impl RecurrentEventEncoderConfig {
    /// An encoder with the weights that `seed` gives.
    pub fn init<B: Backend>(
        &self,
        cell: Cell,
        layout: &BatchLayout,
        seed: u64,
        device: &B::Device,
    ) -> RecurrentEventEncoder<B> {
        let Self { d_embed, d_hidden, n_layers, bidirectional, max_len } = *self;
        let mut rng = WeightRng::new(seed);
        let stack = RecurrentStackConfig { d_in: d_embed, d_hidden, n_layers, bidirectional };
        RecurrentEventEncoder {
            embedding: EventEmbedding::without_positions(layout, d_embed, &mut rng, device),
            stack: RecurrentStack::new(cell, stack, &mut rng, device),
            max_len,
        }
    }
}

/// The seed's `LSTMEventEncoder`.
pub type LstmEventEncoder<B> = RecurrentEventEncoder<B>;

/// The same with the gates of a GRU.
pub type GruEventEncoder<B> = RecurrentEventEncoder<B>;

/// Reads a window event by event; its vector is the final state, of both directions side by side where there are two.
///
/// Events have no position: their order is the order in which they are read.
#[derive(Module, Debug)]
pub struct RecurrentEventEncoder<B: Backend> {
    embedding: EventEmbedding<B>,
    stack: RecurrentStack<B>,
    max_len: usize,
}

impl<B: Backend> Encoder<B> for RecurrentEventEncoder<B> {
    fn d_model(&self) -> usize {
        self.stack.d_model()
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        batch.require_len(self.max_len);
        let (states, pooled) = self.stack.forward(self.embedding.forward(batch), &batch.keep);
        Encoded { states, pooled }
    }
}

impl<B: Backend> RecurrentEventEncoder<B> {
    /// The state before the first event of each window of `batch`: what `[CLS]` leaves.
    ///
    /// # Errors
    /// [`EncoderError::Setting`] for an encoder of both directions: what comes next is not known yet.
    pub fn start(&self, batch: &EventBatch<B>) -> Result<RecurrentState<B>, EncoderError> {
        if self.stack.is_bidirectional() {
            return Err(EncoderError::Setting {
                name: "bidirectional",
                want: "false for an encoder that goes on event by event",
                got: "true".into(),
            });
        }
        let [n_windows, _] = batch.keep.dims();
        let zeros = self.stack.zeros(n_windows, &batch.keep.device());
        Ok(self.advance(zeros, batch, 0, 1).0)
    }

    /// Reads the events of `batch` on top of `state`; gives the new state and the vector of each window so far, `[batch, d_model]`.
    ///
    /// One event costs the same, however many came before; the vectors are those of [`Encoder::encode`] for all events together.
    #[must_use]
    pub fn step(&self, state: RecurrentState<B>, batch: &EventBatch<B>) -> (RecurrentState<B>, Tensor<B, 2>) {
        let [_, seq] = batch.keep.dims();
        self.advance(state, batch, 1, seq - 1)
    }

    /// Reads `n` positions of a batch from `from` on.
    fn advance(
        &self,
        state: RecurrentState<B>,
        batch: &EventBatch<B>,
        from: usize,
        n: usize,
    ) -> (RecurrentState<B>, Tensor<B, 2>) {
        let keep = batch.keep.clone().narrow(1, from, n);
        let rows = self.embedding.forward(batch).narrow(1, from, n);
        self.stack.advance(state, rows, &keep)
    }
}
