//! What may be set about a run.

use serde::{Deserialize, Serialize};

use crate::adamw::AdamWOptions;
use crate::error::ObjectiveError;
use crate::precision::Precision;
use crate::rates::RateOptions;

/// What may be set about training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TrainOptions {
    /// Steps at most; 600.
    pub max_steps: u64,
    /// Windows in a step; 32.
    pub batch_size: usize,
    /// Parts that the windows of a step go through the encoder in, one after the other, to need less memory; 1.
    ///
    /// The gradients are those of the whole where parts predict equally much, and close to them otherwise;
    /// but windows are contrasted with those of their part alone (`objectives.info-nce.cache-chunk` saves memory without that).
    pub accumulate: usize,
    /// Copies of the encoder that share the windows of every step, on CUDA each on a device of its own, elsewhere on a share of the threads;
    /// 0 for one, and on a CPU four of a transformer, fusion or graph.
    ///
    /// Heads and losses see all windows of the step, so that gradients are those of one encoder, up to rounding.
    /// Each copy has gradients of its own while a step is done, as large as the weights.
    pub replicas: usize,
    /// In which numbers the encoder computes; `full`. `mixed` is for GPUs: on a CPU it is slower.
    pub precision: Precision,
    /// So many windows that are near to a window and end with another type follow it into its batch, as hard negatives of `triplet` and `info-nce`,
    /// found by the vectors of the moment among all windows that are in memory, anew in every epoch, while pretraining; 0.
    #[serde(alias = "neighbours")]
    pub neighbors: usize,
    /// Peak of the learning rate; 1e-3.
    pub learning_rate: f64,
    /// Steps until the peak; 50.
    pub warmup_steps: u64,
    /// Greatest length of all gradients together; 1.
    pub clip_norm: f64,
    /// Steps between evaluations on the validation part; a checkpoint is written at each; 50.
    pub evaluate_every: u64,
    /// Evaluations without a lower loss until the run ends; 5.
    pub patience: usize,
    /// What a running mean of the weights keeps of itself in a step, for example 0.998; the mean is what is judged and kept. 0 for none.
    ///
    /// It forgets the first weights sooner: after `n` steps it keeps at most (1 + n) / (10 + n).
    pub average: f64,
    /// Nats by which the running mean of the loss may rise above its lowest value before the run stops; 2.
    pub max_rise: f64,
    /// Order of examples, masks and first weights; 0.
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
