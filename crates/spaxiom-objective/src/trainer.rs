//! The one training loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use burn::module::AutodiffModule;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{NamedTensor, apply_weights, collect_weights};

use crate::adamw::{AdamW, AdamWOptions, clip_global_norm};
use crate::average::averaged;
use crate::batches::{Neighbours, beside_neighbours, by_length};
use crate::checkpoint::{Checkpoint, TrainState};
use crate::error::ObjectiveError;
use crate::example::{Example, Examples};
use crate::judge::{Means, judge, rng};
use crate::objective::{Batch, Compared, Metric, Objective, Prepare, Purpose};
use crate::rates::{RateOptions, Rates};
use crate::replicas::{Crew, Precision};
use crate::schedule::WarmupCosine;

/// Random numbers of epoch `i` come from the stream `EPOCHS + i`, those of a step from the stream of its number.
const EPOCHS: u64 = 1 << 62;

/// The same for the batches of a part of an epoch.
const BATCHES: u64 = 3 << 61;

/// So many neighbours are asked for, for each that is wanted: many are alike, or have a place already.
const ASKED: usize = 8;

/// Steps that the running mean of the loss looks back, roughly.
const RUNNING_STEPS: f64 = 50.0;

/// What one step may add to the loss that is averaged, in units of the greatest rise.
const MOST_OF_A_STEP: f64 = 10.0;

/// What may be set about training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TrainOptions {
    /// Steps at most; 600.
    pub max_steps: u64,
    /// Windows in a step; 32.
    pub batch_size: usize,
    /// Parts that the windows of a step go through the encoder in, one after the other, to need less memory; 1.
    ///
    /// The gradients are those of the whole where parts predict equally much, and close to them otherwise;
    /// but windows are contrasted with those of their part alone (`contrast.cache-chunk` saves memory without that).
    pub accumulate: usize,
    /// Copies of the encoder that share the windows of every step, each on a device of its own or on a share of the threads;
    /// 0 for as many as CUDA has devices, and on a CPU for four of a transformer, fusion or graph and one of what reads event by event.
    ///
    /// Heads and losses see all windows of the step, so that gradients are those of one encoder, up to rounding.
    pub replicas: usize,
    /// In which numbers the encoder computes; `full`. `mixed` is for GPUs: on a CPU it is slower.
    pub precision: Precision,
    /// So many windows that are near to a window and end with another type follow it into its batch, as hard negatives of `triplet` and `info-nce`,
    /// found by the vectors of the moment among all windows that are in memory, anew in every epoch, while pretraining; 0.
    pub neighbours: usize,
    /// Peak of the learning rate; 1e-3.
    pub learning_rate: f64,
    /// Steps until the peak; 50.
    pub warmup_steps: u64,
    /// Greatest length of all gradients together; 1.
    pub clip_norm: f64,
    /// Steps between evaluations on the validation part; a checkpoint is written at each; 50.
    pub evaluate_every: u64,
    /// Evaluations without a lower loss until the run ends; 5.
    pub patience: usize,
    /// What a running mean of the weights keeps of itself in a step, for example 0.998; the mean is what is judged and kept. 0 for none.
    ///
    /// It forgets the first weights sooner: after `n` steps it keeps at most (1 + n) / (10 + n).
    pub average: f64,
    /// Nats by which the running mean of the loss may rise above its lowest value before the run stops; 2.
    pub max_rise: f64,
    /// Order of examples, masks and first weights; 0.
    pub seed: u64,
    /// Frozen and slower parameters.
    pub rates: RateOptions,
    /// The optimiser.
    pub adamw: AdamWOptions,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            max_steps: 600,
            batch_size: 32,
            accumulate: 1,
            replicas: 0,
            precision: Precision::default(),
            neighbours: 0,
            learning_rate: 1e-3,
            warmup_steps: 50,
            clip_norm: 1.0,
            evaluate_every: 50,
            patience: 5,
            average: 0.0,
            max_rise: 2.0,
            seed: 0,
            rates: RateOptions::default(),
            adamw: AdamWOptions::default(),
        }
    }
}

/// What one step did.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport<'a> {
    /// Steps done, this one included.
    pub step: u64,
    /// Steps of the whole run at most.
    pub max_steps: u64,
    /// Loss of the batch.
    pub loss: f64,
    /// Rate of this step.
    pub learning_rate: f64,
    /// Length of all gradients before clipping.
    pub gradient_norm: f64,
    /// Events in the batch.
    pub n_events: usize,
    /// Figures of the batch.
    pub metrics: &'a [Metric],
}

