//! Next-event prediction: what comes next, and when (seed, "Next-event prediction").

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WindowRows};
use spaxiom_token::{NumberSource, special};

use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::gap_density::GapDensity;
use crate::losses::{numbers, scalar};
use crate::objective::{Loss, Metric, Preparer, Pretext, Purpose};

/// Random numbers that the dropout of a batch may take.
const DROPOUT_WORDS: u128 = 1 << 48;

/// What may be set about next-event prediction; hiding and dropping make it harder in training to learn single windows by heart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NextEventOptions {
    /// Share of the fields of past events that are hidden behind MASK, each by itself, with the event's numbers where its type is; 0.
    ///
    /// With `tokenizer.what` a hidden type or zone is still said by that field, and the other way round: both are gone only by chance.
    pub hidden: f64,
    /// Share of the numbers of a state that are dropped before the heads (Srivastava et al. 2014); 0.
    pub dropout: f64,
    /// How many fields the time until the event counts as much as; 1.
    pub time_weight: f64,
    /// Names of the fields that are predicted, for example `what` alone; all of them where none is named.
    pub fields: Vec<String>,
}

impl Default for NextEventOptions {
    fn default() -> Self {
        Self { hidden: 0.0, dropout: 0.0, time_weight: 1.0, fields: Vec::new() }
    }
}

impl NextEventOptions {
    pub(crate) fn check(&self) -> Result<(), ObjectiveError> {
        let rule = |name, share: f64| (name, "0 or more and below 1", (0.0..1.0).contains(&share), share.to_string());
        let weight = self.time_weight;
        ObjectiveError::first_broken([
            rule("next-event.hidden", self.hidden),
            rule("next-event.dropout", self.dropout),
            ("next-event.time-weight", "0 or more", weight >= 0.0 && weight.is_finite(), weight.to_string()),
        ])
    }

    /// Hides fields of the past; what has to be predicted is read from the originals.
    fn hide(&self, windows: &mut [WindowRows], n_fields: usize, rng: &mut ChaCha8Rng) {
        for WindowRows { ids, values, .. } in windows.iter_mut().filter(|_| self.hidden > 0.0) {
            let n_values = values.len() * n_fields / ids.len().max(1);
            for (at, row) in ids.chunks_exact_mut(n_fields).enumerate().filter(|(_, row)| row[0] != special::SEP) {
                for (field, id) in row.iter_mut().enumerate() {
                    if rng.random_bool(self.hidden) {
                        *id = special::MASK;
                        if field == 0 {
                            values[at * n_values..(at + 1) * n_values].fill(f32::NAN);
                        }
                    }
                }
            }
        }
    }

    /// Drops numbers of states, and makes the others greater by as much.
    fn drop<B: Backend>(&self, states: Tensor<B, 3>, rng: &mut ChaCha8Rng) -> Tensor<B, 3> {
        let (shape, device) = (states.dims(), states.device());
        #[expect(clippy::cast_possible_truncation, reason = "tensors have 32-bit floats")]
        let kept = (1.0 / (1.0 - self.dropout)) as f32;
        let mask: Vec<f32> =
            (0..shape.iter().product()).map(|_| if rng.random_bool(self.dropout) { 0.0 } else { kept }).collect();
        states * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}

/// Which places of a row next-event prediction looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextEventFields {
    /// Those that are predicted; all of them where there are none.
    pub predicted: Vec<usize>,
    /// The field of type and zone together, where events have one ([`spaxiom_token::Tokenizer::what_field`]):
    /// `event_accuracy` and `event_log_likelihood` (nats per event) are of it, where it is predicted.
    pub what: Option<usize>,
}

/// Every state predicts the fields of the event after it, and how long it takes until then.
///
/// The first event of a window is predicted from `[CLS]`, which has seen nothing, and without a time.
/// The encoder must not look ahead (`EventEncoderConfig::sees_no_future`), or there is nothing to predict.
#[derive(Module, Debug)]
pub struct NextEvents<B: Backend> {
    fields: FieldHeads<B>,
    gap: GapDensity<B>,
    #[module(skip)]
    watched: NextEventFields,
    #[module(skip)]
    past: Past,
}

/// What is shown of the past, and what is asked of the future.
#[derive(Debug, Clone)]
pub struct Past {
    options: NextEventOptions,
    n_fields: usize,
}

