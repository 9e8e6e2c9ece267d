//! Masked event prediction: hide 15 % of the events, predict every field of each (seed, "Masked event prediction").

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};
use spaxiom_token::{EdgeType, special};

use crate::error::ObjectiveError;
use crate::example::Example;
use crate::objective::{Loss, Metric, Objective};

/// What may be set about masking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MaskingOptions {
    /// Share of the events that have to be predicted; 0.15.
    pub ratio: f64,
    /// Share of those that are hidden behind MASK; 0.8.
    pub hidden: f64,
    /// Share of those that are replaced by another event of the batch; 0.1. The rest stays as it is.
    pub replaced: f64,
}

impl Default for MaskingOptions {
    fn default() -> Self {
        Self { ratio: 0.15, hidden: 0.8, replaced: 0.1 }
    }
}

/// Checked [`MaskingOptions`].
#[derive(Debug, Clone)]
pub struct Masking(MaskingOptions);

impl Masking {
    /// Checks the shares.
    pub fn new(options: MaskingOptions) -> Result<Self, ObjectiveError> {
        let MaskingOptions { ratio, hidden, replaced } = options;
        if !(ratio > 0.0 && ratio < 1.0) {
            let got = ratio.to_string();
            return Err(ObjectiveError::Setting { name: "masking.ratio", want: "between 0 and 1", got });
        }
        if hidden < 0.0 || replaced < 0.0 || hidden + replaced > 1.0 {
            let got = format!("{hidden} and {replaced}");
            let want = "shares with a sum of at most 1";
            return Err(ObjectiveError::Setting { name: "masking.hidden and masking.replaced", want, got });
        }
        Ok(Self(options))
    }

    /// Chooses positions of each window (at least one, and no separators) and changes their ids and values.
    fn apply(&self, examples: &[Example<'_>], rng: &mut ChaCha8Rng) -> Masked {
        let MaskingOptions { ratio, hidden, replaced } = self.0;
        let n_fields = examples[0].window.n_fields();
        let seq = 1 + examples.iter().map(|example| example.window.len()).max().unwrap_or(0);
        let n_values = examples[0].window.n_values();
        let originals: Vec<WindowRows> = examples.iter().map(|example| example.window.into()).collect();
        let mut masked = Masked { windows: originals.clone(), positions: Vec::new(), targets: Vec::new() };
        for (window_idx, original) in originals.iter().enumerate() {
            let chosen = chosen(original, n_fields, ratio, rng);
            masked.windows[window_idx].edges.retain(|edge| {
                // Where an event was and what caused it may not be read off its edges; that it was soon after another, may.
                edge.kind == EdgeType::Temporal || !(chosen.contains(&edge.from) || chosen.contains(&edge.to))
            });
            for event_idx in chosen {
                let ids = event_idx * n_fields..(event_idx + 1) * n_fields;
                let values = event_idx * n_values..(event_idx + 1) * n_values;
                masked.positions.push(window_idx * seq + 1 + event_idx);
                masked.targets.extend_from_slice(&original.ids[ids.clone()]);
                let window = &mut masked.windows[window_idx];
                let fate: f64 = rng.random();
                if fate < hidden {
                    window.ids[ids].fill(special::MASK);
                    window.values[values].fill(f32::NAN);
                } else if fate < hidden + replaced {
                    let other = &originals[rng.random_range(0..originals.len())];
                    let at = rng.random_range(0..other.ids.len() / n_fields);
                    window.ids[ids].copy_from_slice(&other.ids[at * n_fields..(at + 1) * n_fields]);
                    window.values[values].copy_from_slice(&other.values[at * n_values..(at + 1) * n_values]);
                }
            }
        }
        masked
    }
}

/// Each position with probability `ratio`; one of them where chance chose none. A separator says nothing.
fn chosen(window: &WindowRows, n_fields: usize, ratio: f64, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let rows = window.ids.chunks_exact(n_fields).enumerate();
    let all: Vec<usize> = rows.filter(|(_, row)| row[0] != special::SEP).map(|(at, _)| at).collect();
    let chosen: Vec<usize> = all.iter().copied().filter(|_| rng.random_bool(ratio)).collect();
    if chosen.is_empty() && !all.is_empty() { vec![all[rng.random_range(0..all.len())]] } else { chosen }
}

/// A batch in which some events have to be predicted.
struct Masked {
    /// The changed windows.
    windows: Vec<WindowRows>,
    /// Where the events to predict stand in `[batch * seq]`.
    positions: Vec<usize>,
    /// Their true ids, row after row.
    targets: Vec<u32>,
}

/// An encoder with one softmax per field over the states of masked events.
#[derive(Module, Debug)]
pub struct MaskedEventModel<B: Backend, E> {
    encoder: E,
    /// The logits of all fields side by side, `[d_model, n_rows]`.
    heads: Linear<B>,
    #[module(skip)]
    layout: BatchLayout,
    #[module(skip)]
    masking: Masking,
}

impl<B: Backend, E: Encoder<B>> MaskedEventModel<B, E> {
    /// Puts prediction heads on `encoder`.
    pub fn new(encoder: E, layout: BatchLayout, masking: Masking, seed: u64, device: &B::Device) -> Self {
        let heads = WeightRng::new(seed).linear(encoder.d_model(), layout.n_rows(), device);
        Self { encoder, heads, layout, masking }
    }

