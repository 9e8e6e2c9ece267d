//! Encoders: token windows to vectors, as burn modules generic over the backend.
//!
//! Takes [`spaxiom_token::TokenWindow`]s as one [`EventBatch`], gives a state per event and one vector per window.
//! Knows no index and no optimiser; weights are made from a seed on the host, so that every backend starts equal.

mod attention;
mod batch;
mod contrastive;
mod elapsed;
mod embedding;
mod encoder;
mod error;
mod event_encoder;
mod files;
mod fused;
mod fusion;
mod graph;
mod inference;
mod init;
mod layers;
mod modality;
mod pca;
mod pool;
mod recurrent;
mod relative_bias;
mod text;
mod transformer;
mod weights;

pub use crate::attention::CrossAttentionLayer;
pub use crate::batch::{BatchLayout, EventBatch, WindowRows};
pub use crate::contrastive::{ContrastiveEventEncoder, ProjectionHead};
pub use crate::embedding::EventEmbedding;
pub use crate::encoder::{Encoded, Encoder};
pub use crate::error::EncoderError;
pub use crate::event_encoder::{EncoderKind, EventEncoder, EventEncoderConfig};
pub use crate::files::replace_file;
pub use crate::fusion::{FusionMethod, MultiModalFusion, MultiModalFusionConfig};
pub use crate::graph::{GraphStack, Readout, SpatioTemporalGnn, SpatioTemporalGnnConfig};
pub use crate::inference::{DenseLinear, EventEncoderInference, RecurrentInference, TransformerInference};
pub use crate::init::WeightRng;
pub use crate::layers::{dense, gelu, normed};
pub use crate::modality::ModalityEncoder;
pub use crate::pca::Pca;
pub use crate::pool::{Pooling, masked_mean};
pub use crate::recurrent::{
    Cell, GruEventEncoder, LstmEventEncoder, RecurrentEventEncoder, RecurrentEventEncoderConfig, RecurrentStack,
    RecurrentState,
};
pub use crate::text::{TextBatch, TextQueryEncoder, TextQueryEncoderConfig};
pub use crate::transformer::{Preset, TransformerEventEncoder, TransformerEventEncoderConfig, TransformerStack};
pub use crate::weights::{NamedTensor, ParameterPath, WeightFile, apply_weights, collect_weights};
