//! Pretraining and fine-tuning: from a data set to a run folder.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use spaxiom_encoder::{NamedTensor, WeightFile};
use spaxiom_eval::{Part, Split, SplitOptions};
use spaxiom_objective::{
    Checkpoint, Example, Labelled, Observer, Outcome, PretextName, Pretexts, Trainer, TrainingSet, Windows,
};
use spaxiom_token::{Augmenter, EventSpan, FitReport, Sites, Tokenizer, TokenizerFit};

use crate::config::{RunConfig, Task};
use crate::dataset::{Dataset, LabelledPart, PartData};
use crate::engine::{Engine, ModelShape, TrainingInput, TrainingOutput};
use crate::error::EmbeddingError;
use crate::metrics::MetricsLog;
use crate::neighbours::IndexNeighbours;
use crate::reduce;
use crate::run::{Manifest, Provenance, RunFolder};
use crate::shards::{ShardWindows, ShardedDataset};

/// What a tokenizer and an encoder are trained on.
pub(crate) trait TrainingData {
    fn path(&self) -> &Path;
    fn fingerprint(&self) -> &str;
    fn sites(&self) -> &Sites;
    fn registry(&self) -> &str;
    fn split(&self, options: &SplitOptions) -> Result<Split, EmbeddingError>;
    /// Learns a tokenizer from the training part.
    fn fit(&self, fit: &TokenizerFit, split: &Split) -> Result<(Tokenizer, FitReport), EmbeddingError>;
    /// A part, whole in memory.
    fn part_data(&self, split: &Split, part: Part, tokenizer: &Tokenizer) -> Result<PartData, EmbeddingError>;
}

impl TrainingData for Dataset {
    fn path(&self) -> &Path {
        self.path()
    }

    fn fingerprint(&self) -> &str {
        self.fingerprint()
    }

    fn sites(&self) -> &Sites {
        self.sites()
    }

    fn registry(&self) -> &str {
        self.registry()
    }

    fn split(&self, options: &SplitOptions) -> Result<Split, EmbeddingError> {
        self.split(options)
    }

    fn fit(&self, fit: &TokenizerFit, split: &Split) -> Result<(Tokenizer, FitReport), EmbeddingError> {
        Ok(fit.sequences(&self.part(split, Part::Train))?)
    }

    fn part_data(&self, split: &Split, part: Part, tokenizer: &Tokenizer) -> Result<PartData, EmbeddingError> {
        Ok(self.part_data(split, part, tokenizer))
    }
}

/// A pretraining run to be started or resumed, on a [`Dataset`] or a [`crate::ShardedDataset`].
pub struct PretrainJob<'a, D = Dataset> {
    /// The settings; of a resumed run those in its folder.
    pub config: RunConfig,
    /// The data.
    pub data: &'a D,
    /// The folder.
    pub run: &'a RunFolder,
    /// Whether to go on from the folder's checkpoint.
    pub resume: bool,
    /// The program.
    pub provenance: Provenance,
}

/// A fine-tuning run to be started or resumed.
pub struct FinetuneJob<'a> {
    /// The pretrained run; none for a classifier from scratch.
    pub from: Option<&'a RunFolder>,
    /// Everything else.
    pub job: PretrainJob<'a>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// Finished, stopped early or interrupted.
    pub outcome: Outcome,
    /// Steps done.
    pub steps: u64,
    /// The lowest loss on the validation part.
    pub validation_loss: Option<f64>,
    /// SHA-256 of `model.safetensors`; none where the run was stopped before its first evaluation.
    pub weights: Option<String>,
    /// Number of weights.
    pub n_parameters: usize,
    /// What the tokenizer learnt; none where it came with the run.
    pub tokens: Option<FitReport>,
}

