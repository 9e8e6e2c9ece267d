//! Node-attribute prediction for graphs: what an event is, from where and when it was and from the events around it.

use burn::module::Module;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch};
use spaxiom_token::Modality;

use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::masked_event::Masking;
use crate::objective::{Loss, Metric, Pretext};

/// Hides what some events are and how much (type, words, numbers) and predicts it; their place, time and edges stay.
///
/// [`crate::MaskedEvents`] hides everything and the edges that would tell it; here the graph is what the answer is read from.
#[derive(Module, Debug)]
pub struct NodeAttributes<B: Backend> {
    fields: FieldHeads<B>,
    #[module(skip)]
    masking: Masking,
}

impl<B: Backend> NodeAttributes<B> {
    /// Prediction heads over states of width `d_model`; of `masking` the ratio and the spans count.
    pub fn new(d_model: usize, layout: BatchLayout, masking: Masking, seed: u64, device: &B::Device) -> Self {
        Self { fields: FieldHeads::new(d_model, layout, seed, device), masking }
    }
}

fn is_attribute(modality: Modality) -> bool {
    matches!(modality, Modality::Type | Modality::Numeric)
}

impl<B: Backend> Pretext<B> for NodeAttributes<B> {
    fn loss<E: Encoder<B>>(
        &self,
        encoder: &E,
        examples: &[Example<'_>],
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Loss<B> {
        let layout = self.fields.layout();
        let fields: Vec<usize> =
            (0..layout.n_fields()).filter(|&field| is_attribute(layout.modalities()[field])).collect();
        let values: Vec<usize> =
            (0..layout.numbers().len()).filter(|&column| is_attribute(layout.numbers()[column].modality())).collect();
        let hidden = self.masking.hide_parts(examples, &fields, &values, rng);
        let states = encoder.encode(&EventBatch::with_rows(layout, &hidden.windows, device)).states;
        let Predicted { loss, first_accuracy, .. } =
            self.fields.predict(at(states, &hidden.positions), &hidden.targets, &fields);
        Loss {
            value: loss,
            n_predictions: hidden.positions.len(),
            metrics: vec![Metric { name: "attribute_accuracy", value: first_accuracy }],
        }
    }
}
