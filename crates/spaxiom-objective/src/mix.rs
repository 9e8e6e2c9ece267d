//! Pretexts by name, and several of them at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder};
use spaxiom_token::Augmenter;

use crate::contrast::{Contrast, ContrastOptions};
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::jigsaw::{Jigsaw, JigsawOptions, Shuffled, Shuffler};
use crate::links::{HeldOut, LinkPredictionOptions, Links};
use crate::losses::scalar;
use crate::masked_event::{Masked, MaskedEvents, Masking, MaskingOptions};
use crate::next_event::{Asked, NextEventFields, NextEventOptions, NextEvents, Past};
use crate::node_attributes::{HiddenParts, NodeAttributes};
use crate::objective::{Backward, Batch, Compared, Loss, Metric, Preparer, Pretext, Purpose};
use crate::triplets::{TripletOptions, Triplets};
use crate::views::{Viewed, Viewer};

/// The pretexts by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PretextName {
    /// Masked event prediction.
    Mep,
    /// Next-event prediction, with the time until then.
    Nep,
    /// Spatial-temporal jigsaw.
    Jigsaw,
    /// Link prediction in graphs.
    Link,
    /// Node-attribute prediction in graphs.
    Node,
    /// Contrastive learning of views.
    InfoNce,
    /// Triplets with hard negatives.
    Triplet,
}

impl PretextName {
    /// Whether it makes views of events, and so needs a position per event.
    #[must_use]
    pub fn needs_views(self) -> bool {
        matches!(self, Self::InfoNce | Self::Triplet)
    }

    /// The name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mep => "mep",
            Self::Nep => "nep",
            Self::Jigsaw => "jigsaw",
            Self::Link => "link",
            Self::Node => "node",
            Self::InfoNce => "info-nce",
            Self::Triplet => "triplet",
        }
    }

    fn loss_name(self) -> &'static str {
        match self {
            Self::Mep => "mep_loss",
            Self::Nep => "nep_loss",
            Self::Jigsaw => "jigsaw_loss",
            Self::Link => "link_loss",
            Self::Node => "node_loss",
            Self::InfoNce => "info_nce_loss",
            Self::Triplet => "triplet_loss",
        }
    }
}

/// Settings of all pretexts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PretextOptions {
    /// What counts in the loss, and how much.
    pub weights: BTreeMap<PretextName, f64>,
    /// Next events.
    pub next_event: NextEventOptions,
    /// The fields that its names mean.
    pub next_event_fields: NextEventFields,
    /// Masked events, and the share of hidden nodes.
    pub masking: MaskingOptions,
    /// Jigsaw.
    pub jigsaw: JigsawOptions,
    /// Link prediction.
    pub links: LinkPredictionOptions,
    /// `InfoNCE`.
    pub contrast: ContrastOptions,
    /// Triplets.
    pub triplet: TripletOptions,
}

/// Checked [`PretextOptions`].
#[derive(Debug, Clone)]
pub struct Pretexts {
    options: PretextOptions,
    masking: Masking,
    augmenter: Option<Arc<Augmenter>>,
}

impl Pretexts {
    /// Checks the options; `augmenter` makes the views, where there are any.
    ///
    /// # Errors
    /// [`ObjectiveError::Setting`] for a weight that is not above 0, no weight at all, or a wrong setting of a pretext.
    pub fn new(options: PretextOptions, augmenter: Option<Augmenter>) -> Result<Self, ObjectiveError> {
        let PretextOptions { weights, next_event, next_event_fields, masking, jigsaw, links, contrast, triplet } =
            &options;
        let wrong = |want, got: String| Err(ObjectiveError::Setting { name: "objectives", want, got });
        if let Some(weight) = weights.values().find(|weight| !(**weight > 0.0 && weight.is_finite())) {
            return wrong("weights above 0", weight.to_string());
        }
        if weights.is_empty() {
            return wrong("one objective or more", "none".into());
        }
        if augmenter.is_none() && weights.keys().any(|name| name.needs_views()) {
            return wrong("those that need no views, where nothing makes views", "views".into());
        }
        next_event.check()?;
        if next_event_fields.predicted.is_empty() && !next_event.fields.is_empty() {
            let (want, got) = ("names whose places are in `next_event_fields`", next_event.fields.join(", "));
            return Err(ObjectiveError::Setting { name: "next-event.fields", want, got });
        }
        jigsaw.check()?;
        links.check()?;
        contrast.check()?;
        triplet.check()?;
        let masking = Masking::new(masking.clone())?;
        Ok(Self { masking, augmenter: augmenter.map(Arc::new), options })
    }

