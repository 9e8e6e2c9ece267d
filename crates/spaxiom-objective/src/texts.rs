//! Texts toward the vectors of the events that they ask for, which stay as they are.

use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::linalg::vector_normalize;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{TextBatch, TextQueryEncoder};

use crate::adamw::{AdamW, AdamWOptions, clip_global_norm};
use crate::error::ObjectiveError;
use crate::losses::{LEAST_NORM, NEVER, own_column};
use crate::observer::Flow;
use crate::schedule::WarmupCosine;

/// Global gradient norm at most.
const CLIP_NORM: f64 = 1.0;

/// Of the steps, one in so many warms up.
const WARMUP: u64 = 10;

/// Options of training texts toward events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TextTrainOptions {
    /// Steps; 600.
    pub max_steps: u64,
    /// Texts in a batch, each with one event that it asks for; 64.
    pub batch_size: usize,
    /// Hard negatives of each text: events of which all that the text names holds but one; 2.
    pub n_hard: usize,
    /// Highest learning rate; 2e-3.
    pub learning_rate: f64,
    /// What cosines are divided by; 0.05.
    pub temperature: f64,
}

impl Default for TextTrainOptions {
    fn default() -> Self {
        Self { max_steps: 600, batch_size: 64, n_hard: 2, learning_rate: 2e-3, temperature: 0.05 }
    }
}

impl TextTrainOptions {
    /// Fails where nothing could be learned.
    ///
    /// # Errors
    /// The first option that is out of its range.
    pub fn check(&self) -> Result<(), ObjectiveError> {
        let Self { max_steps, batch_size, n_hard: _, learning_rate, temperature } = *self;
        ObjectiveError::first_broken([
            ("text.max-steps", "1 or more", max_steps > 0, max_steps.to_string()),
            ("text.batch-size", "2 or more", batch_size > 1, batch_size.to_string()),
            ("text.learning-rate", "above 0", learning_rate > 0.0, learning_rate.to_string()),
            ("text.temperature", "above 0", temperature > 0.0, temperature.to_string()),
        ])
    }
}

/// Texts, and the events that they are compared with.
#[derive(Debug, Clone, Default)]
pub struct TextPairs {
    /// Word pieces of each text.
    pub texts: Vec<Vec<u32>>,
    /// Vectors of events, row after row: first the one that each text asks for, in order; then hard negatives.
    pub events: Vec<f32>,
    /// `[n_texts, n_events]`: whether the text asks for the event too; such events are no negatives of it.
    pub is_asked_for: Vec<bool>,
}

/// Trains a text encoder: the cosine of a text to the event that it asks for becomes greater than to all others of the batch
/// (dense passage retrieval, Karpukhin et al. 2020; the seed's `retrieval_fine_tuning`).
///
/// Events keep their vectors, so that a store need not be built again. `batch` gives the batch of a step; `told` is told of
/// steps and losses, and may stop early.
///
/// # Errors
/// [`ObjectiveError::Diverged`] for a loss that is no number, and those of [`TextTrainOptions::check`].
pub fn train_texts<B: AutodiffBackend>(
    mut encoder: TextQueryEncoder<B>,
    options: &TextTrainOptions,
    batch: &mut dyn FnMut(u64) -> TextPairs,
    told: &mut dyn FnMut(u64, f64) -> Flow,
    device: &B::Device,
) -> Result<TextQueryEncoder<B::InnerBackend>, ObjectiveError> {
    options.check()?;
    let TextTrainOptions { max_steps, batch_size: _, n_hard: _, learning_rate, temperature } = *options;
    let schedule = WarmupCosine { peak: learning_rate, n_warmup: max_steps / WARMUP, n_steps: max_steps };
    let mut optimizer = AdamW::<B::InnerBackend>::new(AdamWOptions::default());
    for step in 0..max_steps {
        let loss = pairs_loss(&encoder, &batch(step), temperature, device);
        let value: f64 = loss.clone().into_data().convert::<f64>().to_vec().expect("converted to f64")[0];
        if !value.is_finite() {
            return Err(ObjectiveError::Diverged { step, loss: value });
        }
        let mut grads = GradientsParams::from_grads(loss.backward(), &encoder);
        let (scale, _) = clip_global_norm::<B>(&encoder, &grads, CLIP_NORM);
        encoder = optimizer.step::<B, TextQueryEncoder<B>>(encoder, &mut grads, schedule.rate(step), scale);
        if told(step + 1, value) == Flow::Stop {
            break;
        }
    }
    Ok(encoder.valid())
}

fn pairs_loss<B: AutodiffBackend>(
    encoder: &TextQueryEncoder<B>,
    pairs: &TextPairs,
    temperature: f64,
    device: &B::Device,
) -> Tensor<B, 1> {
    let TextPairs { texts, events, is_asked_for } = pairs;
    let (n_texts, n_events) = (texts.len(), is_asked_for.len() / texts.len().max(1));
    let dim = events.len() / n_events.max(1);
    let events = Tensor::<B, 2>::from_data(TensorData::new(events.clone(), [n_events, dim]), device);
    let left_out = |(at, is_asked_for): (usize, &bool)| {
        let is_own = at / n_events == at % n_events;
        if *is_asked_for && !is_own { NEVER } else { 0.0 }
    };
    let left_out: Vec<f32> = is_asked_for.iter().enumerate().map(left_out).collect();
    let left_out = Tensor::from_data(TensorData::new(left_out, [n_texts, n_events]), device);
    let unit = |vectors| vector_normalize(vectors, 2.0, 1, LEAST_NORM);
    let texts = unit(encoder.encode(&TextBatch::new(texts, device)));
    own_column(texts.matmul(unit(events).transpose()).div_scalar(temperature) + left_out)
}
