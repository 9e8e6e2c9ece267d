//! Objectives, training and checkpoints.
//!
//! Takes token windows and an encoder, gives trained weights; every objective is one [`Objective`],
//! every run goes through one [`Trainer`], and resuming a run gives the weights of a run that never stopped.
//! Knows no clock and no index: how long a step took is the observer's business.

mod adamw;
mod checkpoint;
mod classify;
mod error;
mod example;
mod masked_event;
mod objective;
mod schedule;
mod trainer;

pub use crate::adamw::{AdamW, AdamWOptions, clip_global_norm};
pub use crate::checkpoint::{Checkpoint, TrainState};
pub use crate::classify::ClassifierModel;
pub use crate::error::ObjectiveError;
pub use crate::example::{Example, Examples, Labelled, Windows};
pub use crate::masked_event::{MaskedEventModel, Masking, MaskingOptions};
pub use crate::objective::{Loss, Metric, Objective};
pub use crate::schedule::WarmupCosine;
pub use crate::trainer::{
    EvalReport, Flow, Observer, Outcome, StepReport, TrainOptions, Trained, Trainer, TrainingSet,
};