    /// The heads of all pretexts, for an encoder of this width.
    pub fn init<B: Backend>(&self, d_model: usize, layout: &BatchLayout, seed: u64, device: &B::Device) -> Mix<B> {
        let PretextOptions { weights, next_event, next_event_fields, masking: _, jigsaw, links, contrast, triplet } =
            &self.options;
        let layout = || layout.clone();
        let is_wanted = |name| weights.contains_key(&name);
        let augmenter = |name| self.augmenter.clone().filter(|_| is_wanted(name));
        // Each has random numbers of its own, so that one more changes nothing of the others.
        let seed = |name: PretextName| seed.wrapping_add(0x9e37_79b9 * name as u64);
        let masking = || self.masking.clone();
        Mix {
            masked: is_wanted(PretextName::Mep)
                .then(|| MaskedEvents::new(d_model, layout(), masking(), seed(PretextName::Mep), device)),
            next: is_wanted(PretextName::Nep).then(|| {
                let (fields, options) = (next_event_fields.clone(), next_event.clone());
                NextEvents::new(d_model, layout(), fields, options, seed(PretextName::Nep), device)
            }),
            jigsaw: is_wanted(PretextName::Jigsaw)
                .then(|| Jigsaw::new(d_model, layout(), jigsaw.clone(), seed(PretextName::Jigsaw), device)),
            links: is_wanted(PretextName::Link)
                .then(|| Links::new(d_model, layout(), links.clone(), seed(PretextName::Link), device)),
            nodes: is_wanted(PretextName::Node)
                .then(|| NodeAttributes::new(d_model, layout(), masking(), seed(PretextName::Node), device)),
            contrast: augmenter(PretextName::InfoNce).map(|augmenter| {
                Contrast::new(d_model, layout(), augmenter, contrast.clone(), seed(PretextName::InfoNce), device)
            }),
            triplets: augmenter(PretextName::Triplet).map(|augmenter| {
                Triplets::new(d_model, layout(), augmenter, triplet.clone(), seed(PretextName::Triplet), device)
            }),
            weights: weights.clone(),
        }
    }
}

/// The weighted sum of pretexts on one encoder.
#[derive(Module, Debug)]
pub struct Mix<B: Backend> {
    masked: Option<MaskedEvents<B>>,
    next: Option<NextEvents<B>>,
    jigsaw: Option<Jigsaw<B>>,
    links: Option<Links<B>>,
    nodes: Option<NodeAttributes<B>>,
    contrast: Option<Contrast<B>>,
    triplets: Option<Triplets<B>>,
    #[module(skip)]
    weights: BTreeMap<PretextName, f64>,
}

/// The tasks of the pretexts that count.
#[derive(Debug)]
pub struct Tasks {
    masked: Option<Masking>,
    next: Option<Past>,
    jigsaw: Option<Shuffler>,
    links: Option<LinkPredictionOptions>,
    nodes: Option<HiddenParts>,
    contrast: Option<Viewer>,
    triplets: Option<Viewer>,
}

/// What each of them made of the same examples.
#[derive(Debug)]
pub struct Batches {
    n_examples: usize,
    masked: Option<Masked>,
    next: Option<Asked>,
    jigsaw: Option<Shuffled>,
    links: Option<HeldOut>,
    nodes: Option<Masked>,
    contrast: Option<Viewed>,
    triplets: Option<Viewed>,
}

impl Preparer for Tasks {
    type Batch = Batches;

