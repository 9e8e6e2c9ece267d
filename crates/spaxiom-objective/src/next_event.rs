//! Next-event prediction: what comes next, and when (seed, "Next-event prediction").

use burn::module::Module;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WindowRows};
use spaxiom_token::special;

use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::gap_density::GapDensity;
use crate::losses::{numbers, scalar};
use crate::objective::{Loss, Metric, Pretext};

/// Every state predicts the fields of the event after it, and how long it takes until then.
///
/// The first event of a window is predicted from `[CLS]`, which has seen nothing, and without a time.
/// The encoder must not look ahead (`EventEncoderConfig::sees_no_future`), or there is nothing to predict.
#[derive(Module, Debug)]
pub struct NextEvents<B: Backend> {
    fields: FieldHeads<B>,
    gap: GapDensity<B>,
}

/// What has to be predicted from where.
struct Targets {
    /// Places in `[batch * seq]` of the states that predict.
    positions: Vec<usize>,
    /// Ids of the next event, row after row.
    ids: Vec<u32>,
    /// Those of the positions that have seen an event.
    timed: Vec<usize>,
    gaps_secs: Vec<f32>,
}

impl Targets {
    fn of(windows: &[WindowRows], n_fields: usize) -> Self {
        let seq = 1 + windows.iter().map(|window| window.ids.len() / n_fields).max().unwrap_or(0);
        let mut targets = Self { positions: Vec::new(), ids: Vec::new(), timed: Vec::new(), gaps_secs: Vec::new() };
        for (window_idx, WindowRows { ids, ages, .. }) in windows.iter().enumerate() {
            for (next, row) in ids.chunks_exact(n_fields).enumerate() {
                // `[CLS]` stands before the events, so the state before an event has its place.
                let position = window_idx * seq + next;
                targets.positions.push(position);
                targets.ids.extend_from_slice(row);
                // A separator takes no time.
                if next > 0 && row[0] != special::SEP {
                    targets.timed.push(position);
                    targets.gaps_secs.push(ages[next - 1] - ages[next]);
                }
            }
        }
        targets
    }
}

impl<B: Backend> NextEvents<B> {
    /// Prediction heads over states of width `d_model`.
    pub fn new(d_model: usize, layout: BatchLayout, seed: u64, device: &B::Device) -> Self {
        let gap = GapDensity::new(d_model, seed ^ 1, device);
        Self { fields: FieldHeads::new(d_model, layout, seed, device), gap }
    }
}

impl<B: Backend> Pretext<B> for NextEvents<B> {
    fn loss<E: Encoder<B>>(
        &self,
        encoder: &E,
        examples: &[Example<'_>],
        _rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Loss<B> {
        let layout = self.fields.layout();
        let windows: Vec<WindowRows> = examples.iter().map(|example| example.window.into()).collect();
        let Targets { positions, ids, timed, gaps_secs } = Targets::of(&windows, layout.n_fields());
        let states = encoder.encode(&EventBatch::with_rows(layout, &windows, device)).states;
        let all: Vec<usize> = (0..layout.n_fields()).collect();
        let Predicted { loss: mut value, first_accuracy } =
            self.fields.predict(at(states.clone(), &positions), &ids, &all);
        let mut metrics = vec![Metric { name: "next_type_accuracy", value: first_accuracy }];
        if !timed.is_empty() {
            let likelihood = self.gap.log_likelihood(at(states, &timed), numbers(gaps_secs, device)).mean();
            metrics.push(Metric { name: "gap_log_likelihood", value: scalar(likelihood.clone()) });
            // As one more field, so that the time does not drown the events.
            value = value - likelihood.div_scalar(layout.n_fields() as f64);
        }
        Loss { value, n_predictions: positions.len(), metrics }
    }
}
