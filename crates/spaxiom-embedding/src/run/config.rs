//! The configuration of a run: what a person writes, merged over a preset, and archived with every value.

use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_encoder::{EncoderError, EncoderKind, EventEncoderConfig, Preset};
use spaxiom_eval::SplitOptions;
use spaxiom_objective::{ModelSetting, ObjectiveName, ObjectiveSet, TrainOptions};
use spaxiom_token::{AugmentOptions, LayoutName, MemoryOptions, TokenizerOptions};

use super::config_format;
use crate::error::EmbeddingError;
use crate::vector::VectorOptions;

/// Half-lives of an embargo: after five of them 3 % of a count are left.
const EMBARGO_HALF_LIVES: f64 = 5.0;

/// The kind of an encoder that is none.
const MEMORY: &str = "memory";

/// Approximate number of tokens per event in the flat layout: windows are longer by this factor.
const FLAT_TOKENS: usize = 4;

/// What a run learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Pretraining, without labels.
    Pretrain,
    /// Classification of the labels of the data.
    Classify,
}

impl Task {
    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pretrain => "pretrain",
            Self::Classify => "classify",
        }
    }

    fn default_objective(self) -> ObjectiveName {
        match self {
            Self::Pretrain => ObjectiveName::Mep,
            Self::Classify => ObjectiveName::Classify,
        }
    }
}

/// Every setting of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunConfig {
    /// The preset that the other values started from.
    pub preset: Preset,
    /// What the run learns.
    pub task: Task,
    /// The backend's name.
    pub backend: String,
    /// Reduce vectors to this many dimensions with PCA fitted on the training split; all dimensions of the encoder if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce_to: Option<usize>,
    /// How events become tokens.
    pub tokenizer: TokenizerOptions,
    /// What the memory beside the encoder counts.
    #[serde(default)]
    pub memory: MemoryOptions,
    /// How encoder and memory become one vector.
    #[serde(default)]
    pub vector: VectorOptions,
    /// Which sites and days are for training, validation and test.
    pub split: SplitOptions,
    /// Which encoder, and its shape; none where vectors are memory alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EventEncoderConfig>,
    /// The objectives and their weights; masked event prediction alone.
    pub objectives: ObjectiveSet,
    /// The views of `info-nce` and `triplet`.
    #[serde(default)]
    pub augment: AugmentOptions,
    /// The training loop.
    pub train: TrainOptions,
}

impl RunConfig {
    /// The defaults of a preset for a task.
    #[must_use]
    pub fn preset(preset: Preset, task: Task) -> Self {
        let (max_steps, learning_rate) = match preset {
            Preset::Tiny => (800, 2e-3),
            Preset::Small => (4_000, 5e-4),
            Preset::Base => (20_000, 1e-4),
        };
        let train = match task {
            Task::Pretrain => TrainOptions { max_steps, learning_rate, ..TrainOptions::default() },
            Task::Classify => finetuning(max_steps, learning_rate),
        };
        Self {
            preset,
            task,
            backend: "flex".into(),
            reduce_to: None,
            tokenizer: TokenizerOptions::default(),
            memory: MemoryOptions::default(),
            vector: VectorOptions::default(),
            split: SplitOptions::default(),
            encoder: Some(EventEncoderConfig::preset(EncoderKind::Transformer, preset)),
            objectives: ObjectiveSet::default().pick(&[task.default_objective()]),
            augment: AugmentOptions::default(),
            train,
        }
    }

    /// The same settings for another layout of tokens; an event has several positions in the flat one.
    #[must_use]
    pub fn with_tokens(mut self, layout: LayoutName) -> Self {
        if layout == LayoutName::Flat && self.tokenizer.layout != layout {
            self.encoder = self.encoder.map(|encoder| {
                let max_len = encoder.max_len() * FLAT_TOKENS;
                encoder.with_max_len(max_len)
            });
        }
        self.tokenizer.layout = layout;
        self
    }

    /// The same settings for another encoder, of the size of the preset; windows stay as long as they are.
    #[must_use]
    pub fn with_encoder(mut self, kind: EncoderKind) -> Self {
        let encoder = self.encoder.take();
        let encoder = encoder.unwrap_or_else(|| EventEncoderConfig::preset(kind, self.preset));
        let encoder = if encoder.kind() == kind {
            encoder
        } else {
            EventEncoderConfig::preset(kind, self.preset).with_max_len(encoder.max_len())
        };
        if encoder.needs_edges() {
            self.tokenizer.links.get_or_insert_default();
        }
        self.encoder = Some(encoder);
        self
    }

    /// The same settings with vectors that are memory alone: nothing is trained.
    #[must_use]
    pub fn with_memory_alone(self) -> Self {
        Self { encoder: None, ..self }
    }

    /// The same settings with an embargo that outlasts the memory.
    pub(crate) fn with_embargo(mut self) -> Self {
        let hours = EMBARGO_HALF_LIVES * self.memory.longest_half_life_secs() / 3_600.0;
        self.split.embargo_hours = self.split.embargo_hours.max(hours);
        self
    }

