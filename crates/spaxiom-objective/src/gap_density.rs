//! When the next event comes: a density over the time until then.

use std::f64::consts::TAU;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use spaxiom_encoder::WeightRng;

/// Log-normal parts of the mixture.
const N_PARTS: usize = 8;

/// Seconds added to a gap before its logarithm, as the tokenizer does: clocks of sensors are no finer.
const OFFSET_SECS: f64 = 1.0;

/// Least standard deviation of the logarithm: a narrower part could make the density of one value as great as it likes.
const LEAST_LOG_SD: f64 = 0.05;

/// A mixture of log-normal densities whose weights, means and deviations are read off a state
/// ("Intensity-Free Learning of Temporal Point Processes", Shchur, Bilos and Guennemann 2020).
///
/// It is a density over gaps above -1 second; none is below 0, so likelihoods are a little lower than they could be.
#[derive(Module, Debug)]
pub struct GapDensity<B: Backend> {
    /// Logits of the weights, means and logarithms of the deviations, `[d_model, 3 * parts]`.
    output: Linear<B>,
}

impl<B: Backend> GapDensity<B> {
    /// A density over states of width `d_model`.
    ///
    /// `segments` are stretches of the logarithm of a second and the gap, in each of which about as many of the training gaps are:
    /// the parts lie there at first. Without any they lie between a second and half an hour.
    pub fn new(d_model: usize, segments: &[[f64; 2]], seed: u64, device: &B::Device) -> Self {
        let mut bias = vec![0f32; 3 * N_PARTS];
        for part in 0..N_PARTS {
            let [from, to] = match segments.len() {
                0 => [part as f64 - 1.0, part as f64 + 1.0],
                n => segments[part * n / N_PARTS],
            };
            let sd = ((to - from) / 2.0).max(2.0 * LEAST_LOG_SD);
            #[expect(clippy::cast_possible_truncation, reason = "logarithms of times of less than an age")]
            let (mean, log_sd) = (f64::midpoint(from, to) as f32, sd.ln() as f32);
            (bias[N_PARTS + part], bias[2 * N_PARTS + part]) = (mean, log_sd);
        }
        let bias = Param::from_tensor(Tensor::from_data(TensorData::new(bias, [3 * N_PARTS]), device));
        Self { output: Linear { bias: Some(bias), ..WeightRng::new(seed).linear(d_model, 3 * N_PARTS, device) } }
    }

    /// The log-density of each gap in nats, per second.
    ///
    /// # Shapes
    /// - states: `[n, d_model]`
    /// - gaps: `[n]` seconds, 0 or more
    /// - output: `[n]`
    pub fn log_likelihood(&self, states: Tensor<B, 2>, gaps_secs: Tensor<B, 1>) -> Tensor<B, 1> {
        let [n, _] = states.dims();
        let read = self.output.forward(states);
        let part = |at: usize| read.clone().narrow(1, at * N_PARTS, N_PARTS);
        let log_gaps = gaps_secs.clamp_min(0.0).add_scalar(OFFSET_SECS).log().reshape([n, 1]);
        let log_sd = part(2).clamp_min(LEAST_LOG_SD.ln());
        let z = (log_gaps.clone() - part(1)) / log_sd.clone().exp();
        let normal = (z.clone() * z).mul_scalar(-0.5) - log_sd - 0.5 * TAU.ln();
        let parts = log_softmax(part(0), 1) + normal;
        let greatest = parts.clone().detach().max_dim(1);
        let sum = (parts - greatest.clone()).exp().sum_dim(1).log() + greatest;
        // From the density of the logarithm to that of the gap.
        (sum - log_gaps).reshape([n])
    }
}