/// Learns a tokenizer and trains an encoder by the objectives of the configuration.
pub fn pretrain(
    job: PretrainJob<'_>,
    engine: &dyn Engine,
    observer: &mut dyn Observer,
) -> Result<RunSummary, EmbeddingError> {
    let data = job.data;
    let mut setup = Setup::prepare(job, None)?;
    let pretexts = pretexts(&setup.config, &setup.tokenizer)?;
    let max_len = setup.config.encoder.max_len();
    let (train_part, validation) = (setup.part(data, Part::Train), setup.part(data, Part::Validation));
    let has_views = setup.config.objectives.keys().copied().any(PretextName::needs_views);
    let train = windows(&train_part, max_len, has_views);
    let validation = windows(&validation, max_len, has_views).in_order();
    let shape = setup.shape();
    setup.start(Vec::new())?;
    let (run, reduce_to) = (setup.run, setup.config.reduce_to);
    let summary = setup.train(
        observer,
        |input| engine.pretrain(&shape, &pretexts, input),
        TrainingSet { train: &train, validation: &validation, neighbours: Some(&IndexNeighbours) },
    )?;
    reduced(summary, run, reduce_to, engine, &train_part)
}

/// The same with data larger than memory: the files of the training part come one after the other, in another order in every epoch.
///
/// # Errors
/// [`EmbeddingError::Unfit`] for a run with `reduce-to`, whose components are learnt from all training vectors.
pub fn pretrain_sharded(
    job: PretrainJob<'_, ShardedDataset>,
    engine: &dyn Engine,
    observer: &mut dyn Observer,
) -> Result<RunSummary, EmbeddingError> {
    if job.config.reduce_to.is_some() {
        return Err(EmbeddingError::Unfit {
            objective: "of `reduce-to`",
            want: "all data in memory: leave `--stream` out",
        });
    }
    let data = job.data;
    let mut setup = Setup::prepare(job, None)?;
    let pretexts = pretexts(&setup.config, &setup.tokenizer)?;
    let max_len = setup.config.encoder.max_len();
    let has_views = setup.config.objectives.keys().copied().any(PretextName::needs_views);
    let (split, tokenizer) = (setup.manifest.split.clone(), setup.tokenizer.clone());
    let validation = data.part_data(&split, Part::Validation, &tokenizer)?;
    let validation = windows(&validation, max_len, has_views).in_order();
    let train = ShardWindows { data, split: &split, tokenizer: &tokenizer, max_len, has_views };
    let shape = setup.shape();
    setup.start(Vec::new())?;
    setup.train(
        observer,
        |input| engine.pretrain(&shape, &pretexts, input),
        TrainingSet { train: &train, validation: &validation, neighbours: Some(&IndexNeighbours) },
    )
}

/// The objectives of a run.
pub(crate) fn pretexts(config: &RunConfig, tokenizer: &Tokenizer) -> Result<Pretexts, EmbeddingError> {
    let augmenter = Augmenter::new(tokenizer.clone(), config.augment.clone())?;
    Ok(Pretexts::new(config.pretexts(tokenizer)?, Some(augmenter))?)
}

/// The windows of a part, with their events where views are made of them.
pub(crate) fn windows(part: &PartData, max_len: usize, has_views: bool) -> Windows<'_> {
    let windows = Windows::new(&part.tokens, max_len);
    if has_views { windows.with_events(part.sequences.iter().map(EventSpan::whole).collect()) } else { windows }
}

/// Learns the principal components of a run that wants them, once it has weights.
fn reduced(
    summary: RunSummary,
    run: &RunFolder,
    reduce_to: Option<usize>,
    engine: &dyn Engine,
    train: &PartData,
) -> Result<RunSummary, EmbeddingError> {
    if let (Some(n_components), Some(_)) = (reduce_to, &summary.weights) {
        let components = reduce::fit(run.whole_encoder(engine)?.as_ref(), &train.tokens, n_components)?;
        let components = Some(run.save_components(&components)?);
        run.save_manifest(&Manifest { components, ..run.manifest()? })?;
    }
    Ok(summary)
}