/// What an evaluation on the validation part found.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalReport<'a> {
    /// Steps done.
    pub step: u64,
    /// Mean loss over the part.
    pub loss: f64,
    /// Whether no evaluation before was as low.
    pub is_best: bool,
    /// Means over the part.
    pub metrics: &'a [Metric],
}

/// Whether a run goes on after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Write a checkpoint and stop.
    Stop,
}

/// Watches a run; the only way to stop one early from outside.
pub trait Observer {
    /// After every step.
    fn step(&mut self, report: &StepReport<'_>) -> Flow;
    /// After every evaluation.
    fn evaluated(&mut self, report: &EvalReport<'_>);
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// The validation loss fell no more.
    EarlyStopped,
    /// The observer stopped it; it can be resumed.
    Interrupted,
}

/// A model after a run.
#[derive(Debug)]
pub struct Trained<M> {
    /// With the weights of the lowest validation loss.
    pub model: M,
    /// How the run ended.
    pub outcome: Outcome,
    /// Where it stands.
    pub state: TrainState,
}

/// What a run learns from and is judged by.
#[derive(Clone, Copy)]
pub struct TrainingSet<'a> {
    /// Makes an epoch after the other.
    pub train: &'a dyn Examples,
    /// Decides about early stopping and the best weights.
    pub validation: &'a [Example<'a>],
    /// Finds hard negatives, where the options want them.
    pub neighbours: Option<&'a dyn Neighbours>,
}

impl<'a> TrainingSet<'a> {
    /// Without anything that finds neighbours.
    #[must_use]
    pub fn new(train: &'a dyn Examples, validation: &'a [Example<'a>]) -> Self {
        Self { train, validation, neighbours: None }
    }
}

/// Trains any objective.
#[derive(Debug, Clone)]
pub struct Trainer {
    options: TrainOptions,
}

impl Trainer {
    /// Checks the options.
    pub fn new(options: TrainOptions) -> Result<Self, ObjectiveError> {
        let adamw = &options.adamw;
        let rules = [
            ("batch-size", "1 or more", options.batch_size >= 1, options.batch_size.to_string()),
            ("accumulate", "1 or more", options.accumulate >= 1, options.accumulate.to_string()),
            ("max-rise", "above 0", options.max_rise > 0.0, options.max_rise.to_string()),
            ("max-steps", "1 or more", options.max_steps >= 1, options.max_steps.to_string()),
            ("evaluate-every", "1 or more", options.evaluate_every >= 1, options.evaluate_every.to_string()),
            ("learning-rate", "above 0", options.learning_rate > 0.0, options.learning_rate.to_string()),
            ("average", "0 or more and below 1", (0.0..1.0).contains(&options.average), options.average.to_string()),
            ("clip-norm", "above 0", options.clip_norm > 0.0, options.clip_norm.to_string()),
            ("adamw.beta-1", "0 or more and below 1", (0.0..1.0).contains(&adamw.beta_1), adamw.beta_1.to_string()),
            ("adamw.beta-2", "0 or more and below 1", (0.0..1.0).contains(&adamw.beta_2), adamw.beta_2.to_string()),
            ("adamw.epsilon", "above 0", adamw.epsilon > 0.0, adamw.epsilon.to_string()),
            ("adamw.weight-decay", "0 or more", adamw.weight_decay >= 0.0, adamw.weight_decay.to_string()),
        ];
        ObjectiveError::first_broken(rules)?;
        Ok(Self { options })
    }

    /// What was set.
    #[must_use]
    pub fn options(&self) -> &TrainOptions {
        &self.options
    }

