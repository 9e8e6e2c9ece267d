//! Objectives, training and checkpoints.
//!
//! Takes token windows and an encoder, gives trained weights; every objective is one [`Objective`],
//! every run goes through one [`Trainer`], and resuming a run gives the weights of a run that never stopped.
//! Knows no clock and no index: how long a step took is the observer's business.

mod adamw;
mod average;
mod batches;
mod checkpoint;
mod classify;
mod collapse;
mod contrast;
mod error;
mod example;
mod field_heads;
mod gap_density;
mod jigsaw;
mod judge;
mod links;
mod losses;
mod masked_event;
mod mix;
mod next_event;
mod node_attributes;
mod objective;
mod precision;
mod rates;
mod replicas;
mod schedule;
mod train_options;
mod trainer;
mod triplets;
mod views;

pub use crate::adamw::{AdamW, AdamWOptions, clip_global_norm};
pub use crate::batches::Neighbours;
pub use crate::checkpoint::{Checkpoint, TrainState};
pub use crate::classify::{ClassCosts, ClassifierModel};
pub use crate::contrast::{Contrast, ContrastOptions};
pub use crate::error::ObjectiveError;
pub use crate::example::{Example, Examples, InOrder, Labelled, Show, Windows};
pub use crate::field_heads::FieldHeads;
pub use crate::gap_density::GapDensity;
pub use crate::jigsaw::{Jigsaw, JigsawOptions};
pub use crate::judge::{Judged, judge};
pub use crate::links::{LinkPredictionOptions, Links};
pub use crate::losses::{
    binary_cross_entropy, cross_entropy, focal_cross_entropy, in_batch_negatives, info_nce, triplet,
};
pub use crate::masked_event::{MaskedEvents, Masking, MaskingOptions};
pub use crate::mix::{Mix, PretextName, PretextOptions, Pretexts};
pub use crate::next_event::{NextEventFields, NextEventOptions, NextEvents};
pub use crate::node_attributes::NodeAttributes;
pub use crate::objective::{
    Backward, Batch, Compared, Loss, Metric, Objective, Preparer, Pretext, PretextModel, Purpose,
};
pub use crate::precision::Precision;
pub use crate::rates::{RateOptions, Rates};
pub use crate::schedule::WarmupCosine;
pub use crate::train_options::TrainOptions;
pub use crate::trainer::{EvalReport, Flow, Observer, Outcome, StepReport, Trained, Trainer, TrainingSet};
pub use crate::triplets::{Mining, TripletOptions, Triplets};
