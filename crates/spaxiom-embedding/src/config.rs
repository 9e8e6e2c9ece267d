//! The configuration of a run: what a person writes, merged over a preset, and archived with every value.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_encoder::{EncoderError, EncoderKind, EventEncoderConfig, Preset};
use spaxiom_eval::SplitOptions;
use spaxiom_objective::{
    ClassCosts, ContrastOptions, JigsawOptions, LinkPredictionOptions, MaskingOptions, NextEventFields,
    NextEventOptions, ObjectiveError, PretextName, PretextOptions, TrainOptions, TripletOptions,
};
use spaxiom_token::{AugmentOptions, LayoutName, Tokenizer, TokenizerOptions};

use crate::error::EmbeddingError;

/// Tokens of an event in the flat layout, roughly: windows are so many times as long.
const FLAT_TOKENS: usize = 4;

/// What a run learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// What the events themselves teach.
    Pretrain,
    /// To tell the labels of the data.
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
}

/// How much the examples of a class count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// Every example counts the same.
    #[default]
    Equal,
    /// Every class counts the same, however few examples it has.
    Balanced,
}

/// What may be set about a classification run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ClassifyOptions {
    /// Labelled windows of an epoch; 8,000.
    pub examples_per_epoch: usize,
    /// Labelled windows of the validation part that an evaluation looks at, evenly spread; 2,000.
    pub validation_examples: usize,
    /// How much the examples of a class count; `equal`.
    pub class_weights: ClassWeights,
    /// The exponent of the focal loss, under which examples that are told already count less; 0 for cross-entropy.
    pub focal_gamma: f64,
}

impl Default for ClassifyOptions {
    fn default() -> Self {
        Self {
            examples_per_epoch: 8_000,
            validation_examples: 2_000,
            class_weights: ClassWeights::default(),
            focal_gamma: 0.0,
        }
    }
}