/// Trains a classifier for the labels of the data on a pretrained encoder.
pub fn finetune(
    job: FinetuneJob<'_>,
    engine: &dyn Engine,
    observer: &mut dyn Observer,
) -> Result<RunSummary, EmbeddingError> {
    let FinetuneJob { from, job } = job;
    let start = from.map(RunFolder::weights).transpose()?.map(|file| file.tensors);
    let data = job.data;
    let mut setup = Setup::prepare(job, from)?;
    let classes = data.classes(&setup.manifest.split)?;
    let (train_part, validation) = (setup.part(data, Part::Train), setup.part(data, Part::Validation));
    let (train_labels, mut validation_labels) = (
        setup.labelled(data, Part::Train, &train_part, &classes),
        setup.labelled(data, Part::Validation, &validation, &classes),
    );
    validation_labels = validation_labels.spread(setup.config.classify.validation_examples);
    let max_len = setup.config.encoder.max_len();
    let examples = examples(&train_part, &train_labels, classes.len(), max_len);
    let known: Vec<usize> = examples.iter().filter_map(|example| example.class).collect();
    let train = Labelled::new(examples, setup.config.classify.examples_per_epoch);
    let validation = self::examples(&validation, &validation_labels, classes.len(), max_len);
    let shape = setup.shape();
    let costs = setup.config.classify.costs(&known, classes.len());
    setup.start(classes)?;
    let (run, reduce_to) = (setup.run, setup.config.reduce_to);
    let train_classifier = |input: TrainingInput<'_>| engine.train_classifier(&shape, costs, start.as_ref(), input);
    let summary = setup.train(observer, train_classifier, TrainingSet::new(&train, &validation))?;
    reduced(summary, run, reduce_to, engine, &train_part)
}

/// The windows of labelled events; those whose label training never saw teach nothing.
fn examples<'a>(data: &'a PartData, labelled: &LabelledPart, n_classes: usize, max_len: usize) -> Vec<Example<'a>> {
    let known = labelled.places.iter().zip(&labelled.classes).filter(|(_, class)| **class < n_classes);
    known.map(|(&place, &class)| Example::of_class(data.context(place, max_len), class)).collect()
}

/// A run whose data are split and whose tokenizer is there.
struct Setup<'a> {
    config: RunConfig,
    run: &'a RunFolder,
    tokenizer: Tokenizer,
    tokens: Option<FitReport>,
    manifest: Manifest,
    trainer: Trainer,
    resume: Option<Checkpoint>,
}

impl<'a> Setup<'a> {
    fn prepare<D: TrainingData>(job: PretrainJob<'a, D>, from: Option<&RunFolder>) -> Result<Self, EmbeddingError> {
        if job.resume { Self::resumed(job, from) } else { Self::fresh(job, from) }
    }

    /// Everything is as it was when the run began, but for what a person changed in its `config.toml`.
    fn resumed<D: TrainingData>(job: PretrainJob<'a, D>, from: Option<&RunFolder>) -> Result<Self, EmbeddingError> {
        let PretrainJob { config, data, run, resume: _, provenance: _ } = job;
        config.check()?;
        let trainer = Trainer::new(config.train.clone())?;
        let (tokenizer, checkpoint, manifest) = (run.tokenizer()?, run.checkpoint()?, run.manifest()?);
        run.require_data(data)?;
        if let Some(from) = from
            && from.manifest()?.weights != manifest.from
        {
            return Err(EmbeddingError::OtherStart { run: run.path().to_owned(), from: from.path().to_owned() });
        }
        let tokenizer = tokenizer.with_sites(data.sites());
        Ok(Self { config, run, tokenizer, tokens: None, manifest, trainer, resume: Some(checkpoint) })
    }

