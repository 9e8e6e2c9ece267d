//! The one training loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use burn::module::AutodiffModule;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use spaxiom_encoder::{NamedTensor, apply_weights, collect_weights};

use crate::adamw::{AdamW, clip_global_norm};
use crate::average::averaged;
use crate::batches::{Neighbors, beside_neighbors, by_length};
use crate::checkpoint::{Checkpoint, TrainState};
use crate::error::ObjectiveError;
use crate::example::{Example, Examples};
use crate::judge::{Means, judge};
use crate::metric::Metric;
use crate::objective::{Batch, Compared, Model, Objective, Preparer, Purpose, TrainableEncoder, TrainableObjective};
use crate::observer::{EvalReport, Flow, Observer, Outcome, StepReport};
use crate::precision::Precision;
use crate::random::rng;
use crate::rates::Rates;
use crate::replicas::{Alone, Crew, Frozen};
use crate::schedule::WarmupCosine;
use crate::train_options::TrainOptions;

/// Random numbers of epoch `i` come from the stream `EPOCHS + i`, those of a step from the stream of its number.
const EPOCHS: u64 = 1 << 62;

/// The same for the batches of a part of an epoch.
const BATCHES: u64 = 3 << 61;

/// So many neighbors are asked for, for each that is wanted: many are alike, or have a place already.
const ASKED: usize = 8;

/// Steps that the running mean of the loss looks back, roughly.
const RUNNING_STEPS: f64 = 50.0;

/// What one step may add to the loss that is averaged, in units of the greatest rise.
const MOST_OF_A_STEP: f64 = 10.0;

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
    pub neighbors: Option<&'a dyn Neighbors>,
}

