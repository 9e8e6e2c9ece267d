//! From a state per event to one vector per window.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

/// Which state stands for the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The state of `[CLS]`.
    Cls,
    /// The mean over `[CLS]` and all events.
    Mean,
    /// The state of the last event: that event in its context.
    #[default]
    Last,
    /// The mean over `[CLS]` and all events, each weighted by half for every half-life of its age; each number of the state
    /// has a half-life of its own, which is learned.
    Age,
    /// The mean over `[CLS]` and all events, weighted by a softmax of their product with a query that is learned.
    Attention,
}

impl Pooling {
    /// Whether it has weights, for the read-out of a transformer.
    #[must_use]
    pub fn is_learned(self) -> bool {
        matches!(self, Self::Age | Self::Attention)
    }

    /// # Panics
    /// For a pooling with weights.
    ///
    /// # Shapes
    /// - states: `[batch, seq, d_model]`
    /// - keep: `[batch, seq]`, 1 for an event and 0 for padding
    /// - output: `[batch, d_model]`
    #[must_use]
    pub fn pool<B: Backend>(self, states: Tensor<B, 3>, keep: Tensor<B, 2>) -> Tensor<B, 2> {
        let [batch, _, d_model] = states.dims();
        match self {
            Self::Cls => states.slice([0..batch, 0..1]).reshape([batch, d_model]),
            Self::Mean => masked_mean(states, keep),
            Self::Last => last(states, keep),
            Self::Age | Self::Attention => panic!("a pooling that is learned has weights"),
        }
    }
}

/// The states at the last kept positions, `[batch, d_model]`.
fn last<B: Backend>(states: Tensor<B, 3>, keep: Tensor<B, 2>) -> Tensor<B, 2> {
    let [batch, _, d_model] = states.dims();
    let last = keep.sum_dim(1).sub_scalar(1.0).int().reshape([batch, 1, 1]);
    states.gather(1, last.expand([batch, 1, d_model])).reshape([batch, d_model])
}

/// Averages the states of real events; padding has no influence.
///
/// # Shapes
/// - states: `[batch, seq, d_model]`
/// - keep: `[batch, seq]`, 1 for an event and 0 for padding
/// - output: `[batch, d_model]`
#[must_use]
pub fn masked_mean<B: Backend>(states: Tensor<B, 3>, keep: Tensor<B, 2>) -> Tensor<B, 2> {
    let [batch, seq, d_model] = states.dims();
    let weights = keep.reshape([batch, seq, 1]);
    let n_kept = weights.clone().sum_dim(1).clamp_min(1.0);
    ((states * weights).sum_dim(1) / n_kept).reshape([batch, d_model])
}