    /// Trains `model`, from `resume` on where it is given, and writes checkpoints to `checkpoint_path`.
    ///
    /// Each of `devices` has a copy of the encoder; one may be named several times, and the first one has the rest of the model.
    ///
    /// # Panics
    /// Without a device: only a programmer can give none.
    ///
    /// # Errors
    /// [`ObjectiveError::NoExamples`] for an empty part, [`ObjectiveError::Diverged`] for a loss that is no number.
    pub fn run<B, M>(
        &self,
        model: M,
        data: TrainingSet<'_>,
        resume: Option<Checkpoint>,
        checkpoint_path: &Path,
        observer: &mut dyn Observer,
        devices: &[B::Device],
    ) -> Result<Trained<M>, ObjectiveError>
    where
        B: AutodiffBackend,
        M: AutodiffModule<B> + Objective<B>,
        M::Encoder: AutodiffModule<B>,
        M::InnerModule: Objective<B::InnerBackend>,
    {
        let TrainingSet { train, validation, .. } = data;
        if validation.is_empty() {
            return Err(ObjectiveError::NoExamples { part: "validation" });
        }
        let mut run = Run::start(&self.options, model, resume, devices)?;
        let outcome = loop {
            if run.state.ended {
                break Outcome::EarlyStopped;
            }
            if run.state.step >= self.options.max_steps {
                break Outcome::Finished;
            }
            let mut n_batches = 0;
            let flow = train.epoch(&mut rng(self.options.seed, EPOCHS + run.state.epoch), &mut |examples| {
                run.part(examples, &mut n_batches, data, checkpoint_path, observer)
            })?;
            if n_batches == 0 {
                return Err(ObjectiveError::NoExamples { part: "training" });
            }
            match flow {
                Flow::Continue => (run.state.epoch, run.state.batch_in_epoch) = (run.state.epoch + 1, 0),
                Flow::Stop if run.is_over() => {}
                Flow::Stop => break Outcome::Interrupted,
            }
        };
        run.checkpoint(checkpoint_path)?;
        let model = apply_weights(run.model, "", &run.best)?;
        Ok(Trained { model, outcome, state: run.state })
    }
}

/// A run under way.
struct Run<'a, B: AutodiffBackend, M: AutodiffModule<B>> {
    options: &'a TrainOptions,
    model: M,
    /// The running mean of its weights, where that is judged.
    mean: Option<M::InnerModule>,
    best: BTreeMap<String, NamedTensor>,
    optimiser: AdamW<B::InnerBackend>,
    rates: Rates,
    state: TrainState,
    device: &'a B::Device,
    /// Encodes the windows of a step, where the encoder itself does not.
    crew: Option<Crew<B>>,
}

/// A batch that is ready for a step.
struct Ready<T: Prepare> {
    n_events: usize,
    /// The parts that go through the encoder one after the other, and their shares of the examples.
    parts: Vec<(f64, Batch<T>)>,
}