    /// The encoder without its heads.
    #[must_use]
    pub fn into_encoder(self) -> E {
        self.encoder
    }
}

impl<B: Backend, E: Encoder<B>> Objective<B> for MaskedEventModel<B, E> {
    fn loss(&self, examples: &[Example<'_>], rng: &mut ChaCha8Rng, device: &B::Device) -> Loss<B> {
        let masked = self.masking.apply(examples, rng);
        let batch = EventBatch::with_rows(&self.layout, &masked.windows, device);
        let states = self.encoder.encode(&batch).states;
        let [n_windows, seq, d_model] = states.dims();
        let chosen = states.reshape([n_windows * seq, d_model]).select(0, indices(&masked.positions, device));
        let logits = self.heads.forward(chosen);
        let n_masked = masked.positions.len();
        let n_fields = self.layout.n_fields();
        let mut value = Tensor::zeros([1], device);
        let mut type_accuracy = 0.0;
        for field_idx in 0..n_fields {
            let targets: Vec<usize> =
                masked.targets.iter().skip(field_idx).step_by(n_fields).map(|&id| id as usize).collect();
            let targets: Tensor<B, 1, Int> = indices(&targets, device);
            let logits = logits.clone().slice([0..n_masked, self.rows_of(field_idx)]);
            if field_idx == 0 {
                type_accuracy = accuracy(logits.clone(), targets.clone());
            }
            value = value + cross_entropy(logits, targets);
        }
        Loss {
            value: value.div_scalar(n_fields as f64),
            n_predictions: n_masked,
            metrics: vec![Metric { name: "type_accuracy", value: type_accuracy }],
        }
    }
}

impl<B: Backend, E> MaskedEventModel<B, E> {
    fn rows_of(&self, field_idx: usize) -> std::ops::Range<usize> {
        let offsets = self.layout.offsets();
        offsets[field_idx]..offsets.get(field_idx + 1).copied().unwrap_or(self.layout.n_rows())
    }
}

/// A tensor of indices.
pub(crate) fn indices<B: Backend>(indices: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    let values: Vec<i64> = indices.iter().map(|&i| i64::try_from(i).expect("an index fits")).collect();
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

/// Mean negative log-likelihood of `targets` `[n]` under `logits` `[n, n_classes]`, in nats.
pub(crate) fn cross_entropy<B: Backend>(logits: Tensor<B, 2>, targets: Tensor<B, 1, Int>) -> Tensor<B, 1> {
    let [n, _] = logits.dims();
    log_softmax(logits, 1).gather(1, targets.reshape([n, 1])).mean().neg()
}

/// Share of rows of `logits` `[n, n_classes]` whose greatest is at `targets` `[n]`.
pub(crate) fn accuracy<B: Backend>(logits: Tensor<B, 2>, targets: Tensor<B, 1, Int>) -> f64 {
    let [n, _] = logits.dims();
    let hits = logits.argmax(1).reshape([n]).equal(targets).float().mean();
    hits.into_data().convert::<f64>().to_vec::<f64>().expect("converted above")[0]
}
