//! Pretraining and fine-tuning: one path from data to a run folder.

use serde::Serialize;
use spaxiom_encoder::WeightFile;
use spaxiom_eval::Part;
use spaxiom_objective::{Checkpoint, ObjectiveContext, Objectives, Observer, Outcome, Trainer, TrainingSet};
use spaxiom_token::{Augmenter, ClockedMemory, FitReport, Tokenizer, TokenizerFit};

use super::half_lives;
use super::neighbors::IndexNeighbors;
use crate::data::{ExampleRequest, Learned, TrainingData, TrainingExamples, spread};
use crate::engine::{Engine, ModelShape, TrainingInput, TrainingOutput, Weights, fit_components};
use crate::error::EmbeddingError;
use crate::run::{Manifest, MetricsLog, Provenance, Run, RunConfig, RunFolder};
use crate::vector::fit_blocks;

/// A run to be started or resumed.
pub struct TrainJob<'a> {
    /// The settings; for a resumed run those in its folder ([`Run::resumed_config`]).
    pub config: RunConfig,
    /// The data: a [`crate::Dataset`] in memory, or a [`crate::ShardedDataset`] that is larger than memory.
    pub data: &'a dyn TrainingData,
    /// The folder of the run.
    pub run: &'a RunFolder,
    /// The run to start from, with its tokenizer and the weights of its encoder; `None` to start from scratch.
    pub from: Option<&'a Run>,
    /// Whether to continue from the checkpoint of the folder.
    pub resume: bool,
    /// The program.
    pub provenance: Provenance,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// Finished, stopped early or interrupted.
    pub outcome: Outcome,
    /// Steps done.
    pub steps: u64,
    /// The lowest loss on the validation split.
    pub validation_loss: Option<f64>,
    /// SHA-256 of `vector.safetensors`; `None` if the run was stopped.
    pub vector: Option<String>,
    /// SHA-256 of `model.safetensors`; `None` if the run was stopped before its first evaluation.
    pub weights: Option<String>,
    /// Number of parameters.
    pub n_parameters: usize,
    /// What the tokenizer learned; `None` if it came with the run.
    pub tokens: Option<FitReport>,
}

/// Learns a tokenizer, or takes that of the run to start from, and trains an encoder by the objectives of the configuration.
///
/// # Errors
/// Settings that do not fit, data without examples or labels, a loss that diverges, a folder that holds another run.
pub fn train(
    job: TrainJob<'_>,
    engine: &dyn Engine,
    observer: &mut dyn Observer,
) -> Result<RunSummary, EmbeddingError> {
    let data = job.data;
    if job.config.reduce_to.is_some() && !data.is_in_memory() {
        let want = "all data in memory: leave `--stream` out";
        return Err(EmbeddingError::Unfit { objective: "of `reduce-to`", want });
    }
    job.config.check()?;
    let start = job.from.map(Run::weights).transpose()?;
    let mut setup = Setup::prepare(job)?;
    let (split, tokenizer) = (setup.manifest.split.clone(), setup.tokenizer.clone());
    let memory = setup.memory.clone();
    let config = setup.config.clone();
    if config.encoder.is_none() {
        return remember(setup, data);
    }
    let classes = if config.objectives.classify.is_some() { data.classes(&split)? } else { Vec::new() };
    let request = ExampleRequest {
        split: &split,
        tokenizer: &tokenizer,
        memory: memory.as_ref(),
        max_len: config.max_len(),
        objectives: &config.objectives,
        classes: &classes,
    };
    let TrainingExamples { examples, class_counts } = data.training_examples(request)?;
    let validation_part = request.with_moments(data.part_data(&split, Part::Validation, &tokenizer)?);
    let validation = match &config.objectives.classify {
        Some(options) => {
            let labeled = data.labeled(&request, Part::Validation, &validation_part);
            request.labeled_examples(&validation_part, &spread(&labeled, options.validation_examples))
        }
        None => validation_part.windows(request.max_len, request.needs_events()).in_order(),
    };
    let token_rates = validation_part.token_rates(memory.as_ref());
    let objectives = objectives(&config, &tokenizer, class_counts, token_rates)?;
    setup.start(classes.clone())?;
    let set = TrainingSet { train: examples.as_ref(), validation: &validation, neighbors: Some(&IndexNeighbors) };
    let folder = setup.run;
    let mut summary = setup.train(engine, &objectives, start.as_ref(), set, observer)?;
    if summary.weights.is_none() {
        return Ok(summary);
    }
    let mut run = Run::open(folder.path())?;
    if let Some(n_components) = config.reduce_to {
        let train_part = data.part_data(&split, Part::Train, &tokenizer)?;
        let components = fit_components(run.full_encoder(engine)?.as_ref(), &train_part.tokens, n_components)?;
        let components = Some(folder.save_components(&components)?);
        folder.save_manifest(&Manifest { components, ..run.manifest().clone() })?;
        run = Run::open(folder.path())?;
    }
    if let (Some(memory), true) = (run.memory(), summary.outcome != Outcome::Interrupted) {
        let (memory, encoder) = (memory.clone().with_sites(data.sites()), run.encoder(engine)?);
        let blocks = fit_blocks(data, &split, &tokenizer, &memory, Some(encoder.as_ref()), &config.vector)?;
        summary.vector = Some(folder.save_vector(&blocks)?);
        folder.save_manifest(&Manifest { vector: summary.vector.clone(), ..run.manifest().clone() })?;
    }
    Ok(summary)
}