    fn prepare(&self, examples: &[Example<'_>], purpose: Purpose, rng: &mut ChaCha8Rng) -> Batches {
        let mut made = Made { examples, purpose, rng };
        Batches {
            n_examples: examples.len(),
            masked: made.of(self.masked.as_ref()),
            next: made.of(self.next.as_ref()),
            jigsaw: made.of(self.jigsaw.as_ref()),
            links: made.of(self.links.as_ref()),
            nodes: made.of(self.nodes.as_ref()),
            contrast: made.of(self.contrast.as_ref()),
            triplets: made.of(self.triplets.as_ref()),
        }
    }
}

/// One set of examples for all tasks.
struct Made<'a, 'e> {
    examples: &'a [Example<'e>],
    purpose: Purpose,
    rng: &'a mut ChaCha8Rng,
}

impl Made<'_, '_> {
    fn of<T: Preparer>(&mut self, task: Option<&T>) -> Option<T::Batch> {
        Some(task?.prepare(self.examples, self.purpose, self.rng))
    }
}

/// The sum of what was found for a batch.
struct Sum<'a, 'b, B: Backend, E> {
    encoder: &'a E,
    device: &'a B::Device,
    backward: Option<&'a mut Backward<'b, B>>,
    weights: &'a BTreeMap<PretextName, f64>,
    losses: Vec<(PretextName, Loss<B>)>,
}

impl<B: Backend, E: Encoder<B>> Sum<'_, '_, B, E> {
    fn add<P: Pretext<B>>(&mut self, name: PretextName, pretext: Option<&P>, batch: Option<&Batch<P::Task>>) {
        let Some((pretext, batch)) = pretext.zip(batch) else { return };
        let weight = self.weights[&name];
        let loss = match &mut self.backward {
            Some(backward) => {
                let mut weighted = |value: Tensor<B, 1>| backward(value.mul_scalar(weight));
                pretext.learn(self.encoder, batch, self.device, &mut weighted)
            }
            None => pretext.loss(self.encoder, batch, self.device),
        };
        self.losses.push((name, loss));
    }

    /// One alone counts its own predictions; of several every example counts once.
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
            sum.value = sum.value + value.mul_scalar(weights[&name]);
        }
        sum
    }
}

impl<B: Backend> Mix<B> {
    fn all<E: Encoder<B>>(&self, batch: &Batches, mut sum: Sum<'_, '_, B, E>) -> Loss<B> {
        sum.add(PretextName::Mep, self.masked.as_ref(), batch.masked.as_ref());
        sum.add(PretextName::Nep, self.next.as_ref(), batch.next.as_ref());
        sum.add(PretextName::Jigsaw, self.jigsaw.as_ref(), batch.jigsaw.as_ref());
        sum.add(PretextName::Link, self.links.as_ref(), batch.links.as_ref());
        sum.add(PretextName::Node, self.nodes.as_ref(), batch.nodes.as_ref());
        sum.add(PretextName::InfoNce, self.contrast.as_ref(), batch.contrast.as_ref());
        sum.add(PretextName::Triplet, self.triplets.as_ref(), batch.triplets.as_ref());
        sum.finish(batch.n_examples)
    }
}

impl<B: Backend> Pretext<B> for Mix<B> {
    type Task = Tasks;

    fn task(&self) -> Tasks {
        Tasks {
            masked: self.masked.as_ref().map(Pretext::task),
            next: self.next.as_ref().map(Pretext::task),
            jigsaw: self.jigsaw.as_ref().map(Pretext::task),
            links: self.links.as_ref().map(Pretext::task),
            nodes: self.nodes.as_ref().map(Pretext::task),
            contrast: self.contrast.as_ref().map(Pretext::task),
            triplets: self.triplets.as_ref().map(Pretext::task),
        }
    }

    fn compared<E: Encoder<B>>(&self, encoder: &E, examples: &[Example<'_>], device: &B::Device) -> Option<Compared> {
        let of_triplets = || self.triplets.as_ref()?.compared(encoder, examples, device);
        of_triplets().or_else(|| self.contrast.as_ref()?.compared(encoder, examples, device))
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &Batches, device: &B::Device) -> Loss<B> {
        self.all(batch, Sum { encoder, device, backward: None, weights: &self.weights, losses: Vec::new() })
    }

    fn learn<E: Encoder<B>>(
        &self,
        encoder: &E,
        batch: &Batches,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        self.all(batch, Sum { encoder, device, backward: Some(backward), weights: &self.weights, losses: Vec::new() })
    }
}
