//! Classification of windows: the seed's head of two linear layers on the pooled vector.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng};

use crate::example::Example;
use crate::losses::{accuracy, focal_cross_entropy, indices, numbers};
use crate::objective::{Loss, Metric, Objective};

/// What mistakes cost.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassCosts {
    /// How much an example of each class counts.
    pub weights: Vec<f32>,
    /// The exponent of the focal loss; 0 for cross-entropy.
    pub focal_gamma: f64,
}

impl ClassCosts {
    /// Every example counts the same.
    #[must_use]
    pub fn equal(n_classes: usize) -> Self {
        Self { weights: vec![1.0; n_classes], focal_gamma: 0.0 }
    }

    /// Every class counts the same, however many examples it has; one without examples as if it had one.
    #[must_use]
    pub fn balanced(classes: &[usize], n_classes: usize) -> Self {
        let mut counts = vec![0usize; n_classes];
        for &class in classes {
            counts[class] += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a weight")]
        let weight = |count: usize| (classes.len() as f64 / (n_classes * count.max(1)) as f64) as f32;
        Self { weights: counts.into_iter().map(weight).collect(), focal_gamma: 0.0 }
    }
}

/// An encoder with a classification head.
#[derive(Module, Debug)]
pub struct ClassifierModel<B: Backend, E> {
    encoder: E,
    hidden: Linear<B>,
    output: Linear<B>,
    #[module(skip)]
    layout: BatchLayout,
    #[module(skip)]
    costs: ClassCosts,
}

impl<B: Backend, E: Encoder<B>> ClassifierModel<B, E> {
    /// Puts a head on `encoder`, for as many classes as `costs` has weights.
    pub fn new(encoder: E, layout: BatchLayout, costs: ClassCosts, seed: u64, device: &B::Device) -> Self {
        let mut rng = WeightRng::new(seed);
        let (d_model, n_classes) = (encoder.d_model(), costs.weights.len());
        Self {
            encoder,
            hidden: rng.linear(d_model, d_model, device),
            output: rng.linear(d_model, n_classes, device),
            layout,
            costs,
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
        let weights = classes.iter().map(|&class| self.costs.weights[class]).collect();
        let value = focal_cross_entropy(logits, targets, numbers(weights, device), self.costs.focal_gamma);
        Loss { value, n_predictions: classes.len(), metrics }
    }
}
