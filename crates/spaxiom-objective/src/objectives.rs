//! The objectives: one file each, and one row each in the table at the end.
//!
//! From the table follow the names, the sections of an experiment file, and the weighted sum of several objectives.

mod classification;
mod future;
mod info_nce;
mod jigsaw;
mod link_prediction;
mod masked_event;
mod next_event;
mod node_attribute;
mod past;
mod triplet;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventEncoderConfig};
use spaxiom_token::TokenizerOptions;

pub use self::classification::{
    ClassWeights, Classification, ClassificationBatch, ClassificationOptions, ClassificationTask,
};
pub use self::future::{Future, FutureBatch, FutureOptions, FutureTask};
pub use self::info_nce::{InfoNce, InfoNceOptions};
pub use self::jigsaw::{Jigsaw, JigsawBatch, JigsawOptions, JigsawTask};
pub use self::link_prediction::{LinkPrediction, LinkPredictionBatch, LinkPredictionOptions, LinkPredictionTask};
pub use self::masked_event::{MaskedEvent, MaskedEventOptions, MaskedEventTask};
pub use self::next_event::{NextEvent, NextEventBatch, NextEventOptions, NextEventTask};
pub use self::node_attribute::{NodeAttribute, NodeAttributeOptions, NodeAttributeTask};
pub use self::past::{Past, PastBatch, PastOptions, PastTask};
pub use self::triplet::{Mining, Triplet, TripletOptions};
use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::losses::scalar;
use crate::metric::Metric;
use crate::objective::{Backward, Batch, Compared, Loss, ModelSetting, Objective, ObjectiveOptions, Preparer, Purpose};

/// Examples for the tasks of all objectives.
struct Preparation<'a, 'e> {
    examples: &'a [Example<'e>],
    purpose: Purpose,
    rng: &'a mut ChaCha8Rng,
}

impl Preparation<'_, '_> {
    fn of<T: Preparer>(&mut self, task: Option<&T>) -> Option<T::Batch> {
        Some(task?.prepare(self.examples, self.purpose, self.rng))
    }
}

/// The losses of a batch, on their way to a weighted sum.
struct Sum<'a, 'b, B: Backend, E> {
    encoder: &'a E,
    device: &'a B::Device,
    backward: Option<&'a mut Backward<'b, B>>,
    /// By the number of the objective.
    weights: &'a [f64],
    losses: Vec<(ObjectiveName, Loss<B>)>,
}

impl<B: Backend, E: Encoder<B>> Sum<'_, '_, B, E> {
    fn add<O: Objective<B>>(&mut self, name: ObjectiveName, heads: Option<&O>, batch: Option<&Batch<O::Task>>) {
        let Some((heads, batch)) = heads.zip(batch) else { return };
        let weight = self.weights[name as usize];
        let loss = match &mut self.backward {
            Some(backward) => {
                let mut weighted = |value: Tensor<B, 1>| backward(value.mul_scalar(weight));
                heads.learn(self.encoder, batch, self.device, &mut weighted)
            }
            None => heads.loss(self.encoder, batch, self.device),
        };
        self.losses.push((name, loss));
    }

    /// A single objective counts its own predictions; with several, every example counts once.
    fn finish(self, n_examples: usize) -> Loss<B> {
        let Self { weights, losses, device, .. } = self;
        let is_one = losses.len() == 1;
        let mut sum = Loss { value: Tensor::zeros([1], device), n_predictions: n_examples, metrics: Vec::new() };
        for (name, Loss { value, n_predictions, metrics }) in losses {
            if is_one {
                sum.n_predictions = n_predictions;
            } else {
                sum.metrics.push(Metric { name: name.loss_name(), value: scalar(value.clone()) });
            }
            sum.metrics.extend(metrics);
            sum.value = sum.value + value.mul_scalar(weights[name as usize]);
        }
        sum
    }
}

/// A checked [`ObjectiveSet`] with the context of the data.
#[derive(Debug, Clone)]
pub struct Objectives {
    options: ObjectiveSet,
    context: ObjectiveContext,
}

impl Objectives {
    /// Checks the options.
    ///
    /// # Errors
    /// [`ObjectiveError::Setting`] for no objective at all, a weight that is not above 0, or a wrong setting of an objective.
    pub fn new(options: ObjectiveSet, context: ObjectiveContext) -> Result<Self, ObjectiveError> {
        options.check(&context)?;
        Ok(Self { options, context })
    }

    /// Initializes the heads of all objectives, for an encoder with states of width `d_model`.
    pub fn init<B: Backend>(&self, d_model: usize, layout: &BatchLayout, seed: u64, device: &B::Device) -> Mix<B> {
        self.options.init(d_model, layout, &self.context, seed, device)
    }
}

