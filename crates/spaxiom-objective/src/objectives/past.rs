//! What happened lately, told from the vector alone: counts of every token in the last minutes and hours.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};

use crate::context::ObjectiveContext;
use crate::counts::{self, Counts};
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::losses::{huber, masked_mean, scalar};
use crate::metric::Metric;
use crate::objective::{Loss, ModelSetting, Objective, ObjectiveOptions, Preparer, Purpose};

/// Options of telling the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PastOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// How far back events are counted, in minutes; 5, 30 and 120.
    pub minutes: Vec<f64>,
}

impl Default for PastOptions {
    fn default() -> Self {
        Self { weight: 1.0, minutes: vec![5.0, 30.0, 120.0] }
    }
}

impl ObjectiveOptions for PastOptions {
    type Task = PastTask;
    type Heads<B: Backend> = Past<B>;

    const NEEDS_MOMENTS: bool = true;

    fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError> {
        counts::check("past", "objectives.past.minutes", &self.minutes, context)
    }

    fn require(&self, setting: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        setting.require_position_per_event("past")
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        context: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> Past<B> {
        let rates = &context.token_rates;
        let usual = counts::usual(&self.minutes, rates).into_iter().map(f64::ln_1p).collect::<Vec<f64>>();
        let output = counts::head(d_model, &usual, &mut WeightRng::new(seed), device);
        Past { output, task: PastTask { options: self.clone(), n_tokens: rates.len() }, layout: layout.clone() }
    }
}

/// Tells, from the vector of a window, how often every token came in the past: a Huber loss on the logarithm of one and the count.
///
/// It makes a vector say of hours what its window may only hint at; where a memory stands beside the encoder, that is said already.
#[derive(Module, Debug)]
pub struct Past<B: Backend> {
    output: Linear<B>,
    #[module(skip)]
    task: PastTask,
    #[module(skip)]
    layout: BatchLayout,
}

/// Counts.
#[derive(Debug, Clone)]
pub struct PastTask {
    options: PastOptions,
    n_tokens: usize,
}

/// Windows, and the counts before the end of each.
#[derive(Debug)]
pub struct PastBatch {
    windows: Vec<WindowRows>,
    counts: Counts,
}

impl Preparer for PastTask {
    type Batch = PastBatch;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, _: &mut ChaCha8Rng) -> PastBatch {
        let counts = Counts::of(examples, &self.options.minutes, self.n_tokens, |moment, secs, n_tokens| {
            moment.past(secs, n_tokens)
        });
        PastBatch { windows: examples.iter().map(|example| example.window.into()).collect(), counts }
    }
}

impl<B: Backend> Objective<B> for Past<B> {
    type Task = PastTask;

    fn task(&self) -> PastTask {
        self.task.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &PastBatch, device: &B::Device) -> Loss<B> {
        let vectors = encoder.encode(&EventBatch::with_rows(&self.layout, &batch.windows, device)).pooled;
        let (counts, is_known) = batch.counts.tensors(device);
        let difference = self.output.forward(vectors) - counts.log1p();
        let error = masked_mean(difference.clone().detach().abs(), is_known.clone());
        Loss {
            value: masked_mean(huber(difference), is_known),
            n_predictions: batch.windows.len(),
            metrics: vec![Metric { name: "past_error", value: scalar(error) }],
        }
    }
}
