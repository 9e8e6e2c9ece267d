//! Weights from a seed, made on the host.
//!
//! burn initialises lazily, so its random numbers depend on which parameter is used first;
//! here they depend on the order of construction alone, and are the same on every backend.

use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

/// Standard deviation of all weight matrices, as in BERT (Devlin et al. 2019).
const STD: f32 = 0.02;

/// The source of initial weights.
#[derive(Debug)]
pub struct WeightRng(ChaCha8Rng);

impl WeightRng {
    /// The same seed gives the same weights on every backend and machine.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A matrix of normal numbers, mean 0.
    pub fn matrix<B: Backend>(&mut self, shape: [usize; 2], device: &B::Device) -> Param<Tensor<B, 2>> {
        let normal = Normal::new(0.0, STD).expect("a constant above 0");
        let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| normal.sample(&mut self.0)).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// A linear layer: normal weights `[d_in, d_out]`, no offset at first.
    pub fn linear<B: Backend>(&mut self, d_in: usize, d_out: usize, device: &B::Device) -> Linear<B> {
        Linear {
            weight: self.matrix([d_in, d_out], device),
            bias: Some(Param::from_tensor(Tensor::zeros([d_out], device))),
        }
    }
}

/// A layer norm that changes nothing but scale and offset at first.
pub(crate) fn layer_norm<B: Backend>(d_model: usize, device: &B::Device) -> LayerNorm<B> {
    LayerNormConfig::new(d_model).init(device)
}
