//! Node-attribute prediction for graphs: what an event is, given its zone, its time and the events around it.

use burn::module::Module;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch};
use spaxiom_token::{Modality, special};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::masking::{MaskChoice, MaskedBatch};
use crate::metric::Metric;
use crate::objective::{Loss, Objective, ObjectiveOptions, Preparer, Purpose};

/// Options of node-attribute prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NodeAttributeOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Share of the events whose attributes are hidden and predicted; 0.15.
    pub ratio: f64,
    /// Maximum number of consecutive events that are chosen together; 1. The share stays the same.
    pub max_span: usize,
}

impl Default for NodeAttributeOptions {
    fn default() -> Self {
        Self { weight: 1.0, ratio: 0.15, max_span: 1 }
    }
}

impl ObjectiveOptions for NodeAttributeOptions {
    type Task = NodeAttributeTask;
    type Heads<B: Backend> = NodeAttribute<B>;

    fn check(&self, _: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let Self { weight: _, ratio, max_span } = self;
        ObjectiveError::first_broken([
            ("objectives.node.ratio", "between 0 and 1", *ratio > 0.0 && *ratio < 1.0, ratio.to_string()),
            ("objectives.node.max-span", "1 or more", *max_span >= 1, max_span.to_string()),
        ])
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        _: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> NodeAttribute<B> {
        let Self { weight: _, ratio, max_span } = *self;
        let fields = (0..layout.n_fields()).filter(|&field| is_attribute(layout.modalities()[field])).collect();
        let values = (0..layout.numbers().len()).filter(|&column| is_attribute(layout.numbers()[column].modality()));
        let task = NodeAttributeTask { choice: MaskChoice { ratio, max_span }, fields, values: values.collect() };
        NodeAttribute { fields: FieldHeads::new(d_model, layout.clone(), seed, device), task }
    }
}

/// Hides what some events are (type, words, numbers) and predicts it; their zone, time and edges stay.
///
/// [`crate::MaskedEvent`] hides everything and the edges that would tell it; here the answer is read from the graph.
#[derive(Module, Debug)]
pub struct NodeAttribute<B: Backend> {
    fields: FieldHeads<B>,
    #[module(skip)]
    task: NodeAttributeTask,
}

/// Hides the attributes of some events.
#[derive(Debug, Clone)]
pub struct NodeAttributeTask {
    choice: MaskChoice,
    fields: Vec<usize>,
    values: Vec<usize>,
}

impl Preparer for NodeAttributeTask {
    type Batch = MaskedBatch;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> MaskedBatch {
        let n_fields = examples[0].window.n_fields();
        let n_values = examples[0].window.n_values();
        let seq = 1 + examples.iter().map(|example| example.window.len()).max().unwrap_or(0);
        let windows = examples.iter().map(|example| example.window.into()).collect();
        let mut masked = MaskedBatch { windows, positions: Vec::new(), targets: Vec::new() };
        for (window_idx, window) in masked.windows.iter_mut().enumerate() {
            for event_idx in self.choice.positions(window, n_fields, rng) {
                let row = event_idx * n_fields;
                masked.positions.push(window_idx * seq + 1 + event_idx);
                masked.targets.extend_from_slice(&window.ids[row..row + n_fields]);
                for field in &self.fields {
                    window.ids[row + field] = special::MASK;
                }
                for value in &self.values {
                    window.values[event_idx * n_values + value] = f32::NAN;
                }
            }
        }
        masked
    }
}

fn is_attribute(modality: Modality) -> bool {
    matches!(modality, Modality::Type | Modality::Numeric)
}

impl<B: Backend> Objective<B> for NodeAttribute<B> {
    type Task = NodeAttributeTask;

    fn task(&self) -> NodeAttributeTask {
        self.task.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, hidden: &MaskedBatch, device: &B::Device) -> Loss<B> {
        let layout = self.fields.layout();
        let states = encoder.encode(&EventBatch::with_rows(layout, &hidden.windows, device)).states;
        let Predicted { loss, first_accuracy, .. } =
            self.fields.predict(at(states, &hidden.positions), &hidden.targets, &self.task.fields);
        Loss {
            value: loss,
            n_predictions: hidden.positions.len(),
            metrics: vec![Metric { name: "attribute_accuracy", value: first_accuracy }],
        }
    }
}
