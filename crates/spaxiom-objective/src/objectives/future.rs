//! What comes in the next minutes, told from the vector alone: counts of every token, and how long until each comes.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};

use crate::context::ObjectiveContext;
use crate::counts::{self, Counts};
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::losses::{masked_mean, poisson, scalar};
use crate::metric::Metric;
use crate::objective::{Loss, ModelSetting, Objective, ObjectiveOptions, Preparer, Purpose};

/// Between these seconds, and from 0 to the first, the rate of a token is taken as constant.
const BIN_ENDS_SECS: [f64; 8] = [5.0, 15.0, 45.0, 120.0, 360.0, 900.0, 2_700.0, 7_200.0];

/// Options of telling the future.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FutureOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// How far ahead events are counted, in minutes; 1, 10 and 30.
    pub minutes: Vec<f64>,
    /// Weight of the time until each token, relative to the counts; 1.
    pub time_weight: f64,
}

impl Default for FutureOptions {
    fn default() -> Self {
        Self { weight: 1.0, minutes: vec![1.0, 10.0, 30.0], time_weight: 1.0 }
    }
}

impl ObjectiveOptions for FutureOptions {
    type Task = FutureTask;
    type Heads<B: Backend> = Future<B>;

    const NEEDS_MOMENTS: bool = true;

    fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let weight = self.time_weight;
        let is_weight = weight >= 0.0 && weight.is_finite();
        ObjectiveError::first_broken([("objectives.future.time-weight", "0 or more", is_weight, weight.to_string())])?;
        counts::check("future", "objectives.future.minutes", &self.minutes, context)
    }

    fn require(&self, setting: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        setting.require_position_per_event("future")
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        context: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> Future<B> {
        let rates = &context.token_rates;
        let mut rng = WeightRng::new(seed);
        let widths: Vec<f64> = bins().map(|[start, end]| (end - start) / 60.0).collect();
        let mut head = |minutes: &[f64]| {
            let usual: Vec<f64> = counts::usual(minutes, rates).into_iter().map(f64::ln).collect();
            counts::head(d_model, &usual, &mut rng, device)
        };
        Future {
            counts: head(&self.minutes),
            waits: head(&widths),
            task: FutureTask { options: self.clone(), n_tokens: rates.len() },
            layout: layout.clone(),
        }
    }
}

/// Start and end of every stretch of constant rate, in seconds.
fn bins() -> impl Iterator<Item = [f64; 2]> {
    let starts = std::iter::once(0.0).chain(BIN_ENDS_SECS);
    starts.zip(BIN_ENDS_SECS).map(|(start, end)| [start, end])
}

/// Tells, from the vector of a window, how often every token comes next, as a Poisson distribution, and when for the first time.
///
/// The time is that of MOTOR (Steinberg et al. 2023): a rate that is constant in each of eight stretches of time, censored
/// after two hours or where the events end.
#[derive(Module, Debug)]
pub struct Future<B: Backend> {
    /// Logarithms of mean counts.
    counts: Linear<B>,
    /// Logarithms of the mean number of events in each stretch, as long as none came.
    waits: Linear<B>,
    #[module(skip)]
    task: FutureTask,
    #[module(skip)]
    layout: BatchLayout,
}

/// Counts, and measures times.
#[derive(Debug, Clone)]
pub struct FutureTask {
    options: FutureOptions,
    n_tokens: usize,
}

/// Windows, and what comes after each.
#[derive(Debug)]
pub struct FutureBatch {
    windows: Vec<WindowRows>,
    counts: Counts,
    waits: Waits,
}

/// Rows of stretches, and of tokens in each.
#[derive(Debug, Default)]
struct Waits {
    /// The share of the stretch during which the token was waited for.
    exposures: Vec<f32>,
    /// 1 where it came.
    arrivals: Vec<f32>,
}

impl Waits {
    /// Of one moment: none of it is known without one.
    fn push(&mut self, waits: &[Option<f64>], seen_secs: f64) {
        for [start, end] in bins() {
            for wait in waits {
                let until = wait.unwrap_or(seen_secs);
                #[expect(clippy::cast_possible_truncation, reason = "a share")]
                self.exposures.push(((until.min(end) - start) / (end - start)).max(0.0) as f32);
                let is_here = wait.is_some_and(|wait| (wait > start || start == 0.0) && wait <= end);
                self.arrivals.push(if is_here { 1.0 } else { 0.0 });
            }
        }
    }
}

