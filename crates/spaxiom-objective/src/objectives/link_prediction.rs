//! Link prediction for graphs: hold out some edges and predict which pairs of events had one.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, EventEncoderConfig, WeightRng, WindowRows};
use spaxiom_token::{Edge, EdgeType, TokenizerOptions};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::at;
use crate::losses::{binary_cross_entropy, indices, numbers, to_host};
use crate::metric::Metric;
use crate::objective::{Loss, ModelSetting, Objective, ObjectiveOptions, Preparer, Purpose};

/// Options of link prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LinkPredictionOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Share of the connected pairs of events whose edges are held out; 0.2.
    pub ratio: f64,
}

impl Default for LinkPredictionOptions {
    fn default() -> Self {
        Self { weight: 1.0, ratio: 0.2 }
    }
}

impl ObjectiveOptions for LinkPredictionOptions {
    type Task = LinkPredictionTask;
    type Heads<B: Backend> = LinkPrediction<B>;

    fn check(&self, _: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let Self { weight: _, ratio } = self;
        let is_share = *ratio > 0.0 && *ratio < 1.0;
        ObjectiveError::first_broken([("objectives.link.ratio", "between 0 and 1", is_share, ratio.to_string())])
    }

    fn require(&self, setting: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        if setting.tokenizer.links.is_some() {
            return Ok(());
        }
        Err(ObjectiveError::Unfit { objective: "link", want: "edges between events: add `[tokenizer.links]`" })
    }

    fn adapt(_: &mut EventEncoderConfig, tokenizer: &mut TokenizerOptions) {
        tokenizer.links.get_or_insert_default();
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        _: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> LinkPrediction<B> {
        let mut rng = WeightRng::new(seed);
        let (from, to) = (rng.linear(d_model, d_model, device), rng.linear(d_model, d_model, device));
        let types = rng.matrix([EdgeType::ALL.len(), d_model], device);
        LinkPrediction { from, to, types, layout: layout.clone(), task: LinkPredictionTask { ratio: self.ratio } }
    }
}

/// Distinguishes pairs of events whose edge was held out from pairs that never had one.
///
/// The edges of a held-out pair are removed in every type and both directions, so that none reveals the others.
/// Every held-out edge has a negative of the same type and later event, if the window has one.
/// The score is a product of the two states and a vector per type (`DistMult`, Yang et al. 2015), after one projection of
/// the earlier event and one of the later, since edges have a direction.
#[derive(Module, Debug)]
pub struct LinkPrediction<B: Backend> {
    from: Linear<B>,
    to: Linear<B>,
    /// One row per type of edge, `[n_types, d_model]`.
    types: Param<Tensor<B, 2>>,
    #[module(skip)]
    layout: BatchLayout,
    #[module(skip)]
    task: LinkPredictionTask,
}

/// Pairs to be judged, as places in a batch.
#[derive(Debug, Default)]
struct Pairs {
    from: Vec<usize>,
    to: Vec<usize>,
    kind: Vec<usize>,
    /// 1 for an edge that was held out, -1 for none.
    signs: Vec<f32>,
}

impl Pairs {
    fn push(&mut self, first: usize, edge: Edge, sign: f32) {
        self.from.push(first + edge.from);
        self.to.push(first + edge.to);
        self.kind.push(edge.kind as usize);
        self.signs.push(sign);
    }
}

impl<B: Backend> LinkPrediction<B> {
    /// `[n]` logits.
    fn scores(&self, states: &Tensor<B, 3>, pairs: &Pairs) -> Tensor<B, 1> {
        let from = self.from.forward(at(states.clone(), &pairs.from));
        let to = self.to.forward(at(states.clone(), &pairs.to));
        // Near 1 at first, so that the product is one of states.
        let types = self.types.val().add_scalar(1.0).select(0, indices(&pairs.kind, &states.device()));
        (from * to * types).sum_dim(1).reshape([pairs.from.len()])
    }
}

/// Takes the edges of some pairs away and chooses what to ask.
///
/// An event names the latest `max_degree` events that it is joined to; earlier ones of a full list may be joined unsaid,
/// and are no negatives.
fn hold_out(
    window: &mut WindowRows,
    max_degree: usize,
    first: usize,
    ratio: f64,
    pairs: &mut Pairs,
    rng: &mut ChaCha8Rng,
) {
    let mut joined: BTreeMap<(usize, EdgeType), Vec<usize>> = BTreeMap::new();
    let mut is_held: BTreeMap<(usize, usize), bool> = BTreeMap::new();
    for edge in &window.edges {
        joined.entry((edge.to, edge.kind)).or_default().push(edge.from);
        is_held.entry((edge.from, edge.to)).or_insert_with(|| rng.random_bool(ratio));
    }
    for edge in window.edges.extract_if(.., |edge| is_held[&(edge.from, edge.to)]) {
        pairs.push(first, edge, 1.0);
        let others = &joined[&(edge.to, edge.kind)];
        let earliest = if others.len() >= max_degree { others.iter().min().copied().unwrap_or(0) } else { 0 };
        let apart: Vec<usize> = (earliest..edge.to).filter(|from| !others.contains(from)).collect();
        if !apart.is_empty() {
            pairs.push(first, Edge { from: apart[rng.random_range(0..apart.len())], ..edge }, -1.0);
        }
    }
}

/// Holds out edges.
#[derive(Debug, Clone, Copy)]
pub struct LinkPredictionTask {
    ratio: f64,
}

/// Windows without some of their edges, and the pairs to classify.
#[derive(Debug)]
pub struct LinkPredictionBatch {
    windows: Vec<WindowRows>,
    pairs: Pairs,
}

impl Preparer for LinkPredictionTask {
    type Batch = LinkPredictionBatch;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> LinkPredictionBatch {
        let mut windows: Vec<WindowRows> = examples.iter().map(|example| example.window.into()).collect();
        let seq = 1 + examples.iter().map(|example| example.window.len()).max().unwrap_or(0);
        let mut pairs = Pairs::default();
        for (window_idx, (window, example)) in windows.iter_mut().zip(examples).enumerate() {
            // `[CLS]` stands before the events.
            let (first, max_degree) = (window_idx * seq + 1, example.window.max_degree());
            hold_out(window, max_degree, first, self.ratio, &mut pairs, rng);
        }
        LinkPredictionBatch { windows, pairs }
    }
}

impl<B: Backend> Objective<B> for LinkPrediction<B> {
    type Task = LinkPredictionTask;

    fn task(&self) -> LinkPredictionTask {
        self.task
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &LinkPredictionBatch, device: &B::Device) -> Loss<B> {
        let LinkPredictionBatch { windows, pairs } = batch;
        let states = encoder.encode(&EventBatch::with_rows(&self.layout, windows, device)).states;
        if pairs.signs.is_empty() {
            // Nothing was joined, so there is nothing to learn.
            return Loss { value: states.sum().mul_scalar(0.0), n_predictions: 0, metrics: Vec::new() };
        }
        let scores = self.scores(&states, pairs);
        let right =
            to_host(scores.clone()).iter().zip(&pairs.signs).filter(|(score, sign)| *score * *sign > 0.0).count();
        let n = pairs.signs.len();
        let metrics = vec![Metric { name: "link_accuracy", value: right as f64 / n as f64 }];
        Loss { value: binary_cross_entropy(scores, numbers(pairs.signs.clone(), device)), n_predictions: n, metrics }
    }
}
