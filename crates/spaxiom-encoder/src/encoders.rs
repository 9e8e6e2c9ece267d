//! The encoders: one file each, and one row each in the table at the end.
//!
//! From the table follow the names, the section `[encoder]` of an experiment file, and the types of programs that choose an encoder by its name.
#![expect(
    clippy::large_enum_variant,
    reason = "there is one of them, and burn derives modules for plain variants only"
)]

pub(crate) mod contrastive;
pub(crate) mod fusion;
pub(crate) mod graph;
pub(crate) mod recurrent;
pub(crate) mod text;
pub(crate) mod transformer;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};
use spaxiom_token::{TokenWindow, Tokenizer};

use self::fusion::{MultiModalFusion, MultiModalFusionConfig};
use self::graph::{SpatioTemporalGnn, SpatioTemporalGnnConfig};
use self::recurrent::{RecurrentEventEncoder, RecurrentEventEncoderConfig};
use self::transformer::{TransformerEventEncoder, TransformerEventEncoderConfig};
use crate::batch::{BatchLayout, EventBatch};
use crate::cell::Cell;
use crate::encoder::{Encoded, Encoder, EncoderConfig};
use crate::error::EncoderError;
use crate::inference::recurrent::RecurrentInference;
use crate::inference::transformer::TransformerInference;
use crate::inference::walk::RecurrentWalk;
use crate::preset::Preset;
use crate::weights::NamedTensor;

/// Calls a method or a function with what a row says first, then with the rest.
macro_rules! call {
    ($receiver:ident.$method:ident, ($($first:expr)?), $($rest:expr),+) => {
        $receiver.$method($($first,)? $($rest),+)
    };
    ($function:path, ($($first:expr)?), $($rest:expr),+) => {
        $function($($first,)? $($rest),+)
    };
}

