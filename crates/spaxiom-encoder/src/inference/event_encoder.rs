//! The chosen encoder, for encoding on the CPU.

use std::collections::BTreeMap;

use spaxiom_token::TokenWindow;

use super::recurrent::RecurrentInference;
use super::transformer::TransformerInference;
use crate::batch::BatchLayout;
use crate::error::EncoderError;
use crate::event_encoder::EventEncoderConfig;
use crate::recurrent::Cell;
use crate::weights::NamedTensor;

/// [`crate::EventEncoder`] for encoding on the CPU.
#[derive(Debug, Clone)]
pub enum EventEncoderInference {
    /// Attention over the events of a window.
    Transformer(TransformerInference),
    /// Event after event.
    Recurrent(RecurrentInference),
}

impl EventEncoderInference {
    /// Takes the weights that [`crate::collect_weights`] gives of the encoder, each name preceded by `prefix`.
    ///
    /// None for an encoder that is computed by its burn module alone.
    ///
    /// # Errors
    /// The first name that is missing or has another shape.
    pub fn from_weights(
        config: &EventEncoderConfig,
        layout: &BatchLayout,
        tensors: &BTreeMap<String, NamedTensor>,
        prefix: &str,
    ) -> Result<Option<Self>, EncoderError> {
        let recurrent = |cell, config| RecurrentInference::from_weights(cell, config, layout, tensors, prefix);
        Ok(match config {
            EventEncoderConfig::Transformer(config) if config.relative_bias => None,
            EventEncoderConfig::Transformer(config) => {
                Some(Self::Transformer(TransformerInference::from_weights(config, layout, tensors, prefix)?))
            }
            EventEncoderConfig::Lstm(config) => Some(Self::Recurrent(recurrent(Cell::Lstm, config)?)),
            EventEncoderConfig::Gru(config) => Some(Self::Recurrent(recurrent(Cell::Gru, config)?)),
            EventEncoderConfig::Gnn(_) | EventEncoderConfig::Fusion(_) => None,
        })
    }

    /// Width of the vectors.
    #[must_use]
    pub fn d_model(&self) -> usize {
        match self {
            Self::Transformer(encoder) => encoder.d_model(),
            Self::Recurrent(encoder) => encoder.d_model(),
        }
    }

    /// The longest window in events.
    #[must_use]
    pub fn max_len(&self) -> usize {
        match self {
            Self::Transformer(encoder) => encoder.max_len(),
            Self::Recurrent(encoder) => encoder.max_len(),
        }
    }

    /// One vector per window, row after row.
    ///
    /// # Panics
    /// Where a window is longer than [`EventEncoderInference::max_len`].
    #[must_use]
    pub fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        match self {
            Self::Transformer(encoder) => encoder.encode(windows),
            Self::Recurrent(encoder) => encoder.encode(windows),
        }
    }
}
