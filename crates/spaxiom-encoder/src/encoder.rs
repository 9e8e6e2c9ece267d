//! What every encoder gives.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::batch::EventBatch;

/// States and vectors of a batch of windows.
#[derive(Debug, Clone)]
pub struct Encoded<B: Backend> {
    /// One contextual state per position, `[batch, seq, d_model]`.
    pub states: Tensor<B, 3>,
    /// One vector per window, `[batch, d_model]`.
    pub pooled: Tensor<B, 2>,
}

/// Encodes windows of events.
pub trait Encoder<B: Backend> {
    /// Width of states and vectors.
    fn d_model(&self) -> usize;

    /// The longest window in events.
    fn max_len(&self) -> usize;

    /// Encodes a batch.
    ///
    /// # Panics
    /// Where a window is longer than [`Encoder::max_len`]: windows are cut by whoever makes them.
    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B>;

    /// The same where nothing is learnt from it.
    ///
    /// An encoder that can do without a graph overrides this: what is detached only afterwards is held until the next backward pass.
    fn encode_detached(&self, batch: &EventBatch<B>) -> Encoded<B> {
        let Encoded { states, pooled } = self.encode(batch);
        Encoded { states: states.detach(), pooled: pooled.detach() }
    }
}