/// Turns rows of `/// help`, `Name(its variant, where a file holds several): config, module, inference on the CPU where there is one;`
/// into [`EncoderKind`], [`EventEncoderConfig`], [`EventEncoder`] and [`EventEncoderInference`].
macro_rules! encoders {
    ($($(#[$help:meta])* $kind:ident $variant:tt: $config:ident, $module:ident $(, $inference:ident)?;)+) => {
        /// The encoders by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
        pub enum EncoderKind {
            $($(#[$help])* $kind,)+
        }

        /// Name and shape of an [`EventEncoder`]; in files the name is `kind`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", tag = "kind")]
        pub enum EventEncoderConfig {
            $($(#[$help])* $kind($config),)+
        }

        impl EventEncoderConfig {
            /// An encoder of this kind, of the size of a preset.
            #[must_use]
            pub fn preset(kind: EncoderKind, preset: Preset) -> Self {
                match kind {
                    $(EncoderKind::$kind => Self::$kind(preset.into()),)+
                }
            }

            /// Which encoder it is.
            #[must_use]
            pub fn kind(&self) -> EncoderKind {
                match self {
                    $(Self::$kind(_) => EncoderKind::$kind,)+
                }
            }

            fn shape(&self) -> &dyn EncoderConfig {
                match self {
                    $(Self::$kind(config) => config,)+
                }
            }

            fn shape_mut(&mut self) -> &mut dyn EncoderConfig {
                match self {
                    $(Self::$kind(config) => config,)+
                }
            }

            /// An encoder with the weights that `seed` gives.
            pub fn init<B: Backend>(&self, layout: &BatchLayout, seed: u64, device: &B::Device) -> EventEncoder<B> {
                match self {
                    $(Self::$kind(config) => EventEncoder::$kind(call!(config.init, $variant, layout, seed, device)),)+
                }
            }
        }

        /// One of the encoders; its weights have the names that they have without this type.
        #[derive(Module, Debug)]
        pub enum EventEncoder<B: Backend> {
            $($(#[$help])* $kind($module<B>),)+
        }

        impl<B: Backend> Encoder<B> for EventEncoder<B> {
            fn d_model(&self) -> usize {
                match self {
                    $(Self::$kind(encoder) => encoder.d_model(),)+
                }
            }

            fn max_len(&self) -> usize {
                match self {
                    $(Self::$kind(encoder) => encoder.max_len(),)+
                }
            }

            fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
                match self {
                    $(Self::$kind(encoder) => encoder.encode(batch),)+
                }
            }
        }

        /// [`EventEncoder`] for encoding on the CPU, for the encoders that have such a way.
        #[derive(Debug, Clone)]
        pub enum EventEncoderInference {
            $($(#[doc = concat!("By [`", stringify!($inference), "`].")] $kind($inference),)?)+
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
                if !config.shape().has_inference() {
                    return Ok(None);
                }
                match config {
                    $($(EventEncoderConfig::$kind(config) => Ok(Some(Self::$kind(call!(
                        $inference::from_weights, $variant, config, layout, tensors, prefix
                    )?))),)?)+
                    _ => Ok(None),
                }
            }

            /// Width of the vectors.
            #[must_use]
            pub fn d_model(&self) -> usize {
                match self {
                    $($(Self::$kind(encoder) => $inference::d_model(encoder),)?)+
                }
            }

            /// The longest window in events.
            #[must_use]
            pub fn max_len(&self) -> usize {
                match self {
                    $($(Self::$kind(encoder) => $inference::max_len(encoder),)?)+
                }
            }

            /// A site in which nothing has happened yet, for an encoder that goes on event by event.
            #[must_use]
            pub fn walk(&self) -> Option<RecurrentWalk<'_>> {
                match self {
                    $($(Self::$kind(encoder) => $inference::walk(encoder),)?)+
                }
            }

            /// One vector per window, row after row; the same to the last bit whatever windows are encoded together
            /// and however many threads work.
            ///
            /// # Panics
            /// Where a window is longer than [`EventEncoderInference::max_len`].
            #[must_use]
            pub fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
                match self {
                    $($(Self::$kind(encoder) => $inference::encode(encoder, windows),)?)+
                }
            }
        }
    };
}

impl EventEncoderConfig {
    /// Width of states and vectors.
    #[must_use]
    pub fn d_model(&self) -> usize {
        self.shape().d_model()
    }

    /// Longest window in events.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.shape().max_len()
    }

    /// The same for windows of another length.
    #[must_use]
    pub fn with_max_len(mut self, max_len: usize) -> Self {
        self.shape_mut().set_max_len(max_len);
        self
    }

    /// As [`EncoderConfig::needs_edges`].
    #[must_use]
    pub fn needs_edges(&self) -> bool {
        self.shape().needs_edges()
    }

    /// As [`EncoderConfig::needs_ages`].
    #[must_use]
    pub fn needs_ages(&self) -> bool {
        self.shape().needs_ages()
    }

    /// As [`EncoderConfig::knows_order_from_edges`].
    #[must_use]
    pub fn knows_order_from_edges(&self) -> bool {
        self.shape().knows_order_from_edges()
    }

    /// As [`EncoderConfig::sees_no_future`].
    #[must_use]
    pub fn sees_no_future(&self) -> bool {
        self.shape().sees_no_future()
    }

    /// As [`EncoderConfig::n_copies_on_cpu`].
    #[must_use]
    pub fn n_copies_on_cpu(&self) -> usize {
        self.shape().n_copies_on_cpu()
    }

    /// As [`EncoderConfig::goes_on`].
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.shape().goes_on()
    }

    /// The same encoder reading from the past alone, where it can.
    #[must_use]
    pub fn without_future(mut self) -> Self {
        self.shape_mut().hide_future();
        self
    }

    /// The layout of the batches that it reads, over the rows of a tokenizer.
    #[must_use]
    pub fn layout(&self, tokenizer: &Tokenizer) -> BatchLayout {
        let layout = BatchLayout::of(tokenizer);
        let layout = if self.needs_ages() { layout.with_ages() } else { layout };
        if self.needs_edges() { layout.with_edges() } else { layout }
    }

    /// Fails where the shape is impossible.
    pub fn check(&self) -> Result<(), EncoderError> {
        self.shape().check()
    }
}

encoders! {
    /// Self-attention over the events of a window
    Transformer(): TransformerEventEncoderConfig, TransformerEventEncoder, TransformerInference;
    /// Recurrent, with a cell state
    Lstm(Cell::Lstm): RecurrentEventEncoderConfig, RecurrentEventEncoder, RecurrentInference;
    /// Recurrent, with fewer weights than an LSTM
    Gru(Cell::Gru): RecurrentEventEncoderConfig, RecurrentEventEncoder, RecurrentInference;
    /// Message passing along edges of zone, time and cause
    Gnn(): SpatioTemporalGnnConfig, SpatioTemporalGnn;
    /// Separate encoders for place, time, type and numbers, then fusion
    Fusion(): MultiModalFusionConfig, MultiModalFusion;
}
