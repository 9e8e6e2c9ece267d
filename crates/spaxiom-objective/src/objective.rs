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

/// A model with a task: a batch of examples to a loss.
pub trait Objective<B: Backend>: Module<B> {
    /// The vectors of examples as the objective compares them; none where it compares nothing.
    fn compared(&self, _examples: &[Example<'_>], _device: &B::Device) -> Option<Compared> {
        None
    }

    /// The loss of a batch; everything random in it comes from `rng`.
    fn loss(&self, examples: &[Example<'_>], rng: &mut ChaCha8Rng, device: &B::Device) -> Loss<B>;

    /// The same, with every summand whose gradients are wanted handed to `backward`.
    ///
    /// One by one, so that an objective over many examples need not hold the graphs of all of them.
    fn learn(
        &self,
        examples: &[Example<'_>],
        rng: &mut ChaCha8Rng,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        let loss = self.loss(examples, rng, device);
        backward(loss.value.clone());
        Loss { value: loss.value.detach(), ..loss }
    }
}

/// What an encoder is trained by before there are labels: heads that are dropped afterwards.
pub trait Pretext<B: Backend>: Module<B> + ModuleDisplay {
    /// As [`Objective::compared`], with the encoder given.
    fn compared<E: Encoder<B>>(
        &self,
        _encoder: &E,
        _examples: &[Example<'_>],
        _device: &B::Device,
    ) -> Option<Compared> {
        None
    }

    /// As [`Objective::loss`], with the encoder given.
    fn loss<E: Encoder<B>>(
        &self,
        encoder: &E,
        examples: &[Example<'_>],
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Loss<B>;

    /// As [`Objective::learn`], with the encoder given.
    fn learn<E: Encoder<B>>(
        &self,
        encoder: &E,
        examples: &[Example<'_>],
        rng: &mut ChaCha8Rng,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        let loss = self.loss(encoder, examples, rng, device);
        backward(loss.value.clone());
        Loss { value: loss.value.detach(), ..loss }
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

impl<B: Backend, E: Encoder<B>, P: Pretext<B>> Objective<B> for PretextModel<B, E, P> {
    fn compared(&self, examples: &[Example<'_>], device: &B::Device) -> Option<Compared> {
        self.heads.compared(&self.encoder, examples, device)
    }

    fn loss(&self, examples: &[Example<'_>], rng: &mut ChaCha8Rng, device: &B::Device) -> Loss<B> {
        self.heads.loss(&self.encoder, examples, rng, device)
    }

    fn learn(
        &self,
        examples: &[Example<'_>],
        rng: &mut ChaCha8Rng,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        self.heads.learn(&self.encoder, examples, rng, device, backward)
    }
}
