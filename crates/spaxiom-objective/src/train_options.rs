//! Options of training.

use serde::{Deserialize, Serialize};

use crate::adamw::AdamWOptions;
use crate::error::ObjectiveError;
use crate::precision::Precision;
use crate::rates::RateOptions;

/// Options of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TrainOptions {
    /// Maximum number of steps; 600.
    pub max_steps: u64,
    /// Windows per step; 32.
    pub batch_size: usize,
    /// Gradient accumulation: parts in which the windows of a step go through the encoder, to save memory; 1.
    ///
    /// The gradients equal those of the whole batch if the parts have equally many predictions, and are close otherwise.
    /// Contrastive objectives only see the negatives of their part; `objectives.info-nce.cache-chunk` saves memory without that.
    pub accumulate: usize,
    /// Copies of the encoder that share the windows of a step: on CUDA one per device, otherwise one per share of the threads;
    /// 0 chooses one, and four on a CPU for transformer, fusion and graph encoders.
    ///
    /// Heads and losses see all windows of the step, so the gradients equal those of one encoder, up to rounding.
    /// Each copy needs memory for gradients of its own.
    pub replicas: usize,
    /// Precision of the encoder; `full`. `mixed` is for GPUs and slower on a CPU.
    pub precision: Precision,
    /// Hard negatives per window for `triplet` and `info-nce`: so many of its nearest windows that end with another type
    /// are put into its batch. They are searched anew in every epoch, among all windows in memory; 0.
    #[serde(alias = "neighbours")]
    pub neighbors: usize,
    /// Peak learning rate; 1e-3.
    pub learning_rate: f64,
    /// Warm-up steps; 50.
    pub warmup_steps: u64,
    /// Maximum global gradient norm; 1.
    pub clip_norm: f64,
    /// Steps between evaluations on the validation part; a checkpoint is written at each; 50.
    pub evaluate_every: u64,
    /// Early stopping: evaluations without a lower loss; 5.
    pub patience: usize,
    /// Decay of an exponential moving average of the weights, for example 0.998; 0 for none.
    ///
    /// The average is evaluated and saved instead of the weights. After `n` steps the decay is at most (1 + n) / (10 + n).
    pub average: f64,
    /// Nats by which the running mean of the loss may rise above its lowest value before the run stops; 2.
    pub max_rise: f64,
    /// Random seed of initial weights, order and masks; 0.
    pub seed: u64,
    /// Frozen and slower parameters.
    pub rates: RateOptions,
    /// The optimizer.
    pub adamw: AdamWOptions,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            max_steps: 600,
            batch_size: 32,
            accumulate: 1,
            replicas: 0,
            precision: Precision::default(),
            neighbors: 0,
            learning_rate: 1e-3,
            warmup_steps: 50,
            clip_norm: 1.0,
            evaluate_every: 50,
            patience: 5,
            average: 0.0,
            max_rise: 2.0,
            seed: 0,
            rates: RateOptions::default(),
            adamw: AdamWOptions::default(),
        }
    }
}

impl TrainOptions {
    pub(crate) fn check(&self) -> Result<(), ObjectiveError> {
        let Self { adamw, .. } = self;
        let rules = [
            ("batch-size", "1 or more", self.batch_size >= 1, self.batch_size.to_string()),
            ("accumulate", "1 or more", self.accumulate >= 1, self.accumulate.to_string()),
            ("replicas", "at most the batch-size", self.replicas <= self.batch_size, self.replicas.to_string()),
            ("max-rise", "above 0", self.max_rise > 0.0, self.max_rise.to_string()),
            ("max-steps", "1 or more", self.max_steps >= 1, self.max_steps.to_string()),
            ("evaluate-every", "1 or more", self.evaluate_every >= 1, self.evaluate_every.to_string()),
            ("learning-rate", "above 0", self.learning_rate > 0.0, self.learning_rate.to_string()),
            ("average", "0 or more and below 1", (0.0..1.0).contains(&self.average), self.average.to_string()),
            ("clip-norm", "above 0", self.clip_norm > 0.0, self.clip_norm.to_string()),
            ("adamw.beta-1", "0 or more and below 1", (0.0..1.0).contains(&adamw.beta_1), adamw.beta_1.to_string()),
            ("adamw.beta-2", "0 or more and below 1", (0.0..1.0).contains(&adamw.beta_2), adamw.beta_2.to_string()),
            ("adamw.epsilon", "above 0", adamw.epsilon > 0.0, adamw.epsilon.to_string()),
            ("adamw.weight-decay", "0 or more", adamw.weight_decay >= 0.0, adamw.weight_decay.to_string()),
        ];
        ObjectiveError::first_broken(rules)
    }
}