/// A run without an encoder: vectors are a memory, of which only the scales are learned.
fn remember(mut setup: Setup<'_>, data: &dyn TrainingData) -> Result<RunSummary, EmbeddingError> {
    setup.start(Vec::new())?;
    let Setup { config, run: folder, tokenizer, memory, tokens, manifest, .. } = setup;
    let memory = memory.ok_or(EmbeddingError::NoEncoder { what: "start a new run with `--out`" })?;
    let blocks = fit_blocks(data, &manifest.split, &tokenizer, &memory, None, &config.vector)?;
    let vector = Some(folder.save_vector(&blocks)?);
    let outcome = Outcome::Finished;
    folder.save_manifest(&Manifest { vector: vector.clone(), outcome: Some(outcome), ..manifest })?;
    Ok(RunSummary { outcome, steps: 0, validation_loss: None, vector, weights: None, n_parameters: 0, tokens })
}

/// The settings with the half-lives of their memory, and an embargo that outlasts it.
///
/// They are those of the run to start from. Where none were given they are chosen on the validation part of a split whose
/// embargo is long enough for all of them.
pub(crate) fn with_memory(
    mut config: RunConfig,
    data: &dyn TrainingData,
    from: Option<&Run>,
) -> Result<RunConfig, EmbeddingError> {
    if let Some(from) = from {
        config.memory = from.config().memory.clone();
    } else if let (true, Some(columns)) = (config.memory.half_lives_secs.is_empty(), data.all_columns()) {
        let split = data.split(&config.clone().with_embargo().split)?;
        let fit = TokenizerFit { sites: data.sites().clone(), ..TokenizerFit::default() };
        config.memory.half_lives_secs = half_lives::choose(columns, &fit, &split)?;
    }
    config.memory = config.memory.resolved();
    Ok(config.with_embargo())
}

/// The objectives of a run, checked against its tokenizer, its classes and the tokens of its memory.
pub(crate) fn objectives(
    config: &RunConfig,
    tokenizer: &Tokenizer,
    class_counts: Vec<usize>,
    token_rates: Vec<f64>,
) -> Result<Objectives, EmbeddingError> {
    let augmenter = Augmenter::new(tokenizer.clone(), config.augment.clone())?;
    let context =
        ObjectiveContext::of(tokenizer).with_views(augmenter).with_classes(class_counts).with_token_rates(token_rates);
    Ok(Objectives::new(config.objectives.clone(), context)?)
}

/// A run whose data are split and whose tokenizer is ready.
struct Setup<'a> {
    config: RunConfig,
    run: &'a RunFolder,
    tokenizer: Tokenizer,
    /// None for a resumed run of a build without a memory, and for one that starts from such a run.
    memory: Option<ClockedMemory>,
    tokens: Option<FitReport>,
    manifest: Manifest,
    trainer: Trainer,
    resume: Option<Checkpoint>,
}

impl<'a> Setup<'a> {
    fn prepare(job: TrainJob<'a>) -> Result<Self, EmbeddingError> {
        let trainer = Trainer::new(job.config.train.clone())?;
        if job.resume { Self::resumed(job, trainer) } else { Self::fresh(job, trainer) }
    }

    /// Everything is as it was when the run began, except for what was changed in its `config.toml`.
    fn resumed(job: TrainJob<'a>, trainer: Trainer) -> Result<Self, EmbeddingError> {
        let TrainJob { config, data, run, from, resume: _, provenance: _ } = job;
        let opened = Run::open(run.path())?;
        let checkpoint = opened.checkpoint()?;
        opened.require_data(data.path(), data.fingerprint())?;
        let manifest = opened.manifest().clone();
        if let Some(from) = from
            && from.manifest().weights != manifest.from
        {
            return Err(EmbeddingError::OtherStart { run: run.path().to_owned(), from: from.path().to_owned() });
        }
        let tokenizer = opened.tokenizer().clone().with_sites(data.sites());
        let memory = opened.memory().map(|memory| memory.clone().with_sites(data.sites()));
        Ok(Self { config, run, tokenizer, memory, tokens: None, manifest, trainer, resume: Some(checkpoint) })
    }

