//! Objectives, training and checkpoints.
//!
//! Takes token windows and an encoder, gives trained weights; every objective is one [`Objective`],
//! every run goes through one [`Trainer`], and resuming a run gives the weights of a run that never stopped.
//! Knows no clock and no index: how long a step took is the observer's business.
//!
//! # Example
//!
//! ```
//! use spaxiom_objective::{ObjectiveName, ObjectiveSet};
//!
//! // As an experiment file says it: `[objectives.mep]`, `[objectives.info-nce]`.
//! let set = ObjectiveSet::default().pick(&[ObjectiveName::Mep, ObjectiveName::InfoNce]);
//! assert_eq!(set.names(), [ObjectiveName::Mep, ObjectiveName::InfoNce]);
//! assert!(ObjectiveName::InfoNce.needs_events());
//! ```
//!
//! A whole training stands in `examples/own_encoder.rs` of `spaxiom-embedding`.
//!
//! # Features
//!
//! - `clap`: objectives are values of a command line.

mod adamw;
mod average;
mod batches;
mod checkpoint;
mod collapse;
mod context;
mod counts;
mod error;
mod example;
mod field_heads;
mod gap_density;
mod judge;
mod losses;
mod masking;
mod metric;
mod objective;
mod objectives;
mod observer;
mod precision;
mod random;
mod rates;
mod replicas;
mod schedule;
mod texts;
mod timeline;
mod train_options;
mod trainer;
mod views;

pub use crate::adamw::{AdamW, AdamWOptions, clip_global_norm};
pub use crate::batches::Neighbors;
pub use crate::checkpoint::{Checkpoint, TrainState, renamed_weights};
pub use crate::context::ObjectiveContext;
pub use crate::error::ObjectiveError;
pub use crate::example::{Example, Examples, InOrder, Labeled, Show, Windows};
pub use crate::field_heads::FieldHeads;
pub use crate::gap_density::GapDensity;
pub use crate::judge::{Judged, judge};
pub use crate::losses::{
    binary_cross_entropy, cross_entropy, focal_cross_entropy, in_batch_negatives, info_nce, triplet,
};
pub use crate::masking::MaskedBatch;
pub use crate::metric::Metric;
pub use crate::objective::{
    Backward, Batch, Compared, Loss, Model, ModelSetting, Objective, ObjectiveOptions, Preparer, Purpose,
    TrainableEncoder, TrainableObjective,
};
pub use crate::objectives::{
    ClassWeights, Classification, ClassificationBatch, ClassificationOptions, ClassificationTask, Future, FutureBatch,
    FutureOptions, FutureTask, InfoNce, InfoNceOptions, Jigsaw, JigsawBatch, JigsawOptions, JigsawTask, LinkPrediction,
    LinkPredictionBatch, LinkPredictionOptions, LinkPredictionTask, MaskedEvent, MaskedEventOptions, MaskedEventTask,
    Mining, Mix, MixBatch, MixTask, NextEvent, NextEventBatch, NextEventOptions, NextEventTask, NodeAttribute,
    NodeAttributeOptions, NodeAttributeTask, ObjectiveName, ObjectiveSet, Objectives, Past, PastBatch, PastOptions,
    PastTask, Triplet, TripletOptions,
};
pub use crate::observer::{EvalReport, Flow, Observer, Outcome, StepReport};
pub use crate::precision::Precision;
pub use crate::rates::{RateOptions, Rates};
pub use crate::schedule::WarmupCosine;
pub use crate::texts::{TextPairs, TextTrainOptions, train_texts};
pub use crate::timeline::{Moment, Timeline};
pub use crate::train_options::TrainOptions;
pub use crate::trainer::{Trained, Trainer, TrainingSet};
pub use crate::views::{ViewBatch, ViewTask};