    fn fresh<D: TrainingData>(job: PretrainJob<'a, D>, from: Option<&RunFolder>) -> Result<Self, EmbeddingError> {
        let PretrainJob { config, data, run, resume: _, provenance } = job;
        config.check()?;
        let trainer = Trainer::new(config.train.clone())?;
        let earlier = from.map(RunFolder::manifest).transpose()?;
        let split = match &earlier {
            Some(earlier) if earlier.data == data.fingerprint() => earlier.split.clone(),
            Some(earlier) => data.split(&config.split)?.after(&earlier.split),
            None => data.split(&config.split)?,
        };
        let (tokenizer, tokens) = if let Some(from) = from {
            (from.tokenizer()?.with_sites(data.sites()), None)
        } else {
            let (options, sites, registry) = (config.tokenizer.clone(), data.sites().clone(), data.registry());
            let fit = TokenizerFit { options, sites, registry: Some(registry.to_owned()) };
            let (tokenizer, report) = data.fit(&fit, &split)?;
            (tokenizer, Some(report))
        };
        run.create()?;
        let manifest = Manifest {
            format: Manifest::FORMAT,
            provenance,
            data: data.fingerprint().to_owned(),
            split,
            from: earlier.and_then(|earlier| earlier.weights),
            seed: config.train.seed,
            backend: config.backend.clone(),
            tokenizer: tokenizer.fingerprint(),
            classes: Vec::new(),
            weights: None,
            components: None,
            outcome: None,
            steps: 0,
        };
        Ok(Self { config, run, tokenizer, tokens, manifest, trainer, resume: None })
    }

    fn part(&self, data: &Dataset, part: Part) -> PartData {
        data.part_data(&self.manifest.split, part, &self.tokenizer)
    }

    fn labelled(&self, data: &Dataset, part: Part, of_part: &PartData, classes: &[String]) -> LabelledPart {
        data.labelled(&self.manifest.split, part, of_part, classes, self.config.encoder.max_len())
    }

    fn shape(&self) -> ModelShape {
        ModelShape::new(self.config.encoder.clone(), &self.tokenizer)
    }

    /// Writes down what the run is made from, before its first step.
    fn start(&mut self, classes: Vec<String>) -> Result<(), EmbeddingError> {
        // The manifest of a resumed run describes the weights that are there until new ones take their place.
        if self.resume.is_none() {
            self.manifest.classes = classes;
            // First of all, so that the folder is known for a run whatever happens next.
            self.run.save_manifest(&self.manifest)?;
        }
        self.run.save_setup(&self.config, &self.tokenizer)
    }

    /// Trains, and writes weights and manifest.
    fn train(
        self,
        observer: &mut dyn Observer,
        run: impl FnOnce(TrainingInput<'_>) -> Result<TrainingOutput, EmbeddingError>,
        data: TrainingSet<'_>,
    ) -> Result<RunSummary, EmbeddingError> {
        let Self { config, run: folder, tokens, mut manifest, trainer, resume, .. } = self;
        let step = resume.as_ref().map_or(0, |checkpoint| checkpoint.state.step);
        let mut log = MetricsLog::open(&folder.metrics_path(), step, observer)?;
        let checkpoint_path = folder.checkpoint_path();
        let seed = config.train.seed;
        let input = TrainingInput {
            trainer: &trainer,
            data,
            resume,
            checkpoint_path: &checkpoint_path,
            observer: &mut log,
            seed,
        };
        let TrainingOutput { weights, outcome, state } = run(input)?;
        log.finish()?;
        let n_parameters = n_parameters(&weights);
        // Before the first evaluation nobody knows whether any weights are better than the first ones.
        if state.best_loss.is_some() {
            let metadata = format!("{} after {} steps", config.task.name(), state.step);
            manifest.weights = Some(folder.save_weights(&WeightFile { tensors: weights, metadata })?);
        }
        manifest.backend.clone_from(&config.backend);
        manifest.outcome = Some(outcome);
        manifest.steps = state.step;
        folder.save_manifest(&manifest)?;
        Ok(RunSummary {
            outcome,
            steps: state.step,
            validation_loss: state.best_loss,
            weights: manifest.weights,
            n_parameters,
            tokens,
        })
    }
}

fn n_parameters(weights: &BTreeMap<String, NamedTensor>) -> usize {
    weights.values().map(|tensor| tensor.values.len()).sum()
}

impl PretrainJob<'_> {
    /// The settings of a run that is to be resumed, from its folder.
    pub fn resumed_config(run: &RunFolder, task: Task) -> Result<RunConfig, EmbeddingError> {
        let config = run.config()?;
        if config.task != task {
            let missing = "a checkpoint of this task";
            return Err(EmbeddingError::NoRun { path: run.path().to_owned(), missing });
        }
        Ok(config)
    }
}