/// Windows, and what has to be predicted in them.
#[derive(Debug)]
pub struct Asked {
    windows: Vec<WindowRows>,
    targets: Targets,
    /// What the numbers of states are dropped by, where any are.
    dropout: Option<ChaCha8Rng>,
}

impl Preparer for Past {
    type Batch = Asked;

    fn prepare(&self, examples: &[Example<'_>], purpose: Purpose, rng: &mut ChaCha8Rng) -> Asked {
        let Self { options, n_fields } = self;
        let mut windows: Vec<WindowRows> = examples.iter().map(|example| example.window.into()).collect();
        let n_context = examples.iter().map(|example| example.n_context);
        let targets = Targets::of(&windows, n_context, *n_fields);
        let learns = purpose == Purpose::Learn;
        if learns {
            options.hide(&mut windows, *n_fields, rng);
        }
        let dropout = (learns && options.dropout > 0.0).then(|| {
            let here = rng.clone();
            // As far ahead as no batch reaches: others draw other numbers.
            rng.set_word_pos(rng.get_word_pos() + DROPOUT_WORDS);
            here
        });
        Asked { windows, targets, dropout }
    }
}

/// What has to be predicted from where.
#[derive(Debug)]
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
    /// `n_context` says of each window how many events are not asked for.
    fn of(windows: &[WindowRows], n_context: impl Iterator<Item = usize>, n_fields: usize) -> Self {
        let seq = 1 + windows.iter().map(|window| window.ids.len() / n_fields).max().unwrap_or(0);
        let mut targets = Self { positions: Vec::new(), ids: Vec::new(), timed: Vec::new(), gaps_secs: Vec::new() };
        for ((window_idx, WindowRows { ids, ages, .. }), n_context) in windows.iter().enumerate().zip(n_context) {
            for (next, row) in ids.chunks_exact(n_fields).enumerate().skip(n_context) {
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
    pub fn new(
        d_model: usize,
        layout: BatchLayout,
        NextEventFields { mut predicted, what }: NextEventFields,
        options: NextEventOptions,
        seed: u64,
        device: &B::Device,
    ) -> Self {
        let gaps = layout.numbers().iter().find(|number| *number.source() == NumberSource::Gap);
        let segments: Vec<[f64; 2]> = gaps.map_or_else(Vec::new, |gaps| gaps.segments().collect());
        let gap = GapDensity::new(d_model, &segments, seed ^ 1, device);
        if predicted.is_empty() {
            predicted = (0..layout.n_fields()).collect();
        }
        let watched = NextEventFields { predicted, what };
        let past = Past { options, n_fields: layout.n_fields() };
        Self { fields: FieldHeads::new(d_model, layout, seed, device), gap, watched, past }
    }
}

impl<B: Backend> Pretext<B> for NextEvents<B> {
    type Task = Past;

    fn task(&self) -> Past {
        self.past.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &Asked, device: &B::Device) -> Loss<B> {
        let Asked { windows, targets: Targets { positions, ids, timed, gaps_secs }, dropout } = batch;
        let mut states = encoder.encode(&EventBatch::with_rows(self.fields.layout(), windows, device)).states;
        if let Some(rng) = dropout {
            states = self.past.options.drop(states, &mut rng.clone());
        }
        let NextEventFields { predicted, what } = &self.watched;
        let Predicted { loss: mut value, first_accuracy, watched } =
            self.fields.predict_and_watch(at(states.clone(), positions), ids, predicted, *what);
        let mut metrics = Vec::new();
        if predicted.first() == Some(&0) {
            metrics.push(Metric { name: "next_type_accuracy", value: first_accuracy });
        }
        if let Some([accuracy, log_likelihood]) = watched {
            metrics.push(Metric { name: "event_accuracy", value: accuracy });
            metrics.push(Metric { name: "event_log_likelihood", value: log_likelihood });
        }
        if !timed.is_empty() {
            let likelihood = self.gap.log_likelihood(at(states, timed), numbers(gaps_secs.clone(), device)).mean();
            metrics.push(Metric { name: "gap_log_likelihood", value: scalar(likelihood.clone()) });
            // As one more field, so that the time does not drown the events.
            value = value - likelihood.mul_scalar(self.past.options.time_weight / predicted.len() as f64);
        }
        Loss { value, n_predictions: positions.len(), metrics }
    }
}
