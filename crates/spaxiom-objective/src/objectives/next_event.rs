//! Next-event prediction: what comes next, and when (seed, "Next-event prediction").

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, EventEncoderConfig, WindowRows};
use spaxiom_token::{LayoutName, NumberSource, TokenizerOptions, special};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::{FieldHeads, Predicted, at};
use crate::gap_density::GapDensity;
use crate::losses::{numbers, scalar};
use crate::metric::Metric;
use crate::objective::{Loss, ModelSetting, Objective, ObjectiveOptions, Preparer, Purpose};

/// Random numbers that the dropout of a batch may take.
const DROPOUT_WORDS: u128 = 1 << 48;

/// Options of next-event prediction; `hidden` and `dropout` regularize training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NextEventOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Share of the fields of past events that are hidden behind MASK, each independently; an event's numbers are hidden with its type; 0.
    ///
    /// With `tokenizer.what` that field still tells a hidden type or zone, and the other way round: both are hidden only by chance.
    pub hidden: f64,
    /// Dropout on the states before the heads (Srivastava et al. 2014); 0.
    pub dropout: f64,
    /// Weight of the time until the event, relative to one field; 1.
    pub time_weight: f64,
    /// Names of the fields that are predicted, for example `what` alone; all fields if empty.
    pub fields: Vec<String>,
}

impl Default for NextEventOptions {
    fn default() -> Self {
        Self { weight: 1.0, hidden: 0.0, dropout: 0.0, time_weight: 1.0, fields: Vec::new() }
    }
}

impl NextEventOptions {
    /// The fields that are predicted, by their places in a row; all of them if none is named.
    ///
    /// # Errors
    /// [`ObjectiveError::Setting`] for a field that events do not have.
    fn predicted(&self, names: &[String], n_fields: usize) -> Result<Vec<usize>, ObjectiveError> {
        if self.fields.is_empty() {
            return Ok((0..n_fields).collect());
        }
        let place = |wanted: &String| {
            names.iter().position(|name| name == wanted).ok_or_else(|| ObjectiveError::Setting {
                name: "objectives.nep.fields",
                want: "fields that events have",
                got: format!("{wanted}; there are {}", names.join(", ")),
            })
        };
        let mut predicted = self.fields.iter().map(place).collect::<Result<Vec<usize>, _>>()?;
        predicted.sort_unstable();
        predicted.dedup();
        Ok(predicted)
    }

    /// Hides fields of the past; the targets are read from the originals.
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

    /// Inverted dropout of states.
    fn drop<B: Backend>(&self, states: Tensor<B, 3>, rng: &mut ChaCha8Rng) -> Tensor<B, 3> {
        let (shape, device) = (states.dims(), states.device());
        #[expect(clippy::cast_possible_truncation, reason = "tensors have 32-bit floats")]
        let kept = (1.0 / (1.0 - self.dropout)) as f32;
        let mask: Vec<f32> =
            (0..shape.iter().product()).map(|_| if rng.random_bool(self.dropout) { 0.0 } else { kept }).collect();
        states * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}

impl ObjectiveOptions for NextEventOptions {
    type Task = NextEventTask;
    type Heads<B: Backend> = NextEvent<B>;

    fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let rule = |name, share: f64| (name, "0 or more and below 1", (0.0..1.0).contains(&share), share.to_string());
        let weight = self.time_weight;
        ObjectiveError::first_broken([
            rule("objectives.nep.hidden", self.hidden),
            rule("objectives.nep.dropout", self.dropout),
            ("objectives.nep.time-weight", "0 or more", weight >= 0.0 && weight.is_finite(), weight.to_string()),
        ])?;
        self.predicted(&context.fields, context.fields.len()).map(drop)
    }

    fn require(&self, ModelSetting { encoder, tokenizer }: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        let unfit = |objective, want| Err(ObjectiveError::Unfit { objective, want });
        if !encoder.sees_no_future() {
            return unfit(
                "nep",
                "an encoder that reads from the past alone: `gru`, `lstm` with `bidirectional = false`, or `transformer` with `causal = true` and `ages = false`",
            );
        }
        if tokenizer.layout == LayoutName::Flat && !self.fields.is_empty() {
            return unfit("nep with `objectives.nep.fields`", "a position per event: tokens `composite` or `bins`");
        }
        Ok(())
    }

    fn adapt(encoder: &mut EventEncoderConfig, _: &mut TokenizerOptions) {
        *encoder = encoder.clone().without_future();
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        context: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> NextEvent<B> {
        let gaps = layout.numbers().iter().find(|number| *number.source() == NumberSource::Gap);
        let segments: Vec<[f64; 2]> = gaps.map_or_else(Vec::new, |gaps| gaps.segments().collect());
        let gap = GapDensity::new(d_model, &segments, seed ^ 1, device);
        let predicted = self.predicted(&context.fields, layout.n_fields()).expect("the names have been checked");
        let task = NextEventTask { options: self.clone(), n_fields: layout.n_fields() };
        let fields = FieldHeads::new(d_model, layout.clone(), seed, device);
        NextEvent { fields, gap, predicted, what: context.what, task }
    }
}

/// Predicts, from every state, the fields of the next event and the time until it.
///
/// The first event of a window is predicted from `[CLS]`, which has seen nothing, and without a time.
/// The encoder must be causal ([`EventEncoderConfig::sees_no_future`]), or there is nothing to predict.
#[derive(Module, Debug)]
pub struct NextEvent<B: Backend> {
    fields: FieldHeads<B>,
    gap: GapDensity<B>,
    #[module(skip)]
    predicted: Vec<usize>,
    /// `event_accuracy` and `event_log_likelihood` (nats per event) are of this field, if it is predicted.
    #[module(skip)]
    what: Option<usize>,
    #[module(skip)]
    task: NextEventTask,
}

/// Hides parts of the past and collects the targets.
#[derive(Debug, Clone)]
pub struct NextEventTask {
    options: NextEventOptions,
    n_fields: usize,
}

/// Windows and their targets.
#[derive(Debug)]
pub struct NextEventBatch {
    windows: Vec<WindowRows>,
    targets: Targets,
    /// Random numbers of the dropout, if there is any.
    dropout: Option<ChaCha8Rng>,
}

impl Preparer for NextEventTask {
    type Batch = NextEventBatch;

    fn prepare(&self, examples: &[Example<'_>], purpose: Purpose, rng: &mut ChaCha8Rng) -> NextEventBatch {
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
        NextEventBatch { windows, targets, dropout }
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

impl<B: Backend> Objective<B> for NextEvent<B> {
    type Task = NextEventTask;

    fn task(&self) -> NextEventTask {
        self.task.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &NextEventBatch, device: &B::Device) -> Loss<B> {
        let NextEventBatch { windows, targets: Targets { positions, ids, timed, gaps_secs }, dropout } = batch;
        let mut states = encoder.encode(&EventBatch::with_rows(self.fields.layout(), windows, device)).states;
        if let Some(rng) = dropout {
            states = self.task.options.drop(states, &mut rng.clone());
        }
        let Self { predicted, what, .. } = self;
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
            value = value - likelihood.mul_scalar(self.task.options.time_weight / predicted.len() as f64);
        }
        Loss { value, n_predictions: positions.len(), metrics }
    }
}
