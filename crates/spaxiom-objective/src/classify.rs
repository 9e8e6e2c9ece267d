//! Classification of windows: the seed's head of two linear layers on the pooled vector.

use burn::module::{Module, ModuleDisplay};
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};

use crate::example::Example;
use crate::losses::{accuracy, focal_cross_entropy, indices, numbers};
use crate::objective::{Loss, Metric, Objective, Preparer, Purpose};

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
        self.logits(self.encoder.encode(batch).pooled)
    }

    fn logits(&self, pooled: Tensor<B, 2>) -> Tensor<B, 2> {
        self.output.forward(relu(self.hidden.forward(pooled)))
    }
}

/// Makes batches of labelled windows; those without a class are left out.
#[derive(Debug, Clone, Copy)]
pub struct Classes;

/// Windows with their classes.
#[derive(Debug)]
pub struct Classed {
    windows: Vec<WindowRows>,
    classes: Vec<usize>,
}

impl Preparer for Classes {
    type Batch = Classed;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, _: &mut ChaCha8Rng) -> Classed {
        let labelled = examples.iter().filter_map(|example| Some((example.window.into(), example.class?)));
        let (windows, classes) = labelled.unzip();
        Classed { windows, classes }
    }
}

impl<B: Backend, E: Encoder<B> + Module<B> + ModuleDisplay> Objective<B> for ClassifierModel<B, E> {
    type Encoder = E;
    type Task = Classes;

    fn encoder(&self) -> &E {
        &self.encoder
    }

    fn task(&self) -> Classes {
        Classes
    }

    fn loss<F: Encoder<B>>(&self, encoder: &F, batch: &Classed, device: &B::Device) -> Loss<B> {
        let Classed { windows, classes } = batch;
        let logits = self.logits(encoder.encode(&EventBatch::with_rows(&self.layout, windows, device)).pooled);
        let targets = indices(classes, device);
        let metrics = vec![Metric { name: "accuracy", value: accuracy(logits.clone(), targets.clone()) }];
        let weights = classes.iter().map(|&class| self.costs.weights[class]).collect();
        let value = focal_cross_entropy(logits, targets, numbers(weights, device), self.costs.focal_gamma);
        Loss { value, n_predictions: classes.len(), metrics }
    }
}