    /// The longest window in positions; 1 without an encoder.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.encoder.as_ref().map_or(1, EventEncoderConfig::max_len)
    }

    /// The same settings with these objectives, equally weighted, and with an encoder and tokens that fit them.
    #[must_use]
    pub fn with_objectives(mut self, names: &[ObjectiveName]) -> Self {
        self.objectives = self.objectives.pick(names).with_equal_weights();
        if let Some(encoder) = &mut self.encoder {
            self.objectives.adapt(encoder, &mut self.tokenizer);
        }
        self
    }

    /// Fails if an objective does not belong to the task, or cannot work with encoder and tokens.
    fn check_objectives(&self, encoder: &EventEncoderConfig) -> Result<(), EmbeddingError> {
        let has_classes = self.objectives.names().iter().any(|name| name.needs_classes());
        if has_classes != (self.task == Task::Classify) {
            let (objective, want) = match self.task {
                Task::Pretrain => ("classify", "labels: train it with `finetune`"),
                Task::Classify => ("of a classification run", "`[objectives.classify]`"),
            };
            return Err(EmbeddingError::Unfit { objective, want });
        }
        Ok(self.objectives.require(ModelSetting { encoder, tokenizer: &self.tokenizer })?)
    }

    /// Fails if the encoder is impossible, or reads what the tokenizer does not give, or an objective does not fit.
    pub fn check(&self) -> Result<(), EmbeddingError> {
        if self.vector.memory_width == 0 {
            return Err(EncoderError::Setting { name: "memory-width", want: "1 or more", got: "0".into() }.into());
        }
        let Some(encoder) = &self.encoder else { return self.check_memory_alone() };
        encoder.check()?;
        if encoder.needs_edges() && self.tokenizer.links.is_none() {
            return Err(EmbeddingError::NoEdges);
        }
        self.check_objectives(encoder)?;
        if let Some(n) = self.reduce_to.filter(|n| !(1..=encoder.d_model()).contains(n)) {
            let want = "from 1 to the width of the encoder";
            return Err(EncoderError::Setting { name: "reduce-to", want, got: n.to_string() }.into());
        }
        Ok(())
    }

    fn check_memory_alone(&self) -> Result<(), EmbeddingError> {
        if self.task != Task::Pretrain {
            return Err(EmbeddingError::NoEncoder {
                what: "fine-tuning needs an encoder: start it from a run that was trained",
            });
        }
        if self.reduce_to.is_some() {
            return Err(EmbeddingError::NoEncoder {
                what: "`reduce-to` is about its vectors: set `[vector] memory-width`",
            });
        }
        Ok(())
    }

    /// The settings of a fine-tuning run that starts from a run with these settings.
    #[must_use]
    pub fn for_classify(&self) -> Self {
        let train = TrainOptions { seed: self.train.seed, ..Self::preset(self.preset, Task::Classify).train };
        let objectives = self.objectives.pick(&[ObjectiveName::Classify]);
        Self { task: Task::Classify, objectives, train, ..self.clone() }
    }

    /// Reads an experiment file: any values, over those of the preset that it names (`tiny` by default).
    ///
    /// # Errors
    /// [`EmbeddingError::Config`] for a member that does not exist or has another type.
    pub fn from_file(path: &Path, task: Task) -> Result<Self, EmbeddingError> {
        Self::read(path, |text| Self::from_toml(text, task))
    }

    /// Reads an experiment file: any values, over those of this configuration.
    ///
    /// # Errors
    /// As [`RunConfig::from_file`].
    pub fn with_file(&self, path: &Path) -> Result<Self, EmbeddingError> {
        Self::read(path, |text| self.merged(toml::from_str(text)?))
    }

    /// Reads the archived file of a run, of this format or an older one.
    pub(crate) fn archived(path: &Path) -> Result<Self, EmbeddingError> {
        Self::read(path, |text| config_format::upgraded(toml::from_str(text)?).try_into())
    }

    fn read(path: &Path, parse: impl Fn(&str) -> Result<Self, toml::de::Error>) -> Result<Self, EmbeddingError> {
        parse(&fs_err::read_to_string(path)?)
            .map_err(|source| EmbeddingError::Config { path: path.to_owned(), source: Box::new(source) })
    }

    fn from_toml(text: &str, task: Task) -> Result<Self, toml::de::Error> {
        let mut written: toml::Table = toml::from_str(text)?;
        let preset = written.get("preset").map_or(Ok(Preset::Tiny), |preset| preset.clone().try_into())?;
        if let Some(toml::Value::String(kind)) = written.get("encoder") {
            let advice = format!("an encoder is a section: write [encoder] and below it kind = \"{kind}\"");
            return Err(serde::de::Error::custom(advice));
        }
        let kind = written.get("encoder").and_then(|encoder| encoder.get("kind"));
        let mut base = Self::preset(preset, task);
        if kind.and_then(toml::Value::as_str) == Some(MEMORY) {
            written.remove("encoder");
            base = base.with_memory_alone();
        } else {
            let kind = kind.map_or(Ok(EncoderKind::Transformer), |kind| kind.clone().try_into())?;
            base = base.with_encoder(kind);
        }
        // Whoever names objectives wants these and no others.
        if written.contains_key("objectives") {
            base.objectives = ObjectiveSet::default();
        }
        base.merged(written)
    }

    fn merged(&self, written: toml::Table) -> Result<Self, toml::de::Error> {
        if let Some(advice) = config_format::moved(&written) {
            return Err(serde::de::Error::custom(advice));
        }
        let mut merged = toml::Table::try_from(self).expect("a configuration is plain data");
        merge(&mut merged, written);
        merged.try_into()
    }

    /// The file that is kept with the run: every value written out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a configuration is plain data")
    }
}

/// Shorter and with smaller steps than pretraining, and with less patience: labeled data are soon overfitted.
fn finetuning(max_steps: u64, learning_rate: f64) -> TrainOptions {
    TrainOptions {
        max_steps: max_steps / 2,
        learning_rate: learning_rate / 2.0,
        evaluate_every: 25,
        patience: 4,
        ..TrainOptions::default()
    }
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
