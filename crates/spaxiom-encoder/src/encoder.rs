//! What every encoder gives, and what its shape says of it.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::batch::EventBatch;
use crate::error::EncoderError;

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

    /// The same where nothing is learned from it.
    ///
    /// An encoder that can do without a graph overrides this: what is detached only afterwards is held until the next backward pass.
    fn encode_detached(&self, batch: &EventBatch<B>) -> Encoded<B> {
        let Encoded { states, pooled } = self.encode(batch);
        Encoded { states: states.detach(), pooled: pooled.detach() }
    }
}

/// The shape of an encoder: what a program has to know of it before there are weights.
pub trait EncoderConfig {
    /// Fails where the shape is impossible.
    fn check(&self) -> Result<(), EncoderError>;

    /// Width of states and vectors.
    fn d_model(&self) -> usize;

    /// Longest window in events.
    fn max_len(&self) -> usize;

    /// Sets the longest window in events.
    fn set_max_len(&mut self, max_len: usize);

    /// Whether it reads the edges between events; not, where it does not say.
    fn needs_edges(&self) -> bool {
        false
    }

    /// Whether it reads how long before the last event of its window an event was; not, where it does not say.
    fn needs_ages(&self) -> bool {
        false
    }

    /// Whether it knows the order of events from their edges alone; not, where it does not say.
    fn knows_order_from_edges(&self) -> bool {
        false
    }

    /// Whether a state knows nothing of the events after it, nor of when they come: what next-event prediction needs.
    fn sees_no_future(&self) -> bool {
        false
    }

    /// Whether it goes on event by event, so that its vectors reach back as far as a site does; not, where it does not say.
    fn goes_on(&self) -> bool {
        false
    }

    /// Makes it read from the past alone, where it can.
    fn hide_future(&mut self) {}

    /// Copies of the encoder that train faster on a CPU than one does; 4, where it does not say (docs/performance.md).
    ///
    /// Not as many as there are threads: gradients are summed in the order of the copies, so that a run is the same with any number of threads.
    fn n_copies_on_cpu(&self) -> usize {
        4
    }

    /// Whether this shape has a way of its own on the CPU, where its kind has one.
    fn has_inference(&self) -> bool {
        true
    }
}
