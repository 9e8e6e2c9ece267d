//! Contrastive learning: two views of a window find each other among all windows (seed, "SimCLR-style contrastive learning").

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder};
use spaxiom_token::{Augmenter, TokenSequence};

use crate::collapse::Views;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::losses::{NEVER, info_nce, to_host};
use crate::objective::{Backward, Compared, Loss, Metric, Pretext};
use crate::views::{ViewProjection, Viewed, Viewer};

/// What may be set about contrastive learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ContrastOptions {
    /// What cosines are divided by; 0.07.
    pub temperature: f64,
    /// Numbers of the vectors that are compared; 64.
    pub d_projection: usize,
    /// Windows with this share of equal events, times apart, are no negatives of each other; 0.9.
    pub same_share: f64,
    /// Windows whose graph is held at a time, so that memory does not grow with the batch; 0 for all.
    ///
    /// Cached gradients (`GradCache`, Gao et al. 2021): everything is encoded twice, and the gradients are the same.
    pub cache_chunk: usize,
}

impl Default for ContrastOptions {
    fn default() -> Self {
        Self { temperature: 0.07, d_projection: 64, same_share: 0.9, cache_chunk: 0 }
    }
}

impl ContrastOptions {
    pub(crate) fn check(&self) -> Result<(), ObjectiveError> {
        let Self { temperature, d_projection, same_share, cache_chunk: _ } = self;
        let rules = [
            ("contrast.temperature", "above 0", *temperature > 0.0, temperature.to_string()),
            ("contrast.d-projection", "1 or more", *d_projection >= 1, d_projection.to_string()),
            ("contrast.same-share", "above 0", *same_share > 0.0, same_share.to_string()),
        ];
        ObjectiveError::first_broken(rules)
    }
}

/// `InfoNCE` over two views of every window; what means the same is taken out of the negatives.
#[derive(Module, Debug)]
pub struct Contrast<B: Backend> {
    projection: ViewProjection<B>,
    #[module(skip)]
    options: ContrastOptions,
}

impl<B: Backend> Contrast<B> {
    /// A projection head over vectors of width `d_model`.
    pub fn new(
        d_model: usize,
        layout: BatchLayout,
        augmenter: Arc<Augmenter>,
        options: ContrastOptions,
        seed: u64,
        device: &B::Device,
    ) -> Self {
        let viewer = Viewer { augmenter, layout, same_share: options.same_share, reach: None };
        let projection = ViewProjection::new(d_model, options.d_projection, viewer, seed, device);
        Self { projection, options }
    }

    /// The loss of projected views `[n, d]`, and its figures.
    fn compare(&self, [a, b]: [Tensor<B, 2>; 2], same: &[bool]) -> Loss<B> {
        let [n, dim] = a.dims();
        let n_same = same.iter().filter(|same| **same).count();
        let (first, second) = (to_host(a.clone()), to_host(b.clone()));
        let mut metrics = Views { first: &first, second: &second, dim }.figures();
        let share = n_same as f64 / (n * (n - 1)).max(1) as f64;
        metrics.push(Metric { name: "same_share", value: share });
        let bias = bias(same, n, &a.device());
        let value = info_nce(a, b, self.options.temperature, Some(bias));
        Loss { value, n_predictions: n, metrics }
    }

    /// The gradients of the loss for both views, without a graph: softmax minus identity, by rows and by columns.
    fn gradients(&self, [a, b]: [Tensor<B, 2>; 2], same: &[bool]) -> [Tensor<B, 2>; 2] {
        let [n, _] = a.dims();
        let temperature = self.options.temperature;
        let scores = a.clone().matmul(b.clone().transpose()).div_scalar(temperature) + bias(same, n, &a.device());
        let eye = Tensor::<B, 2>::eye(n, &scores.device()).mul_scalar(2.0);
        let of_scores =
            (softmax(scores.clone(), 1) + softmax(scores, 0) - eye).div_scalar(2.0 * n as f64 * temperature);
        [of_scores.clone().matmul(b), of_scores.transpose().matmul(a)]
    }
}

/// Takes pairs out of the scores, `[n, n]`.
fn bias<B: Backend>(same: &[bool], n: usize, device: &B::Device) -> Tensor<B, 2> {
    let values: Vec<f32> = same.iter().map(|same| if *same { NEVER } else { 0.0 }).collect();
    Tensor::from_data(TensorData::new(values, [n, n]), device)
}

impl<B: Backend> Pretext<B> for Contrast<B> {
    type Task = Viewer;

    fn task(&self) -> Viewer {
        self.projection.viewer.clone()
    }

    fn compared<E: Encoder<B>>(&self, encoder: &E, examples: &[Example<'_>], device: &B::Device) -> Option<Compared> {
        Some(self.projection.compared(encoder, examples, device))
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, Viewed { views, same, .. }: &Viewed, device: &B::Device) -> Loss<B> {
        self.compare(views.each_ref().map(|view| self.projection.project(encoder, view, device)), same)
    }

    fn learn<E: Encoder<B>>(
        &self,
        encoder: &E,
        batch: &Viewed,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        let Viewed { views, same, .. } = batch;
        let chunk = self.options.cache_chunk;
        if chunk == 0 || chunk >= views[0].len() {
            return self.loss(encoder, batch, device).learnt(backward);
        }
        let project = |chunk: &[TokenSequence]| self.projection.project(encoder, chunk, device);
        let without_graph = |view: &Vec<TokenSequence>| {
            let parts = view.chunks(chunk).map(|part| self.projection.project_detached(encoder, part, device));
            Tensor::cat(parts.collect(), 0)
        };
        let vectors = [without_graph(&views[0]), without_graph(&views[1])];
        let gradients = self.gradients(vectors.clone(), same);
        for (view, gradient) in views.iter().zip(gradients) {
            for (at, sequences) in view.chunks(chunk).enumerate() {
                let gradient = gradient.clone().narrow(0, at * chunk, sequences.len());
                // Its gradients are those of the loss, through these windows.
                backward((project(sequences) * gradient).sum());
            }
        }
        self.compare(vectors, same)
    }
}
