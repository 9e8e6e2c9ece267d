//! Masked event prediction: hide 15 % of the events, predict every field of each (seed, "Masked event prediction").

use burn::module::Module;
use burn::tensor::backend::Backend;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WindowRows};
use spaxiom_token::{EdgeType, special};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::masking::{MaskChoice, MaskedBatch};
use crate::metric::Metric;
use crate::objective::{Loss, Objective, ObjectiveOptions, Preparer, Purpose};

/// Options of masked event prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MaskedEventOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Share of the events that are predicted; 0.15.
    pub ratio: f64,
    /// Share of those that are hidden behind MASK; 0.8.
    pub hidden: f64,
    /// Share of those that are replaced by another event of the batch; 0.1. The rest is left unchanged.
    pub replaced: f64,
    /// Maximum number of consecutive events that are chosen together; 1. The share stays the same.
    pub max_span: usize,
}

impl Default for MaskedEventOptions {
    fn default() -> Self {
        Self { weight: 1.0, ratio: 0.15, hidden: 0.8, replaced: 0.1, max_span: 1 }
    }
}

impl ObjectiveOptions for MaskedEventOptions {
    type Task = MaskedEventTask;
    type Heads<B: Backend> = MaskedEvent<B>;

    fn check(&self, _: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let Self { weight: _, ratio, hidden, replaced, max_span } = self;
        let are_shares = *hidden >= 0.0 && *replaced >= 0.0 && hidden + replaced <= 1.0;
        ObjectiveError::first_broken([
            ("objectives.mep.ratio", "between 0 and 1", *ratio > 0.0 && *ratio < 1.0, ratio.to_string()),
            (
                "objectives.mep.hidden and objectives.mep.replaced",
                "shares with a sum of at most 1",
                are_shares,
                format!("{hidden} and {replaced}"),
            ),
            ("objectives.mep.max-span", "1 or more", *max_span >= 1, max_span.to_string()),
        ])
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        _: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> MaskedEvent<B> {
        let fields = FieldHeads::new(d_model, layout.clone(), seed, device);
        MaskedEvent { fields, task: MaskedEventTask(self.clone()) }
    }
}

/// One softmax per field over the states of masked events.
#[derive(Module, Debug)]
pub struct MaskedEvent<B: Backend> {
    fields: FieldHeads<B>,
    #[module(skip)]
    task: MaskedEventTask,
}

/// Chooses events and hides them.
#[derive(Debug, Clone)]
pub struct MaskedEventTask(MaskedEventOptions);

impl Preparer for MaskedEventTask {
    type Batch = MaskedBatch;

    /// Chooses positions of each window (at least one, and no separators) and changes their ids and values.
    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> MaskedBatch {
        let MaskedEventOptions { weight: _, ratio, hidden, replaced, max_span } = self.0;
        let n_fields = examples[0].window.n_fields();
        let seq = 1 + examples.iter().map(|example| example.window.len()).max().unwrap_or(0);
        let n_values = examples[0].window.n_values();
        let originals: Vec<WindowRows> = examples.iter().map(|example| example.window.into()).collect();
        let mut masked = MaskedBatch { windows: originals.clone(), positions: Vec::new(), targets: Vec::new() };
        for (window_idx, original) in originals.iter().enumerate() {
            let chosen = MaskChoice { ratio, max_span }.positions(original, n_fields, rng);
            masked.windows[window_idx].edges.retain(|edge| {
                // The edges of a masked event must not tell its zone or its cause; that it followed soon after another may show.
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

impl<B: Backend> Objective<B> for MaskedEvent<B> {
    type Task = MaskedEventTask;

    fn task(&self) -> MaskedEventTask {
        self.task.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, masked: &MaskedBatch, device: &B::Device) -> Loss<B> {
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
