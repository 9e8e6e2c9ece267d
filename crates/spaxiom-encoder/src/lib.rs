//! Encoders: token windows to vectors, as burn modules generic over the backend.
//!
//! Takes [`spaxiom_token::TokenWindow`]s as one [`EventBatch`], gives a state per event and one vector per window.
//! Knows no index and no optimizer; weights are made from a seed on the host, so that every backend starts equal.
//!
//! # Example
//!
//! ```
//! use burn_flex::Flex;
//! use spaxiom_encoder::{BatchLayout, Encoder, EncoderKind, EventBatch, EventEncoderConfig, Preset};
//! use spaxiom_token::TokenSequence;
//!
//! let (layout, device) = (BatchLayout::new(&[12, 20]), Default::default());
//! let encoder = EventEncoderConfig::preset(EncoderKind::Gru, Preset::Tiny).init::<Flex>(&layout, 0, &device);
//! let mut tokens = TokenSequence::new(2);
//! tokens.push([7, 9]);
//! tokens.push([8, 15]);
//! let batch = EventBatch::new(&layout, &[tokens.window(0, 2)], &device);
//! assert_eq!(encoder.encode(&batch).pooled.dims(), [1, 64]);
//! ```
//!
//! # Features
//!
//! - `flex` (default): gradients of the CPU backend by the kernels of this crate.
//! - `clap`: encoders and presets are values of a command line.
//! - `wgpu`, `cuda`: the tests run on these backends.

mod autodiff;
mod batch;
mod cell;
mod elapsed;
mod encoder;
mod encoders;
mod error;
mod inference;
mod init;
mod kernels;
mod layers;
mod pca;
mod preset;
mod weights;

pub use crate::batch::{BatchLayout, EventBatch, WindowRows};
pub use crate::cell::Cell;
pub use crate::encoder::{Encoded, Encoder, EncoderConfig};
pub use crate::encoders::contrastive::ContrastiveEventEncoder;
pub use crate::encoders::fusion::{FusionMethod, MultiModalFusion, MultiModalFusionConfig};
pub use crate::encoders::graph::{Readout, SpatioTemporalGnn, SpatioTemporalGnnConfig};
pub use crate::encoders::recurrent::{
    GruEventEncoder, LstmEventEncoder, RecurrentEventEncoder, RecurrentEventEncoderConfig,
};
pub use crate::encoders::text::{TextBatch, TextQueryEncoder, TextQueryEncoderConfig};
pub use crate::encoders::transformer::{TransformerEventEncoder, TransformerEventEncoderConfig};
pub use crate::encoders::{EncoderKind, EventEncoder, EventEncoderConfig, EventEncoderInference};
pub use crate::error::EncoderError;
pub use crate::inference::linear::DenseLinear;
pub use crate::inference::recurrent::RecurrentInference;
pub use crate::inference::transformer::TransformerInference;
pub use crate::inference::walk::RecurrentWalk;
pub use crate::init::WeightRng;
pub use crate::layers::attention::CrossAttentionLayer;
pub use crate::layers::dense::{dense, gelu, normed};
pub use crate::layers::embedding::EventEmbedding;
pub use crate::layers::graph::GraphStack;
pub use crate::layers::modality::ModalityEncoder;
pub use crate::layers::pool::{Pooling, masked_mean};
pub use crate::layers::projection::ProjectionHead;
pub use crate::layers::recurrent::{RecurrentStack, RecurrentStackConfig, RecurrentState};
pub use crate::layers::transformer::TransformerStack;
pub use crate::pca::Pca;
pub use crate::preset::Preset;
pub use crate::weights::{NamedTensor, ParameterPath, WeightFile, apply_weights, collect_weights};
