//! What every objective gives.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;

use crate::example::Example;

/// A loss of one batch, and figures to watch beside it.
#[derive(Debug)]
pub struct Loss<B: Backend> {
    /// Mean over the predictions of the batch, `[1]`; smaller is better.
    pub value: Tensor<B, 1>,
    /// How many predictions the mean is over: the weight of this batch in a mean over batches.
    pub n_predictions: usize,
    /// Figures to watch.
    pub metrics: Vec<Metric>,
}

/// A named figure, a mean over the predictions of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// For example `type_accuracy`.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

/// A model with a task: a batch of examples to a loss.
pub trait Objective<B: Backend>: Module<B> {
    /// The loss of a batch; everything random in it comes from `rng`.
    fn loss(&self, examples: &[Example<'_>], rng: &mut ChaCha8Rng, device: &B::Device) -> Loss<B>;
}
