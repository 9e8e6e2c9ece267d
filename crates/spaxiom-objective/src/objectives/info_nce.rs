//! Contrastive learning: match two augmented views of a window (seed, "SimCLR-style contrastive learning").

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder};
use spaxiom_token::TokenSequence;

use crate::collapse::Views;
use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::losses::{NEVER, info_nce, to_host};
use crate::metric::Metric;
use crate::objective::{Backward, Compared, Loss, ModelSetting, Objective, ObjectiveOptions};
use crate::views::{ViewBatch, ViewProjection, ViewTask};

/// Options of contrastive learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct InfoNceOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Temperature that divides the cosines; 0.07.
    pub temperature: f64,
    /// Dimensions of the projection that is compared; 64.
    pub d_projection: usize,
    /// Windows with this share of equal events (times ignored) are not negatives of each other; 0.9.
    pub same_share: f64,
    /// Windows whose graph is held at a time, so that memory does not grow with the batch; 0 for all.
    ///
    /// Cached gradients (`GradCache`, Gao et al. 2021): everything is encoded twice, and the gradients are the same.
    pub cache_chunk: usize,
}

impl Default for InfoNceOptions {
    fn default() -> Self {
        Self { weight: 1.0, temperature: 0.07, d_projection: 64, same_share: 0.9, cache_chunk: 0 }
    }
}

impl ObjectiveOptions for InfoNceOptions {
    type Task = ViewTask;
    type Heads<B: Backend> = InfoNce<B>;

    const NEEDS_EVENTS: bool = true;

    fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let Self { weight: _, temperature, d_projection, same_share, cache_chunk: _ } = self;
        let has_views = context.augmenter.is_some();
        ObjectiveError::first_broken([
            ("objectives.info-nce.temperature", "above 0", *temperature > 0.0, temperature.to_string()),
            ("objectives.info-nce.d-projection", "1 or more", *d_projection >= 1, d_projection.to_string()),
            ("objectives.info-nce.same-share", "above 0", *same_share > 0.0, same_share.to_string()),
            ("objectives.info-nce", "an objective with an augmenter to make views", has_views, "none".into()),
        ])
    }

    fn require(&self, setting: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        setting.require_position_per_event("info-nce")
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        context: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> InfoNce<B> {
        let task = ViewTask::new(context, layout, self.same_share, None);
        InfoNce {
            projection: ViewProjection::new(d_model, self.d_projection, task, seed, device),
            options: self.clone(),
        }
    }
}

/// `InfoNCE` over two views of every window; false negatives are excluded.
#[derive(Module, Debug)]
pub struct InfoNce<B: Backend> {
    projection: ViewProjection<B>,
    #[module(skip)]
    options: InfoNceOptions,
}

impl<B: Backend> InfoNce<B> {
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

impl<B: Backend> Objective<B> for InfoNce<B> {
    type Task = ViewTask;

    fn task(&self) -> ViewTask {
        self.projection.task.clone()
    }

    fn compared<E: Encoder<B>>(&self, encoder: &E, examples: &[Example<'_>], device: &B::Device) -> Option<Compared> {
        Some(self.projection.compared(encoder, examples, device))
    }

    fn loss<E: Encoder<B>>(
        &self,
        encoder: &E,
        ViewBatch { views, same, .. }: &ViewBatch,
        device: &B::Device,
    ) -> Loss<B> {
        self.compare(views.each_ref().map(|view| self.projection.project(encoder, view, device)), same)
    }

    fn learn<E: Encoder<B>>(
        &self,
        encoder: &E,
        batch: &ViewBatch,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        let ViewBatch { views, same, .. } = batch;
        let chunk = self.options.cache_chunk;
        if chunk == 0 || chunk >= views[0].len() {
            return self.loss(encoder, batch, device).learned(backward);
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
