//! What an engine does, without generics.

use std::collections::BTreeMap;
use std::path::Path;

use spaxiom_encoder::{BatchLayout, EventEncoderConfig, NamedTensor, TextQueryEncoderConfig};
use spaxiom_objective::{
    Checkpoint, Example, Flow, Judged, Objectives, Observer, Outcome, TextPairs, TextTrainOptions, TrainState, Trainer,
    TrainingSet,
};
use spaxiom_token::{Layout, TokenWindow, Tokenizer};

use super::name::BackendName;
use crate::error::EmbeddingError;

/// What decides the shapes of all tensors of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelShape {
    /// The encoder.
    pub encoder: EventEncoderConfig,
    /// What it reads of a window.
    pub layout: BatchLayout,
    /// Whether sites are read event by event from their beginning on, and not window by window.
    pub goes_on: bool,
}

impl ModelShape {
    /// An encoder over the rows of a tokenizer.
    #[must_use]
    pub fn new(encoder: EventEncoderConfig, tokenizer: &Tokenizer) -> Self {
        // An event of several positions, or of a part of one, has a window of its own.
        let goes_on = encoder.goes_on() && tokenizer.layout() == Layout::Composite;
        Self { layout: encoder.layout(tokenizer), encoder, goes_on }
    }
}

/// Where the weights of the classification head stand among those of a model.
pub(crate) const CLASSIFIER: &str = "heads.classify";

/// The weights of a model by name: `encoder.` and the encoder's own names, `heads.` and those of the objectives.
pub type Weights = BTreeMap<String, NamedTensor>;

/// What a training run needs besides its model.
pub struct TrainingInput<'a> {
    /// The loop.
    pub trainer: &'a Trainer,
    /// Training and validation examples.
    pub data: TrainingSet<'a>,
    /// Where to continue; `None` for a new run.
    pub resume: Option<Checkpoint>,
    /// The file for checkpoints.
    pub checkpoint_path: &'a Path,
    /// Watches the run.
    pub observer: &'a mut dyn Observer,
    /// Random seed of the initial weights.
    pub seed: u64,
}

/// The result of a training run.
pub struct TrainingOutput {
    /// The weights with the lowest validation loss.
    pub weights: Weights,
    /// How the run ended.
    pub outcome: Outcome,
    /// Where it stands.
    pub state: TrainState,
}

/// What decides the shapes of all tensors of a text encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextShape {
    /// The encoder.
    pub encoder: TextQueryEncoderConfig,
    /// Number of different word pieces.
    pub n_pieces: usize,
    /// Width of the vectors of events.
    pub dim: usize,
}

/// What training a text encoder needs besides its shape.
pub struct TextTraining<'a> {
    /// The loop.
    pub options: &'a TextTrainOptions,
    /// Random seed of the initial weights.
    pub seed: u64,
    /// Gives the batch of a step.
    pub batch: &'a mut dyn FnMut(u64) -> TextPairs,
    /// Is told of steps and losses, and may stop early.
    pub told: &'a mut dyn FnMut(u64, f64) -> Flow,
}

/// Texts to vectors on some backend.
pub trait TextEncoder: Send {
    /// The unit vectors of texts, given by their word pieces; row after row.
    fn encode(&self, texts: &[Vec<u32>]) -> Vec<f32>;
}

/// One backend with its device.
pub trait Engine {
    /// The backend.
    fn name(&self) -> BackendName;

    /// Trains an encoder by objectives; the encoder starts with the weights `start` if they are given.
    ///
    /// # Errors
    /// Those of the trainer, and weights that do not fit the shape.
    fn train(
        &self,
        shape: &ModelShape,
        objectives: &Objectives,
        start: Option<&Weights>,
        input: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError>;

    /// Evaluates trained weights, heads included, by the objectives that they were trained by, batch after batch.
    ///
    /// # Errors
    /// Weights that do not fit the shape.
    fn judge(
        &self,
        shape: &ModelShape,
        objectives: &Objectives,
        weights: &Weights,
        batches: &[&[Example<'_>]],
        seed: u64,
    ) -> Result<Vec<Judged>, EmbeddingError>;

    /// An encoder with these weights, and its classification head if `n_classes` is given.
    ///
    /// # Errors
    /// Weights that do not fit the shape.
    fn encoder(
        &self,
        shape: &ModelShape,
        weights: &Weights,
        n_classes: Option<usize>,
    ) -> Result<Box<dyn WindowEncoder>, EmbeddingError>;

    /// Trains a text encoder toward vectors of events; gives its weights.
    ///
    /// # Errors
    /// A loss that is no number.
    fn train_texts(&self, shape: &TextShape, training: TextTraining<'_>) -> Result<Weights, EmbeddingError>;

    /// A text encoder with these weights.
    ///
    /// # Errors
    /// Weights that do not fit the shape.
    fn text_encoder(&self, shape: &TextShape, weights: &Weights) -> Result<Box<dyn TextEncoder>, EmbeddingError>;

    /// An untrained encoder: the control.
    fn untrained(&self, shape: &ModelShape, seed: u64) -> Box<dyn WindowEncoder>;
}

/// Windows to vectors on some backend.
pub trait WindowEncoder: Send {
    /// Width of the vectors.
    fn dim(&self) -> usize;

    /// The longest window in events that it is trained on.
    fn max_len(&self) -> usize;

    /// How many events back its vectors reach: the length of its windows; no limit for one that goes on event by event.
    fn reach(&self) -> usize {
        self.max_len()
    }

    /// One vector per window of at most [`WindowEncoder::reach`] events, row after row.
    fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32>;

    /// A site in which nothing has happened yet, for an encoder that goes on event by event.
    fn walk(&self) -> Option<Box<dyn SiteWalk + '_>> {
        None
    }

    /// The most likely class of each window, or none without a classifier.
    fn classify(&self, windows: &[TokenWindow<'_>]) -> Option<Vec<usize>>;
}

/// Reads a site event by event from its beginning on.
pub trait SiteWalk: Send {
    /// The vector after each of the next positions, row after row.
    fn read(&mut self, next: TokenWindow<'_>) -> Vec<f32>;

    /// What goes on to the next event; empty before the first one.
    fn state(&self) -> Vec<f32>;

    /// Goes on with what [`SiteWalk::state`] gave; false, and nothing is changed, for that of another encoder.
    fn resume(&mut self, state: &[f32]) -> bool;
}

/// The index of the greatest score.
pub(crate) fn greatest(scores: &[f32]) -> usize {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index)
}
