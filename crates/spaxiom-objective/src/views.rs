//! Two views of every window of a batch, projected, and which of the others mean the same.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, ProjectionHead, WeightRng};
use spaxiom_token::{Augmenter, Modality, TokenSequence, TokenWindow};

use crate::context::ObjectiveContext;
use crate::example::Example;
use crate::losses::to_host;
use crate::objective::{Compared, Preparer, Purpose};

/// Makes views, and finds false negatives.
#[derive(Debug, Clone)]
pub struct ViewTask {
    augmenter: Arc<Augmenter>,
    layout: BatchLayout,
    /// Windows with this share of equal events (times ignored) are not negatives of each other.
    same_share: f64,
    /// How many events away an event of another type counts as close by, if such negatives are wanted.
    reach: Option<usize>,
}

impl ViewTask {
    /// # Panics
    /// If the context has no augmenter, which the check of the options refuses.
    pub(crate) fn new(context: &ObjectiveContext, layout: &BatchLayout, same_share: f64, reach: Option<usize>) -> Self {
        let augmenter = context.augmenter.clone().expect("the options have been checked: there is an augmenter");
        Self { augmenter, layout: layout.clone(), same_share, reach }
    }
}

/// Views of windows.
#[derive(Debug)]
pub struct ViewBatch {
    /// One view of every window, then another of every window.
    pub(crate) views: [Vec<TokenSequence>; 2],
    /// Windows that end with an event of another type close by.
    pub(crate) nearby: Vec<TokenSequence>,
    /// Whose neighbors these are.
    pub(crate) own: Vec<usize>,
    /// The pairs that are no negatives, `[n, n]`.
    pub(crate) same: Vec<bool>,
}

impl Preparer for ViewTask {
    type Batch = ViewBatch;

    /// # Panics
    /// Where an example does not know its events: only a programmer can leave them out.
    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> ViewBatch {
        let mut view = |example: &Example<'_>| {
            let span = example.events.expect("the examples of a contrastive objective know their events");
            self.augmenter.view(span, rng)
        };
        let views = examples.iter().map(|example| (view(example), view(example)));
        let (first, second) = views.unzip();
        let unlike = |(of, example): (usize, &Example<'_>)| {
            let neighbor = example.events?.unlike_neighbor(self.reach?, rng)?;
            Some((of, self.augmenter.tokens(neighbor)))
        };
        let (own, nearby) = examples.iter().enumerate().filter_map(unlike).unzip();
        let same = false_negatives(examples, &self.layout, self.same_share);
        ViewBatch { views: [first, second], nearby, own, same }
    }
}

/// An encoder's vectors of views, through a head of its own.
#[derive(Module, Debug)]
pub(crate) struct ViewProjection<B: Backend> {
    head: ProjectionHead<B>,
    #[module(skip)]
    pub(crate) task: ViewTask,
}

impl<B: Backend> ViewProjection<B> {
    pub(crate) fn new(d_model: usize, d_projection: usize, task: ViewTask, seed: u64, device: &B::Device) -> Self {
        let head = ProjectionHead::new(d_model, d_projection, &mut WeightRng::new(seed), device);
        Self { head, task }
    }

    /// The vectors of whole windows, which nothing was changed of.
    pub(crate) fn compared<E: Encoder<B>>(
        &self,
        encoder: &E,
        examples: &[Example<'_>],
        device: &B::Device,
    ) -> Compared {
        let windows: Vec<TokenWindow<'_>> = examples.iter().map(|example| example.window).collect();
        let vectors = self.head.forward(encoder.encode(&EventBatch::new(&self.task.layout, &windows, device)).pooled);
        Compared { dim: vectors.dims()[1], vectors: to_host(vectors) }
    }

    /// The same as [`ViewProjection::project`] without a graph.
    pub(crate) fn project_detached<E: Encoder<B>>(
        &self,
        encoder: &E,
        sequences: &[TokenSequence],
        device: &B::Device,
    ) -> Tensor<B, 2> {
        self.head.forward(encoder.encode_detached(&self.batch(encoder, sequences, device)).pooled).detach()
    }

    /// `[n, d_projection]`, each row of length 1.
    pub(crate) fn project<E: Encoder<B>>(
        &self,
        encoder: &E,
        sequences: &[TokenSequence],
        device: &B::Device,
    ) -> Tensor<B, 2> {
        self.head.forward(encoder.encode(&self.batch(encoder, sequences, device)).pooled)
    }

    /// The last events of each sequence, as many as the encoder takes.
    fn batch<E: Encoder<B>>(&self, encoder: &E, sequences: &[TokenSequence], device: &B::Device) -> EventBatch<B> {
        let windows: Vec<TokenWindow<'_>> =
            sequences.iter().map(|tokens| tokens.context(tokens.len() - 1, encoder.max_len())).collect();
        EventBatch::new(&self.task.layout, &windows, device)
    }
}

/// Which pairs of a batch are no negatives: windows that share an event, or nearly all events but for their times.
///
/// An entry per pair, row after row; the diagonal is false.
fn false_negatives(examples: &[Example<'_>], layout: &BatchLayout, least_share: f64) -> Vec<bool> {
    let bags: Vec<Vec<u64>> = examples.iter().map(|example| bag(&example.window, layout)).collect();
    let n = examples.len();
    let mut found = vec![false; n * n];
    for (i, a) in examples.iter().enumerate() {
        for (j, b) in examples.iter().enumerate().take(i) {
            let meets = a.events.zip(b.events).is_some_and(|(a, b)| a.meets(&b));
            let is_same = meets || share(&bags[i], &bags[j]) >= least_share;
            (found[i * n + j], found[j * n + i]) = (is_same, is_same);
        }
    }
    found
}

/// The events of a window without their times and order, as sorted hashes.
fn bag(window: &TokenWindow<'_>, layout: &BatchLayout) -> Vec<u64> {
    let of_row = |row: &[u32]| {
        let mut hasher = DefaultHasher::new();
        for (id, modality) in row.iter().zip(layout.modalities()) {
            if *modality != Modality::Temporal {
                id.hash(&mut hasher);
            }
        }
        hasher.finish()
    };
    let mut bag: Vec<u64> = window.rows().map(of_row).collect();
    bag.sort_unstable();
    bag
}

/// Events in both, as a share of the larger of two sorted bags.
fn share(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut n) = (0, 0, 0usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, n) = (i + 1, j + 1, n + 1),
        }
    }
    n as f64 / a.len().max(b.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn events_count_as_often_as_they_are_in_both() {
        assert!((share(&[1, 1, 2], &[1, 1, 1]) - 2.0 / 3.0).abs() < 1e-9);
        assert!((share(&[1, 2], &[1, 2, 3, 4]) - 0.5).abs() < 1e-9);
        assert!(share(&[], &[]).abs() < 1e-9);
    }
}