impl ClassifyOptions {
    /// What mistakes cost, where training has examples of these classes.
    pub(crate) fn costs(&self, classes: &[usize], n_classes: usize) -> ClassCosts {
        let costs = match self.class_weights {
            ClassWeights::Equal => ClassCosts::equal(n_classes),
            ClassWeights::Balanced => ClassCosts::balanced(classes, n_classes),
        };
        ClassCosts { focal_gamma: self.focal_gamma, ..costs }
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
    /// Numbers of a vector, by principal components of the training part; none for all that the encoder gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce_to: Option<usize>,
    /// How events become tokens.
    pub tokenizer: TokenizerOptions,
    /// Which sites and days are for what.
    pub split: SplitOptions,
    /// Which encoder, and its shape.
    pub encoder: EventEncoderConfig,
    /// What pretraining predicts or compares, and how much each counts; `{ mep = 1.0 }`.
    #[serde(default = "masked_events_alone")]
    pub objectives: BTreeMap<PretextName, f64>,
    /// Next-event prediction.
    #[serde(default)]
    pub next_event: NextEventOptions,
    /// Masked event prediction, and the share of hidden nodes.
    pub masking: MaskingOptions,
    /// Jigsaw.
    #[serde(default)]
    pub jigsaw: JigsawOptions,
    /// Link prediction.
    #[serde(default)]
    pub link_prediction: LinkPredictionOptions,
    /// The views of `info-nce` and `triplet`.
    #[serde(default)]
    pub augment: AugmentOptions,
    /// `InfoNCE`.
    #[serde(default)]
    pub contrast: ContrastOptions,
    /// Triplets.
    #[serde(default)]
    pub triplet: TripletOptions,
    /// Classification.
    pub classify: ClassifyOptions,
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
            split: SplitOptions::default(),
            encoder: EventEncoderConfig::preset(EncoderKind::Transformer, preset),
            objectives: masked_events_alone(),
            next_event: NextEventOptions::default(),
            masking: MaskingOptions::default(),
            jigsaw: JigsawOptions::default(),
            link_prediction: LinkPredictionOptions::default(),
            augment: AugmentOptions::default(),
            contrast: ContrastOptions::default(),
            triplet: TripletOptions::default(),
            classify: ClassifyOptions::default(),
            train,
        }
    }

    /// The same settings for another layout of tokens; an event has several positions in the flat one.
    #[must_use]
    pub fn with_tokens(mut self, layout: LayoutName) -> Self {
        if layout == LayoutName::Flat && self.tokenizer.layout != layout {
            let max_len = self.encoder.max_len() * FLAT_TOKENS;
            self.encoder = self.encoder.with_max_len(max_len);
        }
        self.tokenizer.layout = layout;
        self
    }

    /// The same settings for another encoder, of the size of the preset; windows stay as long as they are.
    #[must_use]
    pub fn with_encoder(mut self, kind: EncoderKind) -> Self {
        if self.encoder.kind() != kind {
            let max_len = self.encoder.max_len();
            self.encoder = EventEncoderConfig::preset(kind, self.preset).with_max_len(max_len);
        }
        if self.encoder.needs_edges() {
            self.tokenizer.links.get_or_insert_default();
        }
        self
    }

    /// The same settings with these objectives, each counting 1, and an encoder and tokens that they can do something with.
    #[must_use]
    pub fn with_objectives(mut self, names: &[PretextName]) -> Self {
        self.objectives = names.iter().map(|name| (*name, 1.0)).collect();
        if names.contains(&PretextName::Nep) {
            self.encoder = self.encoder.without_future();
        }
        if names.contains(&PretextName::Link) {
            self.tokenizer.links.get_or_insert_default();
        }
        self
    }

    /// The settings of all objectives.
    ///
    /// # Errors
    /// [`ObjectiveError::Setting`] for a field that events do not have.
    pub(crate) fn pretexts(&self, tokenizer: &Tokenizer) -> Result<PretextOptions, ObjectiveError> {
        let names: Vec<&str> = tokenizer.fields().iter().map(|field| &*field.name).collect();
        let place = |wanted: &String| {
            names.iter().position(|name| name == wanted).ok_or_else(|| ObjectiveError::Setting {
                name: "next-event.fields",
                want: "fields that events have",
                got: format!("{wanted}; there are {}", names.join(", ")),
            })
        };
        let mut predicted = self.next_event.fields.iter().map(place).collect::<Result<Vec<usize>, _>>()?;
        predicted.sort_unstable();
        predicted.dedup();
        Ok(PretextOptions {
            weights: self.objectives.clone(),
            next_event: self.next_event.clone(),
            next_event_fields: NextEventFields { predicted, what: tokenizer.what_field() },
            masking: self.masking.clone(),
            jigsaw: self.jigsaw.clone(),
            links: self.link_prediction.clone(),
            contrast: self.contrast.clone(),
            triplet: self.triplet.clone(),
        })
    }

    /// Fails where an objective has nothing to learn, or is told what it has to say.
    fn check_objectives(&self) -> Result<(), EmbeddingError> {
        let layout = self.tokenizer.layout;
        let unfit = |objective, want| Err(EmbeddingError::Unfit { objective, want });
        for name in self.objectives.keys() {
            match name {
                PretextName::Nep if !self.encoder.sees_no_future() => {
                    return unfit(
                        "nep",
                        "an encoder that reads from the past alone: `gru`, `lstm` with `bidirectional = false`, or `transformer` with `causal = true` and `ages = false`",
                    );
                }
                PretextName::Nep if layout == LayoutName::Flat && !self.next_event.fields.is_empty() => {
                    return unfit("nep with `next-event.fields`", "a position per event: tokens `composite` or `bins`");
                }
                PretextName::Link if self.tokenizer.links.is_none() => {
                    return unfit("link", "edges between events: add `[tokenizer.links]`");
                }
                PretextName::Jigsaw if layout == LayoutName::Flat => {
                    return unfit("jigsaw", "tokens that keep times apart: `composite` or `bins`");
                }
                PretextName::Jigsaw if self.encoder.kind() == EncoderKind::Gnn => {
                    return unfit(
                        "jigsaw",
                        "an encoder that hears other events without edges, which tell the order: any but `gnn`",
                    );
                }
                name if name.needs_views() && layout != LayoutName::Composite => {
                    return unfit("info-nce or triplet", "a position per event: tokens `composite`");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Fails where the encoder is impossible, or reads what the tokenizer does not give.
    pub fn check(&self) -> Result<(), EmbeddingError> {
        self.encoder.check()?;
        if self.encoder.needs_edges() && self.tokenizer.links.is_none() {
            return Err(EmbeddingError::NoEdges);
        }
        self.check_objectives()?;
        if !(self.classify.focal_gamma >= 0.0 && self.classify.focal_gamma.is_finite()) {
            let (name, got) = ("classify.focal-gamma", self.classify.focal_gamma.to_string());
            return Err(ObjectiveError::Setting { name, want: "0 or more", got }.into());
        }
        if let Some(n) = self.reduce_to.filter(|n| !(1..=self.encoder.d_model()).contains(n)) {
            let want = "from 1 to the width of the encoder";
            return Err(EncoderError::Setting { name: "reduce-to", want, got: n.to_string() }.into());
        }
        Ok(())
    }

    /// The settings of a fine-tuning run that starts from a run with these settings.
    #[must_use]
    pub fn for_classify(&self) -> Self {
        let train = TrainOptions { seed: self.train.seed, ..Self::preset(self.preset, Task::Classify).train };
        Self { task: Task::Classify, train, ..self.clone() }
    }

    /// Reads an experiment file: any values, over those of the preset that it names (`tiny` where it names none).
    ///
    /// # Errors
    /// [`EmbeddingError::Config`] for a member that does not exist or has another type.
    pub fn from_file(path: &Path, task: Task) -> Result<Self, EmbeddingError> {
        let text = fs_err::read_to_string(path)?;
        Self::from_toml(&text, task)
            .map_err(|source| EmbeddingError::Config { path: path.to_owned(), source: Box::new(source) })
    }

    fn from_toml(text: &str, task: Task) -> Result<Self, toml::de::Error> {
        let written: toml::Table = toml::from_str(text)?;
        let preset = written.get("preset").map_or(Ok(Preset::Tiny), |preset| preset.clone().try_into())?;
        if let Some(toml::Value::String(kind)) = written.get("encoder") {
            let advice = format!("an encoder is a section: write [encoder] and below it kind = \"{kind}\"");
            return Err(serde::de::Error::custom(advice));
        }
        let kind = written.get("encoder").and_then(|encoder| encoder.get("kind"));
        let kind = kind.map_or(Ok(EncoderKind::Transformer), |kind| kind.clone().try_into())?;
        let preset = Self::preset(preset, task).with_encoder(kind);
        let mut merged = toml::Table::try_from(preset).expect("a preset is plain data");
        // Whoever names objectives wants these and no others.
        if written.contains_key("objectives") {
            merged.remove("objectives");
        }
        merge(&mut merged, written);
        merged.try_into()
    }

    /// The file that is kept with the run: every value written out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a configuration is plain data")
    }
}

fn masked_events_alone() -> BTreeMap<PretextName, f64> {
    [(PretextName::Mep, 1.0)].into()
}

/// Shorter and gentler than pretraining, and it stops sooner: a labelled part is soon learnt by heart.
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