impl<'a, B, M> Run<'a, B, M>
where
    B: AutodiffBackend,
    M: AutodiffModule<B> + Objective<B>,
    M::Encoder: AutodiffModule<B>,
    M::InnerModule: Objective<B::InnerBackend>,
{
    fn start(
        options: &'a TrainOptions,
        model: M,
        resume: Option<Checkpoint>,
        devices: &'a [B::Device],
    ) -> Result<Self, ObjectiveError> {
        let [device, others @ ..] = devices else { panic!("a run needs a device") };
        let is_plain = others.is_empty() && options.precision == Precision::Full;
        let crew = if is_plain { None } else { Some(Crew::new(devices, options.precision)?) };
        let adamw = options.adamw.clone();
        let is_averaged = options.average > 0.0;
        let rates = Rates::new::<B>(options.rates.clone(), &model)?;
        let Some(Checkpoint { state, model: weights, best, mean, optimiser }) = resume else {
            let state = TrainState {
                step: 0,
                epoch: 0,
                batch_in_epoch: 0,
                best_loss: None,
                n_worse: 0,
                mean_loss: None,
                order: Vec::new(),
                ended: false,
            };
            let best = collect_weights(&model, "");
            let optimiser = AdamW::new(adamw).with_rates(rates.clone());
            let mean = is_averaged.then(|| model.valid());
            return Ok(Self { options, model, mean, best, optimiser, rates, state, device, crew });
        };
        let n_steps = i32::try_from(state.step).unwrap_or(i32::MAX);
        let optimiser = AdamW::resumed(adamw, n_steps, &optimiser, device).with_rates(rates.clone());
        let model = apply_weights(model, "", &weights)?;
        let mean = is_averaged.then(|| apply_weights(model.valid(), "", &mean)).transpose()?;
        Ok(Self { options, model, mean, best, optimiser, rates, state, device, crew })
    }

    fn is_over(&self) -> bool {
        self.state.ended || self.state.step >= self.options.max_steps
    }

    /// Goes on with a part of an epoch from where the run stands in it; `n_before` batches came before the part.
    fn part(
        &mut self,
        examples: &[Example<'_>],
        n_before: &mut usize,
        data: TrainingSet<'_>,
        checkpoint_path: &Path,
        observer: &mut dyn Observer,
    ) -> Result<Flow, ObjectiveError> {
        let n_batches = examples.len().div_ceil(self.options.batch_size);
        let n_done = self.state.batch_in_epoch.saturating_sub(*n_before).min(n_batches);
        let first = std::mem::replace(n_before, *n_before + n_batches);
        if n_done == n_batches {
            return Ok(Flow::Continue);
        }
        let batches = self.batches(examples, first, n_done > 0, data.neighbours)?;
        let (task, options, first_step) = (self.model.task(), self.options, self.state.step);
        std::thread::scope(|scope| {
            // A step takes the batch that was made during the step before.
            let (send, ready) = sync_channel(0);
            scope.spawn(move || {
                for (step, batch) in (first_step..).zip(batches.into_iter().skip(n_done)) {
                    let batch: Vec<Example<'_>> = batch.into_iter().map(|at| examples[at]).collect();
                    if send.send(made_ready(&task, &batch, options, step)).is_err() {
                        // The run is over.
                        return;
                    }
                }
            });
            for batch in ready {
                let flow = self.step(&batch, observer)?;
                let last = self.state.step == self.options.max_steps;
                if last || self.state.step.is_multiple_of(self.options.evaluate_every) {
                    self.evaluate(data.validation, observer)?;
                    self.checkpoint(checkpoint_path)?;
                }
                if flow == Flow::Stop || self.is_over() {
                    return Ok(Flow::Stop);
                }
            }
            Ok(Flow::Continue)
        })
    }

    /// The batches of a part of an epoch, whose first is the batch `first` of it; where it was begun, the same as when it was.
    fn batches(
        &mut self,
        examples: &[Example<'_>],
        first: usize,
        is_begun: bool,
        neighbours: Option<&dyn Neighbours>,
    ) -> Result<Vec<Vec<usize>>, ObjectiveError> {
        let TrainOptions { batch_size, neighbours: n_near, seed, .. } = *self.options;
        let Some(neighbours) = neighbours.filter(|_| n_near > 0) else {
            let lengths: Vec<usize> = examples.iter().map(|example| example.window.len()).collect();
            let stream = BATCHES + (self.state.epoch << 32) + first as u64;
            return Ok(by_length(&lengths, batch_size, &mut rng(seed, stream)));
        };
        if !is_begun || self.state.order.len() != examples.len() {
            let Compared { dim, vectors } = self.compared(examples)?;
            let nearest = neighbours.nearest(&vectors, dim, ASKED * n_near)?;
            let kind = |at: usize| examples[at].window.rows().last().map(|row| row[0]);
            self.state.order = beside_neighbours(&nearest, n_near, |a, b| kind(a) != kind(b));
        }
        Ok(self.state.order.chunks(batch_size).map(<[usize]>::to_vec).collect())
    }

    /// The vectors of all examples as they are now.
    fn compared(&self, examples: &[Example<'_>]) -> Result<Compared, ObjectiveError> {
        let model = self.model.valid();
        let mut all = Compared { dim: 0, vectors: Vec::new() };
        for batch in examples.chunks(self.options.batch_size) {
            let Some(Compared { dim, vectors }) = model.compared(batch, self.device) else {
                let (want, got) = ("0 without an objective that compares vectors", self.options.neighbours.to_string());
                return Err(ObjectiveError::Setting { name: "train.neighbours", want, got });
            };
            all.dim = dim;
            all.vectors.extend(vectors);
        }
        Ok(all)
    }

    fn step(&mut self, batch: &Ready<M::Task>, observer: &mut dyn Observer) -> Result<Flow, ObjectiveError> {
        let TrainOptions { max_steps, learning_rate, warmup_steps, clip_norm, .. } = *self.options;
        let schedule = WarmupCosine { peak: learning_rate, n_warmup: warmup_steps, n_steps: max_steps };
        let learning_rate = schedule.rate(self.state.step);
        let ((value, metrics), mut grads) = self.gradients(batch);
        if !value.is_finite() {
            return Err(ObjectiveError::Diverged { step: self.state.step, loss: value });
        }
        self.watch(value)?;
        self.rates.drop_frozen::<B>(&self.model, &mut grads);
        let (scale, gradient_norm) = clip_global_norm::<B>(&self.model, &grads, clip_norm);
        if !gradient_norm.is_finite() {
            return Err(ObjectiveError::Diverged { step: self.state.step, loss: gradient_norm });
        }
        self.model = self.optimiser.step::<B, M>(self.model.clone(), &mut grads, learning_rate, scale);
        self.state.step += 1;
        if let Some(mean) = self.mean.take() {
            let n = self.state.step as f64;
            let decay = self.options.average.min((1.0 + n) / (10.0 + n));
            self.mean = Some(averaged(mean, &self.model.valid(), decay));
        }
        self.state.batch_in_epoch += 1;
        Ok(observer.step(&StepReport {
            step: self.state.step,
            max_steps,
            loss: value,
            learning_rate,
            gradient_norm,
            n_events: batch.n_events,
            metrics: &metrics,
        }))
    }

    /// Loss and gradients of a batch, part by part.
    fn gradients(&self, batch: &Ready<M::Task>) -> ((f64, Vec<Metric>), GradientsParams) {
        let mut accumulator = GradientsAccumulator::new();
        let mut means = Means::default();
        for (share, batch) in &batch.parts {
            let mut add = |grads| accumulator.accumulate::<B>(&self.model, grads);
            let loss = match &self.crew {
                None => {
                    let mut backward = |value: Tensor<B, 1>| {
                        let grads = value.mul_scalar(*share).backward();
                        add(GradientsParams::from_grads(grads, &self.model));
                    };
                    self.model.learn(self.model.encoder(), batch, self.device, &mut backward)
                }
                Some(crew) => {
                    let copies = crew.copies(self.model.encoder());
                    let mut backward = |value: Tensor<B, 1>| {
                        let grads = value.mul_scalar(*share).backward();
                        copies.backward(&grads).into_iter().for_each(&mut add);
                        add(GradientsParams::from_grads(grads, &self.model));
                    };
                    self.model.learn(&copies, batch, self.device, &mut backward)
                }
            };
            means.add(loss.into(), *share);
        }
        (means.finish().expect("a batch has an example"), accumulator.grads())
    }

    /// Fails where the running mean of the loss has risen too far.
    fn watch(&mut self, loss: f64) -> Result<(), ObjectiveError> {
        let [before, least] = self.state.mean_loss.unwrap_or([loss; 2]);
        // One bad step alone is no trend.
        let loss = loss.min(before + MOST_OF_A_STEP * self.options.max_rise);
        let mean = before + (loss - before) / RUNNING_STEPS;
        if mean > least + self.options.max_rise {
            return Err(ObjectiveError::Rising { step: self.state.step, mean, least });
        }
        self.state.mean_loss = Some([mean, least.min(mean)]);
        Ok(())
    }

    /// The same masks in every evaluation, so that two losses can be compared.
    fn evaluate(&mut self, validation: &[Example<'_>], observer: &mut dyn Observer) -> Result<(), ObjectiveError> {
        let mut means = Means::default();
        let batches = validation.chunks(self.options.batch_size);
        let model = self.mean.clone().unwrap_or_else(|| self.model.valid());
        for judged in judge(&model, batches, self.options.seed, self.device) {
            let weight = judged.n_predictions;
            means.add(judged, weight as f64);
        }
        let (loss, metrics) = means.finish().ok_or(ObjectiveError::NothingPredicted)?;
        if !loss.is_finite() {
            return Err(ObjectiveError::Diverged { step: self.state.step, loss });
        }
        let is_best = self.state.best_loss.is_none_or(|best| loss < best);
        if is_best {
            self.state.best_loss = Some(loss);
            self.state.n_worse = 0;
            self.best = collect_weights(&model, "");
        } else {
            self.state.n_worse += 1;
            self.state.ended = self.state.n_worse >= self.options.patience;
        }
        observer.evaluated(&EvalReport { step: self.state.step, loss, is_best, metrics: &metrics });
        Ok(())
    }

    fn checkpoint(&self, path: &Path) -> Result<(), ObjectiveError> {
        let checkpoint = Checkpoint {
            state: self.state.clone(),
            model: collect_weights(&self.model, ""),
            best: self.best.clone(),
            mean: self.mean.as_ref().map(|mean| collect_weights(mean, "")).unwrap_or_default(),
            optimiser: self.optimiser.state(),
        };
        checkpoint.write(path)
    }
}

/// The batch of the step `step`.
fn made_ready<T: Prepare>(task: &T, batch: &[Example<'_>], options: &TrainOptions, step: u64) -> Ready<T> {
    let mut rng = rng(options.seed, step);
    let of_part =
        |part: &[Example<'_>]| (part.len() as f64 / batch.len() as f64, task.prepare(part, Purpose::Learn, &mut rng));
    let parts = batch.chunks(batch.len().div_ceil(options.accumulate)).map(of_part).collect();
    Ready { n_events: batch.iter().map(|example| example.window.len()).sum(), parts }
}
