//! What every objective implements, and the model that a run trains: an encoder with the heads of an objective.

use burn::module::{AutodiffModule, Module, ModuleDisplay};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventEncoderConfig};
use spaxiom_token::{LayoutName, TokenizerOptions};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::metric::Metric;

/// The loss of one batch, and metrics to watch beside it.
#[derive(Debug)]
pub struct Loss<B: Backend> {
    /// Mean over the predictions of the batch, `[1]`; smaller is better.
    pub value: Tensor<B, 1>,
    /// How many predictions the mean is over: the weight of this batch in a mean over batches.
    pub n_predictions: usize,
    /// Metrics of the batch.
    pub metrics: Vec<Metric>,
}

impl<B: Backend> Loss<B> {
    /// Hands the whole loss to `backward`, and returns it detached from its graph.
    pub(crate) fn learned(self, backward: &mut Backward<'_, B>) -> Self {
        backward(self.value.clone());
        Self { value: self.value.detach(), ..self }
    }
}

/// Takes one summand of a loss at a time and adds its gradients to those of the step.
pub type Backward<'a, B> = dyn FnMut(Tensor<B, 1>) + 'a;

/// The vectors that an objective compares, row after row, each of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Dimensions of a vector.
    pub dim: usize,
    /// `[n, dim]`.
    pub vectors: Vec<f32>,
}

/// What a batch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Training: whatever makes learning harder, such as dropout, is applied.
    Learn,
    /// Evaluation.
    Judge,
}

/// The part of an objective without weights: prepares masks, views and pairs from examples, before there are tensors.
///
/// It runs on its own thread, so that the next batch is prepared during the current step.
pub trait Preparer: Send {
    /// What a loss is computed from.
    type Batch: Send;

    /// Prepares a batch; all randomness comes from `rng`.
    fn prepare(&self, examples: &[Example<'_>], purpose: Purpose, rng: &mut ChaCha8Rng) -> Self::Batch;
}

/// What a task makes of examples.
pub type Batch<T> = <T as Preparer>::Batch;

/// Heads over an encoder, and the loss that trains both.
///
/// The encoder is an argument, so that replicas of it can share the work of a step.
pub trait Objective<B: Backend>: Module<B> + ModuleDisplay {
    /// Prepares the batches.
    type Task: Preparer;

    /// The part without weights.
    fn task(&self) -> Self::Task;

    /// The vectors of examples as the objective compares them; `None` if it compares nothing.
    fn compared<E: Encoder<B>>(
        &self,
        _encoder: &E,
        _examples: &[Example<'_>],
        _device: &B::Device,
    ) -> Option<Compared> {
        None
    }

    /// The loss of a batch.
    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &Batch<Self::Task>, device: &B::Device) -> Loss<B>;

    /// The loss of a batch, with every summand that needs gradients handed to `backward`.
    ///
    /// One by one, so that an objective over many examples need not hold all their graphs at once.
    fn learn<E: Encoder<B>>(
        &self,
        encoder: &E,
        batch: &Batch<Self::Task>,
        device: &B::Device,
        backward: &mut Backward<'_, B>,
    ) -> Loss<B> {
        self.loss(encoder, batch, device).learned(backward)
    }
}

/// The encoder and the tokens that an objective is asked to work with.
#[derive(Debug, Clone, Copy)]
pub struct ModelSetting<'a> {
    /// The encoder.
    pub encoder: &'a EventEncoderConfig,
    /// The tokenizer.
    pub tokenizer: &'a TokenizerOptions,
}

impl ModelSetting<'_> {
    /// Fails without a position per event.
    pub(crate) fn require_position_per_event(&self, objective: &'static str) -> Result<(), ObjectiveError> {
        if self.tokenizer.layout == LayoutName::Composite {
            return Ok(());
        }
        Err(ObjectiveError::Unfit { objective, want: "a position per event: tokens `composite`" })
    }
}

/// The settings of an objective, as a section of an experiment file has them.
pub trait ObjectiveOptions {
    /// Prepares the batches.
    type Task: Preparer;
    /// The heads that these settings give.
    type Heads<B: Backend>: Objective<B, Task = Self::Task>;

    /// Whether examples have to carry their events, for example to make views of them.
    const NEEDS_EVENTS: bool = false;

    /// Whether examples have to know their moments: what came before and after their windows.
    const NEEDS_MOMENTS: bool = false;

    /// Whether examples have to carry a class.
    const NEEDS_CLASSES: bool = false;

    /// Fails if a setting is out of range, or names something that the data do not have.
    ///
    /// # Errors
    /// [`ObjectiveError::Setting`]
    fn check(&self, context: &ObjectiveContext) -> Result<(), ObjectiveError>;

    /// Fails if the objective could be met without learning anything, or not at all.
    ///
    /// # Errors
    /// [`ObjectiveError::Unfit`]
    fn require(&self, _setting: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        Ok(())
    }

    /// Changes encoder and tokens where the objective needs it.
    fn adapt(_encoder: &mut EventEncoderConfig, _tokenizer: &mut TokenizerOptions) {}

    /// Initializes the heads, for an encoder with states of width `d_model`; the settings have been checked.
    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        context: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> Self::Heads<B>;
}

/// An encoder that can be trained.
pub trait TrainableEncoder<B: AutodiffBackend>:
    Encoder<B> + ModuleDisplay + AutodiffModule<B, InnerModule: Encoder<B::InnerBackend> + ModuleDisplay>
{
}

impl<B: AutodiffBackend, E> TrainableEncoder<B> for E where
    E: Encoder<B> + ModuleDisplay + AutodiffModule<B, InnerModule: Encoder<B::InnerBackend> + ModuleDisplay>
{
}

/// An objective that an encoder can be trained by.
pub trait TrainableObjective<B: AutodiffBackend>:
    Objective<B> + AutodiffModule<B, InnerModule: Objective<B::InnerBackend>>
{
}

impl<B: AutodiffBackend, O> TrainableObjective<B> for O where
    O: Objective<B> + AutodiffModule<B, InnerModule: Objective<B::InnerBackend>>
{
}

/// An encoder with the heads of an objective: what a run trains.
#[derive(Module, Debug)]
pub struct Model<B: Backend, E, O> {
    encoder: E,
    heads: O,
    #[module(skip)]
    backend: std::marker::PhantomData<B>,
}

impl<B: Backend, E: Encoder<B>, O: Objective<B>> Model<B, E, O> {
    /// Puts heads on an encoder.
    pub fn new(encoder: E, heads: O) -> Self {
        Self { encoder, heads, backend: std::marker::PhantomData }
    }

    /// The encoder.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The heads, which know the loss.
    pub fn objective(&self) -> &O {
        &self.heads
    }
}
