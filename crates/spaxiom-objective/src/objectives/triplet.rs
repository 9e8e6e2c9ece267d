//! Triplets: an event is nearer to a view of itself than to another event, by a margin (seed, "Triplet loss for fine-grained ranking").

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::losses::{indices, to_host, triplet};
use crate::metric::Metric;
use crate::objective::{Compared, Loss, ModelSetting, Objective, ObjectiveOptions};
use crate::views::{ViewBatch, ViewProjection, ViewTask};

/// Which other event an anchor is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mining {
    /// The nearest of the batch.
    Hard,
    /// The nearest of the batch that is farther away than the positive (`FaceNet`, Schroff et al. 2015); where there is none, the farthest.
    SemiHard,
    /// As `semi-hard`, among the batch and events of another type close by in space and time: the seed's hard negatives.
    #[default]
    Nearby,
}

/// Options of triplets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TripletOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Margin by which the negative has to be farther away, as a squared distance of unit vectors; 0.5.
    pub margin: f64,
    /// How negatives are mined; `nearby`.
    pub mining: Mining,
    /// How many events before and after an event count as close by; 16.
    pub reach: usize,
    /// Dimensions of the projection that is compared; 64.
    pub d_projection: usize,
    /// Windows with this share of equal events (times ignored) are not negatives of each other; 0.9.
    pub same_share: f64,
}

impl Default for TripletOptions {
    fn default() -> Self {
        Self { weight: 1.0, margin: 0.5, mining: Mining::default(), reach: 16, d_projection: 64, same_share: 0.9 }
    }
}

impl ObjectiveOptions for TripletOptions {
    type Task = ViewTask;
    type Heads<B: Backend> = Triplet<B>;

    const NEEDS_EVENTS: bool = true;

    fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let Self { weight: _, margin, mining: _, reach, d_projection, same_share } = self;
        let has_views = context.augmenter.is_some();
        ObjectiveError::first_broken([
            ("objectives.triplet.margin", "0 or more", *margin >= 0.0, margin.to_string()),
            ("objectives.triplet.reach", "1 or more", *reach >= 1, reach.to_string()),
            ("objectives.triplet.d-projection", "1 or more", *d_projection >= 1, d_projection.to_string()),
            ("objectives.triplet.same-share", "above 0", *same_share > 0.0, same_share.to_string()),
            ("objectives.triplet", "an objective with an augmenter to make views", has_views, "none".into()),
        ])
    }

    fn require(&self, setting: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        setting.require_position_per_event("triplet")
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        context: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> Triplet<B> {
        let reach = (self.mining == Mining::Nearby).then_some(self.reach);
        let task = ViewTask::new(context, layout, self.same_share, reach);
        Triplet {
            projection: ViewProjection::new(d_model, self.d_projection, task, seed, device),
            options: self.clone(),
        }
    }
}

/// Triplets of an event, a view of it and a negative that is mined with the current vectors.
#[derive(Module, Debug)]
pub struct Triplet<B: Backend> {
    projection: ViewProjection<B>,
    #[module(skip)]
    options: TripletOptions,
}

/// Squared distances of vectors on the host.
struct Distances<'a> {
    anchors: &'a [f32],
    candidates: &'a [f32],
    dim: usize,
}

impl Distances<'_> {
    fn get(&self, anchor: usize, candidate: usize) -> f32 {
        let row = |rows: &[f32], at: usize| at * self.dim..at * self.dim + self.dim.min(rows.len());
        let (a, b) = (&self.anchors[row(self.anchors, anchor)], &self.candidates[row(self.candidates, candidate)]);
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    }

    fn nearest(&self, anchor: usize, among: impl Iterator<Item = usize>) -> Option<usize> {
        among.min_by(|&a, &b| self.get(anchor, a).total_cmp(&self.get(anchor, b)))
    }

    fn farthest(&self, anchor: usize, among: impl Iterator<Item = usize>) -> Option<usize> {
        among.max_by(|&a, &b| self.get(anchor, a).total_cmp(&self.get(anchor, b)))
    }
}

/// The nearest one beyond the positive, or else the farthest.
///
/// Always the nearest would pull everything together: with hard negatives all vectors became equal within 100 steps.
fn semi_hard(distances: &Distances<'_>, anchor: usize, among: &[usize]) -> Option<usize> {
    let positive = distances.get(anchor, anchor);
    let beyond = among.iter().copied().filter(|&other| distances.get(anchor, other) > positive);
    distances.nearest(anchor, beyond).or_else(|| distances.farthest(anchor, among.iter().copied()))
}

