//! Evaluates a model on examples that it does not learn from.

use std::collections::BTreeMap;

use burn::tensor::backend::Backend;
use spaxiom_encoder::Encoder;

use crate::example::Example;
use crate::losses::scalar;
use crate::metric::Metric;
use crate::objective::{Loss, Model, Objective, Preparer, Purpose};
use crate::random::rng;

/// Random numbers of batch `i` come from the stream `JUDGED + i`.
const JUDGED: u64 = 1 << 61;

/// Loss and figures of one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// How many predictions they are means over; with none they say nothing.
    pub n_predictions: usize,
    /// The loss.
    pub loss: f64,
    /// Figures beside it.
    pub metrics: Vec<Metric>,
}

impl<B: Backend> From<Loss<B>> for Judged {
    fn from(Loss { value, n_predictions, metrics }: Loss<B>) -> Self {
        Self { n_predictions, loss: scalar(value), metrics }
    }
}

/// Evaluates batch after batch, each with its own random numbers: the masks are the same in every evaluation.
pub fn judge<'b, 'e: 'b, B: Backend, E: Encoder<B>, O: Objective<B>>(
    model: &Model<B, E, O>,
    batches: impl IntoIterator<Item = &'b [Example<'e>]>,
    seed: u64,
    device: &B::Device,
) -> Vec<Judged> {
    let (objective, encoder) = (model.objective(), model.encoder());
    let task = objective.task();
    let judged = |(stream, batch): (u64, &[Example<'_>])| {
        objective.loss(encoder, &task.prepare(batch, Purpose::Judge, &mut rng(seed, stream)), device).into()
    };
    (JUDGED..).zip(batches).map(judged).collect()
}

/// Sums of weighted losses and figures; a figure that some batches lack is the mean of the others.
#[derive(Default)]
pub(crate) struct Means {
    loss: [f64; 2],
    metrics: BTreeMap<&'static str, [f64; 2]>,
}

impl Means {
    pub(crate) fn add(&mut self, Judged { n_predictions: _, loss, metrics }: Judged, weight: f64) {
        let add = |[sum, n]: &mut [f64; 2], value: f64| (*sum, *n) = (*sum + value * weight, *n + weight);
        // What predicts nothing says nothing, and must not turn 0 times not-a-number into a sum.
        if weight > 0.0 {
            add(&mut self.loss, loss);
            for Metric { name, value } in metrics {
                add(self.metrics.entry(name).or_default(), value);
            }
        }
    }

    /// Mean loss and mean figures; none without any prediction.
    pub(crate) fn finish(self) -> Option<(f64, Vec<Metric>)> {
        let metrics = self.metrics.into_iter().map(|(name, [sum, n])| Metric { name, value: sum / n }).collect();
        (self.loss[1] > 0.0).then(|| (self.loss[0] / self.loss[1], metrics))
    }
}
