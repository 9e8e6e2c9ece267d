//! Training and encoding without generics: what a backend can do.

use std::collections::BTreeMap;
use std::path::Path;

use spaxiom_encoder::{BatchLayout, Cell, EventEncoderConfig, NamedTensor, RecurrentEventEncoderConfig};
use spaxiom_objective::{
    Checkpoint, ClassCosts, Example, Flow, Judged, Observer, Outcome, Pretexts, TrainState, Trainer, TrainingSet,
};
use spaxiom_token::{TokenWindow, Tokenizer};

use crate::backend::BackendName;
use crate::error::EmbeddingError;

/// What decides the shapes of all tensors of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelShape {
    /// The encoder.
    pub encoder: EventEncoderConfig,
    /// What it reads of a window.
    pub layout: BatchLayout,
}

impl ModelShape {
    /// An encoder over the rows of a tokenizer.
    #[must_use]
    pub fn new(encoder: EventEncoderConfig, tokenizer: &Tokenizer) -> Self {
        Self { layout: encoder.layout(tokenizer), encoder }
    }
}

/// What a training run needs besides its model.
pub struct TrainingInput<'a> {
    pub trainer: &'a Trainer,
    pub data: TrainingSet<'a>,
    pub resume: Option<Checkpoint>,
    pub checkpoint_path: &'a Path,
    pub observer: &'a mut dyn Observer,
    /// Decides the first weights.
    pub seed: u64,
}

/// Weights after a run.
pub struct TrainingOutput {
    pub weights: BTreeMap<String, NamedTensor>,
    pub outcome: Outcome,
    pub state: TrainState,
}

/// One backend with its device.
pub trait Engine {
    /// The backend.
    fn name(&self) -> BackendName;

    /// Trains an encoder by pretexts.
    #[doc(hidden)]
    fn pretrain(
        &self,
        shape: &ModelShape,
        pretexts: &Pretexts,
        input: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError>;

    /// Trains a classifier, whose encoder starts with the weights `start` where they are given.
    #[doc(hidden)]
    fn train_classifier(
        &self,
        shape: &ModelShape,
        costs: ClassCosts,
        start: Option<&BTreeMap<String, NamedTensor>>,
        input: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError>;

    /// Judges pretrained weights, with their heads, by the objectives that they were trained by, batch after batch.
    #[doc(hidden)]
    fn judge(
        &self,
        shape: &ModelShape,
        pretexts: &Pretexts,
        weights: &BTreeMap<String, NamedTensor>,
        batches: &[&[Example<'_>]],
        seed: u64,
    ) -> Result<Vec<Judged>, EmbeddingError>;

    /// Steps of recurrent layers alone, over rows `[n_windows, seq, d_embed]` that mean nothing: the loss is the mean square of the states.
    ///
    /// Asked after every step whether to go on.
    #[doc(hidden)]
    fn recurrent_steps(
        &self,
        cell: Cell,
        config: &RecurrentEventEncoderConfig,
        n_windows: usize,
        done: &mut dyn FnMut() -> Flow,
    );

    /// An encoder with these weights; with its classifier where `n_classes` is given.
    fn encoder(
        &self,
        shape: &ModelShape,
        weights: &BTreeMap<String, NamedTensor>,
        n_classes: Option<usize>,
    ) -> Result<Box<dyn WindowEncoder>, EmbeddingError>;

    /// An encoder that learnt nothing: the control.
    fn untrained(&self, shape: &ModelShape, seed: u64) -> Box<dyn WindowEncoder>;
}

/// Windows to vectors on some backend.
pub trait WindowEncoder: Send {
    /// Width of the vectors.
    fn dim(&self) -> usize;

    /// The longest window in events.
    fn max_len(&self) -> usize;

    /// One vector per window, row after row.
    fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32>;

    /// The most likely class of each window, or none without a classifier.
    fn classify(&self, windows: &[TokenWindow<'_>]) -> Option<Vec<usize>>;
}

/// The index of the greatest score.
pub(crate) fn greatest(scores: &[f32]) -> usize {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index)
}
