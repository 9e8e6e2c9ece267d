//! An encoder with a projection head, for contrastive training.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::batch::EventBatch;
use crate::encoder::Encoder;
use crate::init::WeightRng;
use crate::layers::projection::ProjectionHead;

/// The seed's `ContrastiveEventEncoder`: any encoder, and a head whose vectors are compared while it is trained.
///
/// The head has two layers and its vectors have length 1, so that their products are cosines (`SimCLR`, Chen et al. 2020).
/// What is invariant to the augmentations gathers in the head, so that after training the vectors of the base are the better ones:
/// [`ContrastiveEventEncoder::into_base`] drops it.
///
/// ```
/// use burn_flex::Flex;
/// use spaxiom_encoder::{BatchLayout, ContrastiveEventEncoder, EventBatch, Preset, TransformerEventEncoderConfig};
/// use spaxiom_token::TokenSequence;
///
/// let (layout, device) = (BatchLayout::new(&[12, 20]), Default::default());
/// let base_encoder = TransformerEventEncoderConfig::from(Preset::Tiny).init::<Flex>(&layout, 0, &device);
/// let encoder = ContrastiveEventEncoder::new(base_encoder, 32, 1, &device);
/// let mut tokens = TokenSequence::new(2);
/// tokens.push([7, 9]);
/// let batch = EventBatch::new(&layout, &[tokens.window(0, 1)], &device);
/// assert_eq!(encoder.project(&batch).dims(), [1, 32]);
/// let base_encoder = encoder.into_base();
/// # let _ = base_encoder;
/// ```
#[derive(Module, Debug)]
pub struct ContrastiveEventEncoder<B: Backend, E> {
    /// Named as in every other model, so that its weights are found by the same names.
    encoder: E,
    head: ProjectionHead<B>,
}

impl<B: Backend, E: Encoder<B>> ContrastiveEventEncoder<B, E> {
    /// Puts a head on `base` that gives `d_projection` numbers.
    pub fn new(base: E, d_projection: usize, seed: u64, device: &B::Device) -> Self {
        let head = ProjectionHead::new(base.d_model(), d_projection, &mut WeightRng::new(seed), device);
        Self { encoder: base, head }
    }

    /// The vectors to compare, `[batch, d_projection]`, each of length 1.
    pub fn project(&self, batch: &EventBatch<B>) -> Tensor<B, 2> {
        self.head.forward(self.encoder.encode(batch).pooled)
    }

    /// The encoder that was put in.
    pub fn base(&self) -> &E {
        &self.encoder
    }

    /// The same without the head.
    #[must_use]
    pub fn into_base(self) -> E {
        self.encoder
    }
}
