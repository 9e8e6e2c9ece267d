//! Node-attribute prediction for graphs: what an event is, from where and when it was and from the events around it.

use burn::module::Module;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch};
use spaxiom_token::Modality;

use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::masked_event::{Masked, Masking};
use crate::objective::{Loss, Metric, Preparer, Pretext, Purpose};

/// Hides what some events are and how much (type, words, numbers) and predicts it; their place, time and edges stay.
///
/// [`crate::MaskedEvents`] hides everything and the edges that would tell it; here the graph is what the answer is read from.
#[derive(Module, Debug)]
pub struct NodeAttributes<B: Backend> {
    fields: FieldHeads<B>,
    #[module(skip)]
    task: HiddenParts,
}

/// Which parts of which events are hidden.
#[derive(Debug, Clone)]
pub struct HiddenParts {
    masking: Masking,
    fields: Vec<usize>,
    values: Vec<usize>,
}

impl Preparer for HiddenParts {
    type Batch = Masked;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> Masked {
        self.masking.hide_parts(examples, &self.fields, &self.values, rng)
    }
}

impl<B: Backend> NodeAttributes<B> {
    /// Prediction heads over states of width `d_model`; of `masking` the ratio and the spans count.
    pub fn new(d_model: usize, layout: BatchLayout, masking: Masking, seed: u64, device: &B::Device) -> Self {
        let fields = (0..layout.n_fields()).filter(|&field| is_attribute(layout.modalities()[field])).collect();
        let values = (0..layout.numbers().len()).filter(|&column| is_attribute(layout.numbers()[column].modality()));
        let task = HiddenParts { masking, fields, values: values.collect() };
        Self { fields: FieldHeads::new(d_model, layout, seed, device), task }
    }
}

fn is_attribute(modality: Modality) -> bool {
    matches!(modality, Modality::Type | Modality::Numeric)
}

impl<B: Backend> Pretext<B> for NodeAttributes<B> {
    type Task = HiddenParts;

    fn task(&self) -> HiddenParts {
        self.task.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, hidden: &Masked, device: &B::Device) -> Loss<B> {
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
