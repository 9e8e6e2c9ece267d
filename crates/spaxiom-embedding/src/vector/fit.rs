//! Learns the blocks of a run's vectors from its training part.

use spaxiom_encoder::WeightFile;
use spaxiom_eval::Split;
use spaxiom_token::{ClockedMemory, Tokenizer};

use super::blocks::{Block, Blocks, Projection};
use super::options::VectorOptions;
use crate::data::{SampleRequest, TrainingData};
use crate::engine::WindowEncoder;
use crate::error::EmbeddingError;

/// Moments that blocks are learned from, evenly spread over the training part.
const N_MOMENTS: usize = 20_000;

/// Learns mean, scale and components of both blocks; without an encoder those of the memory.
///
/// # Errors
/// Events that cannot be read, and fewer than two of them.
pub(crate) fn fit_blocks(
    data: &dyn TrainingData,
    split: &Split,
    tokenizer: &Tokenizer,
    memory: &ClockedMemory,
    encoder: Option<&dyn WindowEncoder>,
    options: &VectorOptions,
) -> Result<WeightFile, EmbeddingError> {
    let reach = encoder.map_or(1, WindowEncoder::reach);
    let request = SampleRequest { split, tokenizer, memory, max_len: reach, n_events: N_MOMENTS };
    let (mut remembered, mut encoded) = (Vec::new(), Vec::new());
    data.sample(&request, &mut |windows, rows| {
        remembered.extend(rows);
        if let Some(encoder) = encoder {
            encoded.extend(encoder.encode(windows));
        }
    })?;
    let memory = Projection::fit(&remembered, memory.n_features(), options.memory_width)?;
    let encoder = encoder.map(|encoder| Block::fit(&encoded, encoder.dim()));
    let metadata = format!("blocks of vectors, {} of memory", memory.width());
    Ok(WeightFile { tensors: Blocks { encoder, memory }.tensors(), metadata })
}
