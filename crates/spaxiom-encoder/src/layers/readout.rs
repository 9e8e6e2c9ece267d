//! From the states of a window to its vector, by weights that are learned where the read-out has some.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::pool::Pooling;
use crate::batch::EventBatch;
use crate::init::WeightRng;
use crate::kernels::pool::first_half_lives;

/// Added to the score of padding.
const NEVER: f32 = -1e9;

/// A [`Pooling`] with its weights.
#[derive(Module, Debug)]
pub struct Readout<B: Backend> {
    #[module(skip)]
    pooling: Pooling,
    /// `[d_model]`: logarithms of half-lives in seconds, or the query of the attention; none where nothing is learned.
    weights: Option<Param<Tensor<B, 1>>>,
}

impl<B: Backend> Readout<B> {
    /// A read-out of states of width `d_model`.
    pub fn new(pooling: Pooling, d_model: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        let weights = match pooling {
            Pooling::Cls | Pooling::Mean | Pooling::Last => None,
            Pooling::Age => Some(Tensor::from_data(TensorData::new(first_half_lives(d_model), [d_model]), device)),
            Pooling::Attention => Some(rng.matrix([d_model, 1], device).val().reshape([d_model]).detach()),
        };
        Self { pooling, weights: weights.map(Param::from_tensor) }
    }

    /// The vector of each window, `[batch, d_model]`, from states `[batch, seq, d_model]`.
    #[must_use]
    pub fn forward(&self, states: Tensor<B, 3>, batch: &EventBatch<B>) -> Tensor<B, 2> {
        let [n_windows, seq, d_model] = states.dims();
        let Some(weights) = self.weights.as_ref().map(Param::val) else {
            return self.pooling.pool(states, batch.keep.clone());
        };
        let keep = batch.keep.clone().reshape([n_windows, seq, 1]);
        let shares = if self.pooling == Pooling::Age {
            let ages = batch.ages.clone().reshape([n_windows, seq, 1]);
            let rates = weights.neg().exp().mul_scalar(std::f64::consts::LN_2).reshape([1, 1, d_model]);
            let kept = (ages.neg() * rates).exp() * keep;
            kept.clone() / kept.sum_dim(1)
        } else {
            let scores = states.clone().matmul(weights.reshape([1, d_model, 1]));
            let scores = scores.div_scalar((d_model as f64).sqrt());
            softmax(scores + keep.neg().add_scalar(1.0).mul_scalar(NEVER), 1)
        };
        (states * shares).sum_dim(1).reshape([n_windows, d_model])
    }
}
