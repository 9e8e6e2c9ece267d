//! What a run reports, and how it is stopped from outside.

use serde::{Deserialize, Serialize};

use crate::metric::Metric;

/// The result of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport<'a> {
    /// Steps done, including this one.
    pub step: u64,
    /// Maximum number of steps of the run.
    pub max_steps: u64,
    /// Loss of the batch.
    pub loss: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// Events in the batch.
    pub n_events: usize,
    /// Metrics of the batch.
    pub metrics: &'a [Metric],
}

/// The result of an evaluation on the validation split.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalReport<'a> {
    /// Steps done.
    pub step: u64,
    /// Mean loss over the split.
    pub loss: f64,
    /// Whether this is the lowest loss so far.
    pub is_best: bool,
    /// Means over the split.
    pub metrics: &'a [Metric],
}

/// Whether a run continues after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Continue.
    Continue,
    /// Write a checkpoint and stop.
    Stop,
}

/// Watches a run; the only way to stop one early from outside.
pub trait Observer {
    /// Called after every step.
    fn step(&mut self, report: &StepReport<'_>) -> Flow;
    /// Called after every evaluation.
    fn evaluated(&mut self, report: &EvalReport<'_>);
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// The validation loss stopped falling.
    EarlyStopped,
    /// The observer stopped it; it can be resumed.
    Interrupted,
}