impl<'a> TrainingSet<'a> {
    /// Without anything that finds neighbors.
    #[must_use]
    pub fn new(train: &'a dyn Examples, validation: &'a [Example<'a>]) -> Self {
        Self { train, validation, neighbors: None }
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
        options.check()?;
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
    pub fn run<B, E, O>(
        &self,
        model: Model<B, E, O>,
        data: TrainingSet<'_>,
        resume: Option<Checkpoint>,
        checkpoint_path: &Path,
        observer: &mut dyn Observer,
        devices: &[B::Device],
    ) -> Result<Trained<Model<B, E, O>>, ObjectiveError>
    where
        B: AutodiffBackend,
        E: TrainableEncoder<B>,
        O: TrainableObjective<B>,
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
struct Run<'a, B: AutodiffBackend, E: AutodiffModule<B>, O: AutodiffModule<B>> {
    options: &'a TrainOptions,
    model: Model<B, E, O>,
    /// The running mean of its weights, if that is evaluated and kept.
    mean: Option<Model<B::InnerBackend, E::InnerModule, O::InnerModule>>,
    best: BTreeMap<String, NamedTensor>,
    optimizer: AdamW<B::InnerBackend>,
    rates: Rates,
    state: TrainState,
    device: &'a B::Device,
    /// Encodes the windows of a step, where the encoder itself does not.
    crew: Option<Crew<B>>,
}

/// A batch that is ready for a step.
struct Ready<T: Preparer> {
    n_events: usize,
    /// The parts that go through the encoder one after the other, and their shares of the examples.
    parts: Vec<(f64, Batch<T>)>,
}

impl<'a, B, E, O> Run<'a, B, E, O>
where
    B: AutodiffBackend,
    E: TrainableEncoder<B>,
    O: TrainableObjective<B>,
{
    fn start(
        options: &'a TrainOptions,
        model: Model<B, E, O>,
        resume: Option<Checkpoint>,
        devices: &'a [B::Device],
    ) -> Result<Self, ObjectiveError> {
        let [device, others @ ..] = devices else { panic!("a run needs a device") };
        let is_plain = others.is_empty() && options.precision == Precision::Full;
        let crew = if is_plain { None } else { Some(Crew::new(devices, options.precision)?) };
        let adamw = options.adamw.clone();
        let is_averaged = options.average > 0.0;
        let rates = Rates::new::<B>(options.rates.clone(), &model)?;
        let Some(Checkpoint { state, model: weights, best, mean, optimizer }) = resume else {
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
            let optimizer = AdamW::new(adamw).with_rates(rates.clone());
            let mean = is_averaged.then(|| model.valid());
            let model = rates.freeze::<B, _>(model);
            return Ok(Self { options, model, mean, best, optimizer, rates, state, device, crew });
        };
        let n_steps = i32::try_from(state.step).unwrap_or(i32::MAX);
        let optimizer = AdamW::resumed(adamw, n_steps, &optimizer, device).with_rates(rates.clone());
        let model = apply_weights(model, "", &weights)?;
        // A run that was begun without a mean begins it here.
        let mean = if mean.is_empty() { &weights } else { &mean };
        let mean = is_averaged.then(|| apply_weights(model.valid(), "", mean)).transpose()?;
        let model = rates.freeze::<B, _>(model);
        Ok(Self { options, model, mean, best, optimizer, rates, state, device, crew })
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
        let batches = self.batches(examples, first, n_done > 0, data.neighbors)?;
        let (task, options, first_step) = (self.model.objective().task(), self.options, self.state.step);
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
        neighbors: Option<&dyn Neighbors>,
    ) -> Result<Vec<Vec<usize>>, ObjectiveError> {
        let TrainOptions { batch_size, neighbors: n_near, seed, .. } = *self.options;
        let Some(neighbors) = neighbors.filter(|_| n_near > 0) else {
            let lengths: Vec<usize> = examples.iter().map(|example| example.window.len()).collect();
            let stream = BATCHES + (self.state.epoch << 32) + first as u64;
            return Ok(by_length(&lengths, batch_size, &mut rng(seed, stream)));
        };
        if !is_begun || self.state.order.len() != examples.len() {
            let Compared { dim, vectors } = self.compared(examples)?;
            let nearest = neighbors.nearest(&vectors, dim, ASKED * n_near)?;
            let kind = |at: usize| examples[at].window.rows().last().map(|row| row[0]);
            self.state.order = beside_neighbors(&nearest, n_near, |a, b| kind(a) != kind(b));
        }
        Ok(self.state.order.chunks(batch_size).map(<[usize]>::to_vec).collect())
    }

    /// The vectors of all examples as they are now.
    fn compared(&self, examples: &[Example<'_>]) -> Result<Compared, ObjectiveError> {
        let model = self.model.valid();
        let mut all = Compared { dim: 0, vectors: Vec::new() };
        for batch in examples.chunks(self.options.batch_size) {
            let Some(Compared { dim, vectors }) = model.objective().compared(model.encoder(), batch, self.device)
            else {
                let (want, got) = ("0 without an objective that compares vectors", self.options.neighbors.to_string());
                return Err(ObjectiveError::Setting { name: "train.neighbors", want, got });
            };
            all.dim = dim;
            all.vectors.extend(vectors);
        }
        Ok(all)
    }

    fn step(&mut self, batch: &Ready<O::Task>, observer: &mut dyn Observer) -> Result<Flow, ObjectiveError> {
        let TrainOptions { max_steps, learning_rate, warmup_steps, clip_norm, .. } = *self.options;
        let schedule = WarmupCosine { peak: learning_rate, n_warmup: warmup_steps, n_steps: max_steps };
        let learning_rate = schedule.rate(self.state.step);
        let ((value, metrics), mut grads) = self.gradients(batch);
        if !value.is_finite() {
            return Err(ObjectiveError::Diverged { step: self.state.step, loss: value });
        }
        self.watch(value)?;
        let (scale, gradient_norm) = clip_global_norm::<B>(&self.model, &grads, clip_norm);
        if !gradient_norm.is_finite() {
            return Err(ObjectiveError::Diverged { step: self.state.step, loss: gradient_norm });
        }
        self.model = self.optimizer.step::<B, Model<B, E, O>>(self.model.clone(), &mut grads, learning_rate, scale);
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
    fn gradients(&self, batch: &Ready<O::Task>) -> ((f64, Vec<Metric>), GradientsParams) {
        let mut accumulator = GradientsAccumulator::new();
        let mut means = Means::default();
        let encoder = self.model.encoder();
        let copies = self.crew.as_ref().map(|crew| crew.copies(encoder));
        for (share, batch) in &batch.parts {
            let mut backward = |value: Tensor<B, 1>| {
                let grads = value.mul_scalar(*share).backward();
                let of_copies = copies.as_ref().map(|copies| copies.backward(&grads)).unwrap_or_default();
                for grads in of_copies.into_iter().chain([GradientsParams::from_grads(grads, &self.model)]) {
                    accumulator.accumulate::<B>(&self.model, grads);
                }
            };
            let (objective, is_frozen) = (self.model.objective(), self.rates.is_encoder_frozen());
            let loss = match &copies {
                Some(copies) if is_frozen => objective.learn(&Frozen(copies), batch, self.device, &mut backward),
                Some(copies) => objective.learn(copies, batch, self.device, &mut backward),
                None if is_frozen => objective.learn(&Frozen(&Alone(encoder)), batch, self.device, &mut backward),
                None => objective.learn(&Alone(encoder), batch, self.device, &mut backward),
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
            optimizer: self.optimizer.state(),
        };
        checkpoint.write(path)
    }
}

/// The batch of the step `step`.
fn made_ready<T: Preparer>(task: &T, batch: &[Example<'_>], options: &TrainOptions, step: u64) -> Ready<T> {
    let mut rng = rng(options.seed, step);
    let of_part =
        |part: &[Example<'_>]| (part.len() as f64 / batch.len() as f64, task.prepare(part, Purpose::Learn, &mut rng));
    let parts = batch.chunks(batch.len().div_ceil(options.accumulate)).map(of_part).collect();
    Ready { n_events: batch.iter().map(|example| example.window.len()).sum(), parts }
}