macro_rules! objectives {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident = $text:literal $(or $alias:literal)? in $section:ident: $options:ident,
        heads.$field:ident: $heads:ident, seed $seed:literal;
    )*) => {
        /// The names of the objectives, on the command line and in experiment files.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
        pub enum ObjectiveName {
            $(
                $(#[doc = $doc])*
                #[serde(rename = $text)]
                #[cfg_attr(feature = "clap", value(name = $text $(, alias = $alias)?))]
                $name,
            )*
        }

        impl ObjectiveName {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in files and on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The name of the objective's loss among the metrics of a mix.
            fn loss_name(self) -> &'static str {
                match self {
                    $(Self::$name => concat!(stringify!($section), "_loss"),)*
                }
            }

            /// Whether examples have to carry their events.
            #[must_use]
            pub fn needs_events(self) -> bool {
                match self {
                    $(Self::$name => $options::NEEDS_EVENTS,)*
                }
            }

            /// Whether examples have to know their moments.
            #[must_use]
            pub fn needs_moments(self) -> bool {
                match self {
                    $(Self::$name => $options::NEEDS_MOMENTS,)*
                }
            }

            /// Whether examples have to carry a class.
            #[must_use]
            pub fn needs_classes(self) -> bool {
                match self {
                    $(Self::$name => $options::NEEDS_CLASSES,)*
                }
            }
        }

        /// The objectives of a run, with the settings of each.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct ObjectiveSet {
            $(
                $(#[doc = $doc])*
                #[serde(default, rename = $text, skip_serializing_if = "Option::is_none")]
                pub $section: Option<$options>,
            )*
        }

        impl ObjectiveSet {
            /// The objectives of these names, with the settings that this set has for them, or the defaults.
            #[must_use]
            pub fn pick(&self, names: &[ObjectiveName]) -> Self {
                Self {
                    $($section: names
                        .contains(&ObjectiveName::$name)
                        .then(|| self.$section.clone().unwrap_or_default()),)*
                }
            }

            /// The same objectives with the same weight.
            #[must_use]
            pub fn with_equal_weights(mut self) -> Self {
                $(if let Some(options) = &mut self.$section {
                    options.weight = 1.0;
                })*
                self
            }

            /// The weight of every objective of the set, in the order of the table.
            #[must_use]
            pub fn weights(&self) -> Vec<(ObjectiveName, f64)> {
                let all = [$(self.$section.as_ref().map(|options| (ObjectiveName::$name, options.weight))),*];
                all.into_iter().flatten().collect()
            }

            fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError> {
                self.check_weights()?;
                $(if let Some(options) = &self.$section {
                    options.check(context)?;
                })*
                Ok(())
            }

            /// Fails if an objective could be met without learning anything, or not at all.
            ///
            /// # Errors
            /// [`ObjectiveError::Unfit`], and [`ObjectiveError::Setting`] for wrong weights.
            pub fn require(&self, setting: ModelSetting<'_>) -> Result<(), ObjectiveError> {
                self.check_weights()?;
                $(if let Some(options) = &self.$section {
                    options.require(setting)?;
                })*
                Ok(())
            }

            /// Changes encoder and tokens where an objective of the set needs it.
            pub fn adapt(&self, encoder: &mut EventEncoderConfig, tokenizer: &mut TokenizerOptions) {
                $(if self.$section.is_some() {
                    $options::adapt(encoder, tokenizer);
                })*
            }

            fn init<B: Backend>(
                &self,
                d_model: usize,
                layout: &BatchLayout,
                context: &ObjectiveContext,
                seed: u64,
                device: &B::Device,
            ) -> Mix<B> {
                let mut weights = vec![0.0; ObjectiveName::ALL.len()];
                for (name, weight) in self.weights() {
                    weights[name as usize] = weight;
                }
                // Each has its own random numbers, so that adding an objective does not change the others.
                let seed = |number: u64| seed.wrapping_add(0x9e37_79b9 * number);
                Mix {
                    $($field: self
                        .$section
                        .as_ref()
                        .map(|options| options.init(d_model, layout, context, seed($seed), device)),)*
                    weights,
                }
            }
        }

        /// The weighted sum of objectives on one encoder.
        #[derive(Module, Debug)]
        pub struct Mix<B: Backend> {
            $($field: Option<$heads<B>>,)*
            #[module(skip)]
            weights: Vec<f64>,
        }

        /// The tasks of the objectives of a mix.
        #[derive(Debug)]
        pub struct MixTask {
            $($field: Option<<$options as ObjectiveOptions>::Task>,)*
        }

        /// The batches that these tasks prepared from the same examples.
        #[derive(Debug)]
        pub struct MixBatch {
            n_examples: usize,
            $($field: Option<Batch<<$options as ObjectiveOptions>::Task>>,)*
        }

        impl Preparer for MixTask {
            type Batch = MixBatch;

            fn prepare(&self, examples: &[Example<'_>], purpose: Purpose, rng: &mut ChaCha8Rng) -> MixBatch {
                let mut preparation = Preparation { examples, purpose, rng };
                MixBatch { n_examples: examples.len(), $($field: preparation.of(self.$field.as_ref()),)* }
            }
        }

        impl<B: Backend> Mix<B> {
            fn sum<E: Encoder<B>>(&self, batch: &MixBatch, mut sum: Sum<'_, '_, B, E>) -> Loss<B> {
                $(sum.add(ObjectiveName::$name, self.$field.as_ref(), batch.$field.as_ref());)*
                sum.finish(batch.n_examples)
            }
        }

        impl<B: Backend> Objective<B> for Mix<B> {
            type Task = MixTask;

            fn task(&self) -> MixTask {
                MixTask { $($field: self.$field.as_ref().map(Objective::task),)* }
            }

            fn compared<E: Encoder<B>>(
                &self,
                encoder: &E,
                examples: &[Example<'_>],
                device: &B::Device,
            ) -> Option<Compared> {
                // The last one that compares vectors decides.
                let all = [$(self.$field.as_ref().and_then(|heads| heads.compared(encoder, examples, device))),*];
                all.into_iter().flatten().next_back()
            }

            fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &MixBatch, device: &B::Device) -> Loss<B> {
                self.sum(batch, Sum { encoder, device, backward: None, weights: &self.weights, losses: Vec::new() })
            }

            fn learn<E: Encoder<B>>(
                &self,
                encoder: &E,
                batch: &MixBatch,
                device: &B::Device,
                backward: &mut Backward<'_, B>,
            ) -> Loss<B> {
                let backward = Some(backward);
                self.sum(batch, Sum { encoder, device, backward, weights: &self.weights, losses: Vec::new() })
            }
        }
    };
}

