//! Classification of windows: the seed's head of two linear layers on the pooled vector.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::losses::{accuracy, focal_cross_entropy, indices, numbers};
use crate::metric::Metric;
use crate::objective::{Loss, Objective, ObjectiveOptions, Preparer, Purpose};

/// How much the examples of a class count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// Every example has the same weight.
    #[default]
    Equal,
    /// Every class has the same weight, however few examples it has.
    Balanced,
}

/// Options of classification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ClassificationOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Labeled windows per epoch; 8,000.
    pub examples_per_epoch: usize,
    /// Maximum number of labeled windows in an evaluation, evenly spread over the validation split; 2,000.
    pub validation_examples: usize,
    /// How much the examples of a class count; `equal`.
    pub class_weights: ClassWeights,
    /// The exponent of the focal loss, which reduces the weight of examples that are classified well; 0 for cross-entropy.
    pub focal_gamma: f64,
}

impl Default for ClassificationOptions {
    fn default() -> Self {
        Self {
            weight: 1.0,
            examples_per_epoch: 8_000,
            validation_examples: 2_000,
            class_weights: ClassWeights::default(),
            focal_gamma: 0.0,
        }
    }
}

impl ClassificationOptions {
    /// How much an example of each class counts.
    fn weights(&self, class_counts: &[usize]) -> Vec<f32> {
        let (n_examples, n_classes) = (class_counts.iter().sum::<usize>(), class_counts.len());
        #[expect(clippy::cast_possible_truncation, reason = "a weight")]
        let balanced = |count: &usize| (n_examples as f64 / (n_classes * (*count).max(1)) as f64) as f32;
        match self.class_weights {
            ClassWeights::Equal => vec![1.0; n_classes],
            // A class without examples counts as if it had one.
            ClassWeights::Balanced => class_counts.iter().map(balanced).collect(),
        }
    }
}

impl ObjectiveOptions for ClassificationOptions {
    type Task = ClassificationTask;
    type Heads<B: Backend> = Classification<B>;

    const NEEDS_CLASSES: bool = true;

    fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let Self { weight: _, examples_per_epoch, validation_examples, class_weights: _, focal_gamma } = self;
        let (gamma, n_classes) = (*focal_gamma, context.class_counts.len());
        ObjectiveError::first_broken([
            (
                "objectives.classify.examples-per-epoch",
                "1 or more",
                *examples_per_epoch >= 1,
                examples_per_epoch.to_string(),
            ),
            (
                "objectives.classify.validation-examples",
                "1 or more",
                *validation_examples >= 1,
                validation_examples.to_string(),
            ),
            ("objectives.classify.focal-gamma", "0 or more", gamma >= 0.0 && gamma.is_finite(), gamma.to_string()),
            ("objectives.classify", "an objective of data with classes", n_classes >= 1, "no class".into()),
        ])
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        context: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> Classification<B> {
        let mut rng = WeightRng::new(seed);
        Classification {
            hidden: rng.linear(d_model, d_model, device),
            output: rng.linear(d_model, context.class_counts.len(), device),
            layout: layout.clone(),
            weights: self.weights(&context.class_counts),
            focal_gamma: self.focal_gamma,
        }
    }
}

/// Two linear layers on the pooled vector of a window.
#[derive(Module, Debug)]
pub struct Classification<B: Backend> {
    hidden: Linear<B>,
    output: Linear<B>,
    #[module(skip)]
    layout: BatchLayout,
    #[module(skip)]
    weights: Vec<f32>,
    #[module(skip)]
    focal_gamma: f64,
}

impl<B: Backend> Classification<B> {
    /// The logits of windows.
    ///
    /// # Shapes
    /// - pooled: `[batch, d_model]`
    /// - output: `[batch, n_classes]`
    pub fn forward(&self, pooled: Tensor<B, 2>) -> Tensor<B, 2> {
        self.output.forward(relu(self.hidden.forward(pooled)))
    }
}

/// Prepares batches of labeled windows; windows without a class are left out.
#[derive(Debug, Clone, Copy)]
pub struct ClassificationTask;

/// Windows with their classes.
#[derive(Debug)]
pub struct ClassificationBatch {
    windows: Vec<WindowRows>,
    classes: Vec<usize>,
}

impl Preparer for ClassificationTask {
    type Batch = ClassificationBatch;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, _: &mut ChaCha8Rng) -> ClassificationBatch {
        let labeled = examples.iter().filter_map(|example| Some((example.window.into(), example.class?)));
        let (windows, classes) = labeled.unzip();
        ClassificationBatch { windows, classes }
    }
}

impl<B: Backend> Objective<B> for Classification<B> {
    type Task = ClassificationTask;

    fn task(&self) -> ClassificationTask {
        ClassificationTask
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &ClassificationBatch, device: &B::Device) -> Loss<B> {
        let ClassificationBatch { windows, classes } = batch;
        let logits = self.forward(encoder.encode(&EventBatch::with_rows(&self.layout, windows, device)).pooled);
        let targets = indices(classes, device);
        let metrics = vec![Metric { name: "accuracy", value: accuracy(logits.clone(), targets.clone()) }];
        let weights = classes.iter().map(|&class| self.weights[class]).collect();
        let value = focal_cross_entropy(logits, targets, numbers(weights, device), self.focal_gamma);
        Loss { value, n_predictions: classes.len(), metrics }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClassWeights, ClassificationOptions};

    #[test]
    fn every_class_has_the_same_weight_when_balanced() {
        let balanced = ClassificationOptions { class_weights: ClassWeights::Balanced, ..Default::default() };
        // Of twelve examples: 12 / (3 * 6), 12 / (3 * 6), and a class without examples as if it had one.
        assert_eq!(balanced.weights(&[6, 6, 0]), [2.0 / 3.0, 2.0 / 3.0, 4.0]);
        assert_eq!(ClassificationOptions::default().weights(&[6, 6, 0]), [1.0; 3]);
    }
}
