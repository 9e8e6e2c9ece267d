//! Counts of tokens over several stretches of time, as targets of a linear head.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use spaxiom_encoder::WeightRng;

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::timeline::Moment;

/// Seconds of a minute.
const MINUTE_SECS: f64 = 60.0;

/// Events per second of a token that training hardly showed.
const LEAST_RATE: f64 = 1e-7;

/// Fails for stretches that are none, and where nothing is known of the moments of windows.
pub(crate) fn check(
    objective: &'static str,
    name: &'static str,
    minutes: &[f64],
    context: &ObjectiveContext,
) -> Result<(), ObjectiveError> {
    let is_right = !minutes.is_empty() && minutes.iter().all(|minutes| *minutes > 0.0 && minutes.is_finite());
    ObjectiveError::first_broken([(name, "one number above 0 or more", is_right, format!("{minutes:?}"))])?;
    if context.token_rates.is_empty() {
        return Err(ObjectiveError::Unfit { objective, want: "a run with a memory, whose tokens it counts" });
    }
    Ok(())
}

/// The mean count of every token over each stretch, from its rate per second.
pub(crate) fn usual(minutes: &[f64], rates: &[f64]) -> Vec<f64> {
    let count = |minutes: f64, rate: &f64| rate.max(LEAST_RATE) * minutes * MINUTE_SECS;
    minutes.iter().flat_map(|minutes| rates.iter().map(|rate| count(*minutes, rate))).collect()
}

/// A linear head that gives these numbers, whatever the vector, before it has learned anything.
pub(crate) fn head<B: Backend>(d_model: usize, usual: &[f64], rng: &mut WeightRng, device: &B::Device) -> Linear<B> {
    #[expect(clippy::cast_possible_truncation, reason = "tensors have 32-bit floats")]
    let bias: Vec<f32> = usual.iter().map(|value| *value as f32).collect();
    let bias = Param::from_tensor(Tensor::from_data(TensorData::new(bias, [usual.len()]), device));
    Linear { bias: Some(bias), ..rng.linear(d_model, usual.len(), device) }
}

/// Rows of counts, stretch after stretch and token after token in each, and whether each is known.
#[derive(Debug)]
pub(crate) struct Counts {
    n_rows: usize,
    values: Vec<f32>,
    is_known: Vec<f32>,
}

impl Counts {
    /// What `count` says of each example, stretch and number of tokens; nothing is known where it gives none.
    pub(crate) fn of(
        examples: &[Example<'_>],
        minutes: &[f64],
        n_tokens: usize,
        count: impl Fn(Moment<'_>, f64, usize) -> Option<Vec<f32>>,
    ) -> Self {
        let n = examples.len() * minutes.len() * n_tokens;
        let mut all = Self { n_rows: examples.len(), values: Vec::with_capacity(n), is_known: Vec::with_capacity(n) };
        for example in examples {
            for minutes in minutes {
                let counts = example.moment.and_then(|moment| count(moment, minutes * MINUTE_SECS, n_tokens));
                let is_known = if counts.is_some() { 1.0 } else { 0.0 };
                all.values.extend(counts.unwrap_or_else(|| vec![0.0; n_tokens]));
                all.is_known.resize(all.values.len(), is_known);
            }
        }
        all
    }

    /// Counts, and 1 where they are known and 0 where not, `[n_rows, n_stretches * n_tokens]` each.
    pub(crate) fn tensors<B: Backend>(&self, device: &B::Device) -> (Tensor<B, 2>, Tensor<B, 2>) {
        let width = self.values.len() / self.n_rows.max(1);
        let tensor = |values: &[f32]| Tensor::from_data(TensorData::new(values.to_vec(), [self.n_rows, width]), device);
        (tensor(&self.values), tensor(&self.is_known))
    }
}