impl ObjectiveSet {
    fn check_weights(&self) -> Result<(), ObjectiveError> {
        let weights = self.weights();
        let wrong = |want, got: String| Err(ObjectiveError::Setting { name: "objectives", want, got });
        if let Some((_, weight)) = weights.iter().find(|(_, weight)| !(*weight > 0.0 && weight.is_finite())) {
            return wrong("weights above 0", weight.to_string());
        }
        if weights.is_empty() {
            return wrong("one objective or more", "none".into());
        }
        Ok(())
    }

    /// The names of the objectives of the set.
    #[must_use]
    pub fn names(&self) -> Vec<ObjectiveName> {
        self.weights().into_iter().map(|(name, _)| name).collect()
    }
}

// Name (with an old one), settings, the name of the heads in `model.safetensors`, and the number that sets the random
// numbers of the heads apart; classification has that of its first format. Rows are prepared and summed in this order.
objectives! {
    /// Masked event prediction: hide 15 % of the events and predict every field of each
    Mep = "mep" in mep: MaskedEventOptions, heads.masked: MaskedEvent, seed 0;
    /// Next-event prediction: predict what comes next, and when, from the past alone
    Nep = "nep" in nep: NextEventOptions, heads.next: NextEvent, seed 1;
    /// Shuffle some events and predict their original positions, with times hidden
    Jigsaw = "jigsaw" in jigsaw: JigsawOptions, heads.jigsaw: Jigsaw, seed 2;
    /// Predict which events are linked by zone, time or cause (for gnn and fusion)
    Link = "link" in link: LinkPredictionOptions, heads.links: LinkPrediction, seed 3;
    /// Predict what an event is from its zone, its time and its edges (for gnn and fusion)
    Node = "node" or "attribute" in node: NodeAttributeOptions, heads.nodes: NodeAttribute, seed 4;
    /// Contrastive: match two augmented views of a window
    InfoNce = "info-nce" or "infonce" in info_nce: InfoNceOptions, heads.contrast: InfoNce, seed 5;
    /// Triplets: a view is nearer than a hard negative, close by but of another type
    Triplet = "triplet" in triplet: TripletOptions, heads.triplets: Triplet, seed 6;
    /// Tell from the vector how often everything came in the last minutes and hours
    Past = "past" in past: PastOptions, heads.past: Past, seed 7;
    /// Tell from the vector how often everything comes in the next minutes, and when
    Future = "future" in future: FutureOptions, heads.future: Future, seed 8;
    /// Classify labeled events (for finetune)
    Classify = "classify" in classify: ClassificationOptions, heads.classify: Classification, seed 0;
}