    fn fresh(job: TrainJob<'a>, trainer: Trainer) -> Result<Self, EmbeddingError> {
        let TrainJob { config, data, run, from, resume: _, provenance } = job;
        let config = with_memory(config, data, from)?;
        let earlier = from.map(Run::manifest);
        let split = match earlier {
            Some(earlier) if earlier.data == data.fingerprint() => earlier.split.clone(),
            Some(earlier) => data.split(&config.split)?.after(&earlier.split),
            None => data.split(&config.split)?,
        };
        let (tokenizer, memory, tokens) = if let Some(from) = from {
            let memory = from.memory().map(|memory| memory.clone().with_sites(data.sites()));
            (from.tokenizer().clone().with_sites(data.sites()), memory, None)
        } else {
            let (options, sites, registry) = (config.tokenizer.clone(), data.sites().clone(), data.registry());
            let fit = TokenizerFit { options, sites, registry: Some(registry.to_owned()) };
            let Learned { tokenizer, report, memory } = data.fit(&fit, &config.memory, &split)?;
            (tokenizer, Some(memory), Some(report))
        };
        run.create()?;
        let manifest = Manifest {
            format: Manifest::FORMAT,
            provenance,
            data: data.fingerprint().to_owned(),
            split,
            from: earlier.and_then(|earlier| earlier.weights.clone()),
            seed: config.train.seed,
            backend: config.backend.clone(),
            tokenizer: tokenizer.fingerprint(),
            classes: Vec::new(),
            memory: memory.as_ref().map(ClockedMemory::fingerprint),
            vector: None,
            weights: None,
            components: None,
            outcome: None,
            steps: 0,
        };
        Ok(Self { config, run, tokenizer, memory, tokens, manifest, trainer, resume: None })
    }

    /// Records what the run is made from, before its first step.
    fn start(&mut self, classes: Vec<String>) -> Result<(), EmbeddingError> {
        // The manifest of a resumed run describes the existing weights until new ones replace them.
        if self.resume.is_none() {
            self.manifest.classes = classes;
            // First, so that the folder is recognized as a run whatever happens next.
            self.run.save_manifest(&self.manifest)?;
        }
        self.run.save_setup(&self.config, &self.tokenizer, self.memory.as_ref())
    }

    /// Trains, and writes weights and manifest.
    fn train(
        self,
        engine: &dyn Engine,
        objectives: &Objectives,
        start: Option<&Weights>,
        data: TrainingSet<'_>,
        observer: &mut dyn Observer,
    ) -> Result<RunSummary, EmbeddingError> {
        let Self { config, run: folder, tokenizer, memory: _, tokens, mut manifest, trainer, resume } = self;
        let step = resume.as_ref().map_or(0, |checkpoint| checkpoint.state.step);
        let mut log = MetricsLog::open(&folder.metrics_path(), step, observer)?;
        let checkpoint_path = folder.checkpoint_path();
        let input = TrainingInput {
            trainer: &trainer,
            data,
            resume,
            checkpoint_path: &checkpoint_path,
            observer: &mut log,
            seed: config.train.seed,
        };
        let encoder = config.encoder.clone().expect("without an encoder nothing is trained");
        let shape = ModelShape::new(encoder, &tokenizer);
        let TrainingOutput { weights, outcome, state } = engine.train(&shape, objectives, start, input)?;
        log.finish()?;
        let n_parameters = weights.values().map(|tensor| tensor.values.len()).sum();
        // Before the first evaluation nobody knows whether any weights are better than the initial ones.
        if state.best_loss.is_some() {
            let metadata = format!("{} after {} steps", config.task.name(), state.step);
            manifest.weights = Some(folder.save_weights(&WeightFile { tensors: weights, metadata })?);
        }
        manifest.format = Manifest::FORMAT;
        manifest.backend.clone_from(&config.backend);
        manifest.outcome = Some(outcome);
        manifest.steps = state.step;
        folder.save_manifest(&manifest)?;
        Ok(RunSummary {
            outcome,
            steps: state.step,
            validation_loss: state.best_loss,
            vector: None,
            weights: manifest.weights,
            n_parameters,
            tokens,
        })
    }
}
