//! One softmax per field: what an event is, said from a state.

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use spaxiom_encoder::{BatchLayout, WeightRng, dense, gelu, normed};

use crate::losses::{accuracy, cross_entropy, indices, scalar};

/// Width of the layer between state and logits, in widths of the state (docs/objectives.md has what 0, 1 and 4 gave).
const WIDER: usize = 4;

/// Predicts every field of an event from a state.
///
/// Between state and logits is a layer of its own, as in BERT (Devlin et al. 2019), here four times as wide as the state:
/// what has to be put together for a prediction can be put together here, and the state keeps its parts.
#[derive(Module, Debug)]
pub struct FieldHeads<B: Backend> {
    /// `[d_model, WIDER * d_model]`.
    transform: Linear<B>,
    norm: LayerNorm<B>,
    /// The logits of all fields side by side, `[WIDER * d_model, n_rows]`.
    output: Linear<B>,
    #[module(skip)]
    layout: BatchLayout,
}

/// How well some fields were predicted.
pub(crate) struct Predicted<B: Backend> {
    /// Mean cross-entropy over fields and events, `[1]`.
    pub(crate) loss: Tensor<B, 1>,
    /// Share of events whose first field is the most likely one.
    pub(crate) first_accuracy: f64,
    /// The same of another field, and the log-likelihood of what it is, in nats per event.
    pub(crate) watched: Option<[f64; 2]>,
}

impl<B: Backend> FieldHeads<B> {
    /// Heads with weights from `seed`, over states of width `d_model`.
    pub fn new(d_model: usize, layout: BatchLayout, seed: u64, device: &B::Device) -> Self {
        let mut rng = WeightRng::new(seed);
        let d_head = WIDER * d_model;
        Self {
            transform: rng.linear(d_model, d_head, device),
            norm: LayerNormConfig::new(d_head).init(device),
            output: rng.linear(d_head, layout.n_rows(), device),
            layout,
        }
    }

    pub(crate) fn layout(&self) -> &BatchLayout {
        &self.layout
    }

    /// Compares the predictions of some fields, at least one, with the ids that are true.
    ///
    /// # Shapes
    /// - states: `[n, d_model]`, at least one
    /// - targets: `[n, n_fields]`, row after row
    pub(crate) fn predict(&self, states: Tensor<B, 2>, targets: &[u32], fields: &[usize]) -> Predicted<B> {
        self.predict_and_watch(states, targets, fields, None)
    }

    /// The same, and how well the field `watched` in particular was predicted.
    pub(crate) fn predict_and_watch(
        &self,
        states: Tensor<B, 2>,
        targets: &[u32],
        fields: &[usize],
        watched: Option<usize>,
    ) -> Predicted<B> {
        let [n, _] = states.dims();
        let device = states.device();
        let hidden = gelu(dense(&self.transform, states.unsqueeze::<3>()));
        let logits = dense(&self.output, normed(&self.norm, hidden)).squeeze_dim::<2>(0);
        let n_fields = self.layout.n_fields();
        let mut loss = Tensor::zeros([1], &device);
        let (mut first_accuracy, mut of_watched) = (None, None);
        for &field in fields {
            let ids: Vec<usize> = targets.iter().skip(field).step_by(n_fields).map(|&id| id as usize).collect();
            let targets = indices(&ids, &device);
            let logits = logits.clone().slice([0..n, self.rows_of(field)]);
            first_accuracy.get_or_insert_with(|| accuracy(logits.clone(), targets.clone()));
            let of_field = cross_entropy(logits.clone(), targets.clone());
            if watched == Some(field) {
                of_watched = Some([accuracy(logits, targets), -scalar(of_field.clone())]);
            }
            loss = loss + of_field;
        }
        Predicted {
            loss: loss.div_scalar(fields.len() as f64),
            first_accuracy: first_accuracy.unwrap_or(f64::NAN),
            watched: of_watched,
        }
    }

    fn rows_of(&self, field: usize) -> std::ops::Range<usize> {
        let offsets = self.layout.offsets();
        offsets[field]..offsets.get(field + 1).copied().unwrap_or(self.layout.n_rows())
    }
}

/// The states at some of all positions, `[n, d_model]` from `[batch, seq, d_model]`.
pub(crate) fn at<B: Backend>(states: Tensor<B, 3>, positions: &[usize]) -> Tensor<B, 2> {
    let [n_windows, seq, d_model] = states.dims();
    let positions = indices(positions, &states.device());
    states.reshape([n_windows * seq, d_model]).select(0, positions)
}
