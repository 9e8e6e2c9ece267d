//! Masked event prediction: hide 15 % of the events, predict every field of each (seed, "Masked event prediction").

use burn::module::Module;
use burn::tensor::backend::Backend;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WindowRows};
use spaxiom_token::{EdgeType, special};

use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::objective::{Loss, Metric, Preparer, Pretext, Purpose};

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
    /// Events in a row that are chosen together at most; 1. The share stays the same.
    pub max_span: usize,
}

impl Default for MaskingOptions {
    fn default() -> Self {
        Self { ratio: 0.15, hidden: 0.8, replaced: 0.1, max_span: 1 }
    }
}

/// Checked [`MaskingOptions`]: which events are hidden.
#[derive(Debug, Clone)]
pub struct Masking(MaskingOptions);

impl Masking {
    /// Checks the shares.
    pub fn new(options: MaskingOptions) -> Result<Self, ObjectiveError> {
        let MaskingOptions { ratio, hidden, replaced, max_span } = options;
        if !(ratio > 0.0 && ratio < 1.0) {
            let got = ratio.to_string();
            return Err(ObjectiveError::Setting { name: "masking.ratio", want: "between 0 and 1", got });
        }
        if hidden < 0.0 || replaced < 0.0 || hidden + replaced > 1.0 {
            let got = format!("{hidden} and {replaced}");
            let want = "shares with a sum of at most 1";
            return Err(ObjectiveError::Setting { name: "masking.hidden and masking.replaced", want, got });
        }
        if max_span == 0 {
            return Err(ObjectiveError::Setting { name: "masking.max-span", want: "1 or more", got: "0".into() });
        }
        Ok(Self(options))
    }

    /// Chooses positions of each window (at least one, and no separators) and changes their ids and values.
    fn apply(&self, examples: &[Example<'_>], rng: &mut ChaCha8Rng) -> Masked {
        let MaskingOptions { ratio, hidden, replaced, max_span } = self.0;
        let n_fields = examples[0].window.n_fields();
        let seq = 1 + examples.iter().map(|example| example.window.len()).max().unwrap_or(0);
        let n_values = examples[0].window.n_values();
        let originals: Vec<WindowRows> = examples.iter().map(|example| example.window.into()).collect();
        let mut masked = Masked { windows: originals.clone(), positions: Vec::new(), targets: Vec::new() };
        for (window_idx, original) in originals.iter().enumerate() {
            let chosen = chosen(original, n_fields, ratio, max_span, rng);
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

impl Masking {
    /// Chooses positions as [`Masking::apply`] does, and hides some fields and values of each; edges stay.
    pub(crate) fn hide_parts(
        &self,
        examples: &[Example<'_>],
        fields: &[usize],
        values: &[usize],
        rng: &mut ChaCha8Rng,
    ) -> Masked {
        let MaskingOptions { ratio, max_span, .. } = self.0;
        let n_fields = examples[0].window.n_fields();
        let n_values = examples[0].window.n_values();
        let seq = 1 + examples.iter().map(|example| example.window.len()).max().unwrap_or(0);
        let windows = examples.iter().map(|example| example.window.into()).collect();
        let mut masked = Masked { windows, positions: Vec::new(), targets: Vec::new() };
        for (window_idx, window) in masked.windows.iter_mut().enumerate() {
            for event_idx in chosen(window, n_fields, ratio, max_span, rng) {
                let row = event_idx * n_fields;
                masked.positions.push(window_idx * seq + 1 + event_idx);
                masked.targets.extend_from_slice(&window.ids[row..row + n_fields]);
                for field in fields {
                    window.ids[row + field] = special::MASK;
                }
                for value in values {
                    window.values[event_idx * n_values + value] = f32::NAN;
                }
            }
        }
        masked
    }
}

/// Each position with probability `ratio`, alone or in spans; one of them where chance chose none. A separator says nothing.
fn chosen(window: &WindowRows, n_fields: usize, ratio: f64, max_span: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let rows = window.ids.chunks_exact(n_fields).enumerate();
    let all: Vec<usize> = rows.filter(|(_, row)| row[0] != special::SEP).map(|(at, _)| at).collect();
    let chosen = if max_span == 1 {
        all.iter().copied().filter(|_| rng.random_bool(ratio)).collect()
    } else {
        spans(&all, ratio, max_span, rng)
    };
    if chosen.is_empty() && !all.is_empty() { vec![all[rng.random_range(0..all.len())]] } else { chosen }
}

/// Stretches of 1 to `max_span` events, all lengths as likely, until `ratio` of the events are chosen.
fn spans(all: &[usize], ratio: f64, max_span: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    // Between two spans lie so many events that the share is right: a renewal process.
    let mean = (max_span + 1) as f64 / 2.0;
    let start = (ratio / (ratio + mean * (1.0 - ratio))).min(1.0);
    let mut chosen = Vec::new();
    let mut at = 0;
    while at < all.len() {
        if rng.random_bool(start) {
            let end = (at + rng.random_range(1..=max_span)).min(all.len());
            chosen.extend_from_slice(&all[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
    chosen
}

/// A batch in which some events have to be predicted.
#[derive(Debug)]
pub struct Masked {
    /// The changed windows.
    pub(crate) windows: Vec<WindowRows>,
    /// Where the events to predict stand in `[batch * seq]`.
    pub(crate) positions: Vec<usize>,
    /// Their true ids, row after row.
    pub(crate) targets: Vec<u32>,
}

/// Masked event prediction: one softmax per field over the states of masked events.
#[derive(Module, Debug)]
pub struct MaskedEvents<B: Backend> {
    fields: FieldHeads<B>,
    #[module(skip)]
    masking: Masking,
}

impl<B: Backend> MaskedEvents<B> {
    /// Prediction heads over states of width `d_model`.
    pub fn new(d_model: usize, layout: BatchLayout, masking: Masking, seed: u64, device: &B::Device) -> Self {
        Self { fields: FieldHeads::new(d_model, layout, seed, device), masking }
    }
}

impl Preparer for Masking {
    type Batch = Masked;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> Masked {
        self.apply(examples, rng)
    }
}

impl<B: Backend> Pretext<B> for MaskedEvents<B> {
    type Task = Masking;

    fn task(&self) -> Masking {
        self.masking.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, masked: &Masked, device: &B::Device) -> Loss<B> {
        let layout = self.fields.layout();
        let states = encoder.encode(&EventBatch::with_rows(layout, &masked.windows, device)).states;
        let all: Vec<usize> = (0..layout.n_fields()).collect();
        let Predicted { loss, first_accuracy, .. } =
            self.fields.predict(at(states, &masked.positions), &masked.targets, &all);
        Loss {
            value: loss,
            n_predictions: masked.positions.len(),
            metrics: vec![Metric { name: "type_accuracy", value: first_accuracy }],
        }
    }
}
