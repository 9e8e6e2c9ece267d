//! The projection head of contrastive training.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::linalg::vector_normalize;

use crate::init::WeightRng;

/// Keeps a vector of nothing but zeros finite.
const LEAST_NORM: f64 = 1e-6;

/// Two layers whose vectors have length 1.
#[derive(Module, Debug)]
pub struct ProjectionHead<B: Backend> {
    hidden: Linear<B>,
    projection: Linear<B>,
}

impl<B: Backend> ProjectionHead<B> {
    /// From vectors of `d_model` numbers to vectors of `d_projection`.
    pub fn new(d_model: usize, d_projection: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        let hidden = rng.linear(d_model, d_model, device);
        Self { hidden, projection: rng.linear(d_model, d_projection, device) }
    }

    /// # Shapes
    /// - pooled: `[batch, d_model]`
    /// - output: `[batch, d_projection]`
    pub fn forward(&self, pooled: Tensor<B, 2>) -> Tensor<B, 2> {
        let hidden = relu(self.hidden.forward(pooled));
        vector_normalize(self.projection.forward(hidden), 2.0, 1, LEAST_NORM)
    }
}
