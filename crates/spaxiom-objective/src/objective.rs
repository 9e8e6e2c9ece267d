//! What every objective gives.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::Encoder;

use crate::example::Example;

/// A loss of one batch, and figures to watch beside it.
#[derive(Debug)]
pub struct Loss<B: Backend> {
    /// Mean over the predictions of the batch, `[1]`; smaller is better.
    pub value: Tensor<B, 1>,
    /// How many predictions the mean is over: the weight of this batch in a mean over batches.
    pub n_predictions: usize,
    /// Figures to watch.
    pub metrics: Vec<Metric>,
}

impl<B: Backend> Loss<B> {
    /// Hands the whole loss to `backward`, and gives it without its graph.
    pub(crate) fn learnt(self, backward: &mut Backward<'_, B>) -> Self {
        backward(self.value.clone());
        Self { value: self.value.detach(), ..self }
    }
}

/// A named figure, a mean over the predictions of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// For example `type_accuracy`.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

/// Takes one summand of a loss at a time and adds its gradients to those of the step.
pub type Backward<'a, B> = dyn FnMut(Tensor<B, 1>) + 'a;

/// The vectors that an objective compares, row after row, each of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Numbers of a vector.
    pub dim: usize,
    /// `[n, dim]`.
    pub vectors: Vec<f32>,
}

/// What a batch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To learn from: what makes learning harder is done to it too.
    Learn,
    /// To judge by.
    Judge,
}

/// The part of an objective that knows no weights: what it makes of examples before there are tensors, such as masks, views and pairs.
///
/// A thread of its own makes the next batch while a step is done.
pub trait Preparer: Send {
    /// What a loss is computed from.
    type Batch: Send;

    /// Makes a batch; everything random in it comes from `rng`.
    fn prepare(&self, examples: &[Example<'_>], purpose: Purpose, rng: &mut ChaCha8Rng) -> Self::Batch;
}

/// A model with a task: a batch of examples to a loss.
///
/// Losses are computed through an encoder that is given, so that copies of [`Objective::encoder`] can share the work.
pub trait Objective<B: Backend>: Module<B> {
    /// What encodes the windows.
    type Encoder: Encoder<B>;
    /// What makes the batches.
    type Task: Preparer;

    /// The encoder under the heads.
    fn encoder(&self) -> &Self::Encoder;

    /// The part without weights.
    fn task(&self) -> Self::Task;

    /// The vectors of examples as the objective compares them; none where it compares nothing.
    fn compared(&self, _examples: &[Example<'_>], _device: &B::Device) -> Option<Compared> {
        None
    }

    /// The loss of a batch.
    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &Batch<Self::Task>, device: &B::Device) -> Loss<B>;

    /// The same, with every summand whose gradients are wanted handed to `backward`.
    ///
    /// One by one, so that an objective over many examples need not hold the graphs of all of them.
    fn learn<E: Encoder<B>>(
        &self,
        encoder: &E,
        batch: &Batch<Self::Task>,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        self.loss(encoder, batch, device).learnt(backward)
    }
}

/// What a task makes of examples.
pub type Batch<T> = <T as Preparer>::Batch;

/// What an encoder is trained by before there are labels: heads that are dropped afterwards.
pub trait Pretext<B: Backend>: Module<B> + ModuleDisplay {
    /// As [`Objective::Task`].
    type Task: Preparer;

    /// As [`Objective::task`].
    fn task(&self) -> Self::Task;

    /// As [`Objective::compared`], with the encoder given.
    fn compared<E: Encoder<B>>(
        &self,
        _encoder: &E,
        _examples: &[Example<'_>],
        _device: &B::Device,
    ) -> Option<Compared> {
        None
    }

    /// As [`Objective::loss`].
    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &Batch<Self::Task>, device: &B::Device) -> Loss<B>;

    /// As [`Objective::learn`].
    fn learn<E: Encoder<B>>(
        &self,
        encoder: &E,
        batch: &Batch<Self::Task>,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        self.loss(encoder, batch, device).learnt(backward)
    }
}

/// An encoder with the heads of a pretext.
#[derive(Module, Debug)]
pub struct PretextModel<B: Backend, E, P> {
    encoder: E,
    heads: P,
    #[module(skip)]
    backend: std::marker::PhantomData<B>,
}

impl<B: Backend, E: Encoder<B>, P: Pretext<B>> PretextModel<B, E, P> {
    /// Puts heads on an encoder.
    pub fn new(encoder: E, heads: P) -> Self {
        Self { encoder, heads, backend: std::marker::PhantomData }
    }

    /// The encoder without its heads.
    #[must_use]
    pub fn into_encoder(self) -> E {
        self.encoder
    }
}

impl<B: Backend, E: Encoder<B> + Module<B> + ModuleDisplay, P: Pretext<B>> Objective<B> for PretextModel<B, E, P> {
    type Encoder = E;
    type Task = P::Task;

    fn encoder(&self) -> &E {
        &self.encoder
    }

    fn task(&self) -> P::Task {
        self.heads.task()
    }

    fn compared(&self, examples: &[Example<'_>], device: &B::Device) -> Option<Compared> {
        self.heads.compared(&self.encoder, examples, device)
    }

    fn loss<F: Encoder<B>>(&self, encoder: &F, batch: &Batch<P::Task>, device: &B::Device) -> Loss<B> {
        self.heads.loss(encoder, batch, device)
    }

    fn learn<F: Encoder<B>>(
        &self,
        encoder: &F,
        batch: &Batch<P::Task>,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        self.heads.learn(encoder, batch, device, backward)
    }
}