impl Preparer for FutureTask {
    type Batch = FutureBatch;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, _: &mut ChaCha8Rng) -> FutureBatch {
        let counts = Counts::of(examples, &self.options.minutes, self.n_tokens, |moment, secs, n_tokens| {
            moment.next(secs, n_tokens)
        });
        let mut waits = Waits::default();
        let longest = BIN_ENDS_SECS[BIN_ENDS_SECS.len() - 1];
        for example in examples {
            let unknown = || (vec![None; self.n_tokens], 0.0);
            let (until, seen) = example.moment.map_or_else(unknown, |moment| moment.waits(longest, self.n_tokens));
            waits.push(&until, seen);
        }
        let windows = examples.iter().map(|example| example.window.into()).collect();
        FutureBatch { windows, counts, waits }
    }
}

impl<B: Backend> Objective<B> for Future<B> {
    type Task = FutureTask;

    fn task(&self) -> FutureTask {
        self.task.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &FutureBatch, device: &B::Device) -> Loss<B> {
        let FutureBatch { windows, counts, waits } = batch;
        let vectors = encoder.encode(&EventBatch::with_rows(&self.layout, windows, device)).pooled;
        let (counts, is_known) = counts.tensors(device);
        let of_counts = masked_mean(poisson(self.counts.forward(vectors.clone()), counts), is_known);
        let shape = [windows.len(), waits.exposures.len() / windows.len().max(1)];
        let tensor = |values: &[f32]| Tensor::from_data(TensorData::new(values.to_vec(), shape), device);
        let [exposures, arrivals]: [Tensor<B, 2>; 2] = [&waits.exposures, &waits.arrivals].map(|values| tensor(values));
        // Of a token that was not waited for at all nothing is asked.
        let n_waits = (shape[0] * self.task.n_tokens).max(1) as f64;
        let of_waits = poisson_of(self.waits.forward(vectors), exposures, arrivals).sum().div_scalar(n_waits);
        let metrics = vec![
            Metric { name: "count_log_likelihood", value: -scalar(of_counts.clone().detach()) },
            Metric { name: "wait_log_likelihood", value: -scalar(of_waits.clone().detach()) },
        ];
        let value = of_counts + of_waits.mul_scalar(self.task.options.time_weight);
        Loss { value, n_predictions: windows.len(), metrics }
    }
}

/// Minus the log-likelihood of arrivals at a rate that is constant during an exposure.
fn poisson_of<B: Backend>(log_rates: Tensor<B, 2>, exposures: Tensor<B, 2>, arrivals: Tensor<B, 2>) -> Tensor<B, 2> {
    let log_rates = crate::losses::bounded(log_rates);
    log_rates.clone().exp() * exposures - arrivals * log_rates
}

#[cfg(test)]
mod tests {
    use super::Waits;

    #[test]
    fn a_wait_fills_the_stretches_before_it_and_a_part_of_its_own() {
        let mut waits = Waits::default();
        waits.push(&[Some(10.0), None], 30.0);
        let of_token = |values: &[f32], token: usize| values.iter().skip(token).step_by(2).copied().collect::<Vec<_>>();
        assert_eq!(of_token(&waits.exposures, 0)[..3], [1.0, 0.5, 0.0], "5 s, and 5 of the 10 s after them");
        assert_eq!(of_token(&waits.arrivals, 0)[..3], [0.0, 1.0, 0.0]);
        assert_eq!(of_token(&waits.exposures, 1)[..4], [1.0, 1.0, 0.5, 0.0], "seen for 30 s, and it did not come");
        assert!(of_token(&waits.arrivals, 1).iter().all(|arrival| *arrival == 0.0));
    }

    #[test]
    fn what_comes_at_once_comes_in_the_first_stretch() {
        let mut waits = Waits::default();
        waits.push(&[Some(0.0)], 7_200.0);
        assert_eq!((waits.exposures[0], waits.arrivals[0]), (0.0, 1.0));
        assert!(waits.arrivals[1..].iter().all(|arrival| *arrival == 0.0));
    }
}