/// The negative of each anchor among the candidates, of which the first `n` are the positives in order;
/// `own` says whose neighbors the others are. None where everything means the same.
fn mined(distances: &Distances<'_>, n: usize, own: &[usize], same: &[bool], mining: Mining) -> Vec<Option<usize>> {
    let negative = |anchor: usize| {
        let others = || (0..n).filter(move |&other| other != anchor && !same[anchor * n + other]);
        match mining {
            Mining::Hard => distances.nearest(anchor, others()),
            Mining::SemiHard => semi_hard(distances, anchor, &others().collect::<Vec<_>>()),
            Mining::Nearby => {
                let close = own.iter().enumerate().filter(|(_, of)| **of == anchor).map(|(at, _)| n + at);
                semi_hard(distances, anchor, &others().chain(close).collect::<Vec<_>>())
            }
        }
    };
    (0..n).map(negative).collect()
}

impl<B: Backend> Objective<B> for Triplet<B> {
    type Task = ViewTask;

    fn task(&self) -> ViewTask {
        self.projection.task.clone()
    }

    fn compared<E: Encoder<B>>(&self, encoder: &E, examples: &[Example<'_>], device: &B::Device) -> Option<Compared> {
        Some(self.projection.compared(encoder, examples, device))
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &ViewBatch, device: &B::Device) -> Loss<B> {
        let ViewBatch { views: [first, second], nearby, own, same } = batch;
        let TripletOptions { margin, mining, .. } = self.options;
        let anchors = self.projection.project(encoder, first, device);
        let mut candidates = self.projection.project(encoder, second, device);
        if !nearby.is_empty() {
            candidates = Tensor::cat(vec![candidates, self.projection.project(encoder, nearby, device)], 0);
        }
        let [n, dim] = anchors.dims();
        let (on_host, candidates_on_host) = (to_host(anchors.clone()), to_host(candidates.clone()));
        let distances = Distances { anchors: &on_host, candidates: &candidates_on_host, dim };
        let found = mined(&distances, n, own, same, mining);
        let (rows, negatives): (Vec<usize>, Vec<usize>) =
            found.iter().enumerate().filter_map(|(anchor, negative)| Some((anchor, (*negative)?))).unzip();
        if rows.is_empty() {
            // A batch of one, or of nothing but the same.
            return Loss { value: anchors.sum().mul_scalar(0.0), n_predictions: 0, metrics: Vec::new() };
        }
        let is_right =
            |(&anchor, &negative): (&usize, &usize)| distances.get(anchor, anchor) < distances.get(anchor, negative);
        let right = rows.iter().zip(&negatives).filter(|pair| is_right(*pair)).count();
        let value = triplet(
            anchors.select(0, indices(&rows, device)),
            candidates.clone().select(0, indices(&rows, device)),
            candidates.select(0, indices(&negatives, device)),
            margin,
        );
        let metrics = vec![Metric { name: "triplet_accuracy", value: right as f64 / rows.len() as f64 }];
        Loss { value, n_predictions: rows.len(), metrics }
    }
}

#[cfg(test)]
mod tests {
    use super::{Distances, Mining, mined};

    /// Anchors at 0 and 10; positives at 1 and 12; a neighbor of the first anchor at 1.5.
    #[test]
    fn negatives_are_the_ones_that_each_way_of_mining_names() {
        let distances = Distances { anchors: &[0.0, 10.0], candidates: &[1.0, 12.0, 1.5], dim: 1 };
        let check = |mining, same: [bool; 4], want: [Option<usize>; 2]| {
            assert_eq!(mined(&distances, 2, &[0], &same, mining), want, "{mining:?}");
        };
        let none = [false; 4];
        check(Mining::Hard, none, [Some(1), Some(0)]);
        check(Mining::Nearby, none, [Some(2), Some(0)]);
        // What means the same is no negative; the neighbor is of another type.
        check(Mining::Hard, [false, true, true, false], [None, None]);
        check(Mining::Nearby, [false, true, true, false], [Some(2), None]);
    }

    #[test]
    fn a_semi_hard_negative_lies_beyond_the_positive_or_is_the_farthest() {
        let distances = Distances { anchors: &[0.0, 3.0, 8.0], candidates: &[2.0, 1.0, 5.0], dim: 1 };
        // Of 0 the positive is 2 away: 1 is nearer, 5 is beyond. Of 3 it is 2 away: none is beyond, 5 is the farthest.
        // Of 8 it is 3 away: 2 is nearer than 1, and both are beyond.
        assert_eq!(mined(&distances, 3, &[], &[false; 9], Mining::SemiHard), [Some(2), Some(2), Some(0)]);
    }
}
