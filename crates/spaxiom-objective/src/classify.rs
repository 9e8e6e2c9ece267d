//! Classification of windows: the seed's head of two linear layers on the pooled vector.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng};

use crate::example::Example;
use crate::masked_event::{accuracy, cross_entropy, indices};
use crate::objective::{Loss, Metric, Objective};

/// An encoder with a classification head.
#[derive(Module, Debug)]
pub struct ClassifierModel<B: Backend, E> {
    encoder: E,
    hidden: Linear<B>,
    output: Linear<B>,
    #[module(skip)]
    layout: BatchLayout,
}

impl<B: Backend, E: Encoder<B>> ClassifierModel<B, E> {
    /// Puts a head for `n_classes` on `encoder`.
    pub fn new(encoder: E, layout: BatchLayout, n_classes: usize, seed: u64, device: &B::Device) -> Self {
        let mut rng = WeightRng::new(seed);
        let d_model = encoder.d_model();
        Self {
            encoder,
            hidden: rng.linear(d_model, d_model, device),
            output: rng.linear(d_model, n_classes, device),
            layout,
        }
    }

    /// The encoder under the head.
    #[must_use]
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The logits of every window.
    ///
    /// # Shapes
    /// - batch: `[batch, seq]` events
    /// - output: `[batch, n_classes]`
    pub fn forward(&self, batch: &EventBatch<B>) -> Tensor<B, 2> {
        let pooled = self.encoder.encode(batch).pooled;
        self.output.forward(relu(self.hidden.forward(pooled)))
    }
}

impl<B: Backend, E: Encoder<B>> Objective<B> for ClassifierModel<B, E> {
    fn loss(&self, examples: &[Example<'_>], _rng: &mut ChaCha8Rng, device: &B::Device) -> Loss<B> {
        let labelled: Vec<(_, usize)> =
            examples.iter().filter_map(|example| Some((example.window, example.class?))).collect();
        let (windows, classes): (Vec<_>, Vec<usize>) = labelled.into_iter().unzip();
        let logits = self.forward(&EventBatch::new(&self.layout, &windows, device));
        let targets = indices(&classes, device);
        let metrics = vec![Metric { name: "accuracy", value: accuracy(logits.clone(), targets.clone()) }];
        Loss { value: cross_entropy(logits, targets), n_predictions: classes.len(), metrics }
    }
}
