//! The two blocks of a vector, brought to one scale: numbers that are learned from the training part and saved with the run.

use std::collections::BTreeMap;

use spaxiom_encoder::{EncoderError, NamedTensor, Pca};

use crate::engine::Weights;
use crate::error::EmbeddingError;

/// Added to deviations, so that what hardly varies does not become large.
const LEAST_DEVIATION: f64 = 1e-3;

/// A number further from the mean says no more than one there.
const MAX_DEVIATIONS: f32 = 8.0;

/// How the parts of a vector become blocks of the same mean length.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Blocks {
    pub(crate) encoder: Option<Block>,
    pub(crate) memory: Projection,
}

/// A block is moved to the mean 0 and scaled to a mean length of 1: it keeps its shape, and neither outweighs the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    mean: Vec<f32>,
    scale: f32,
}

/// A memory as principal components of its standardized numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Projection {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    pca: Pca,
    block: Block,
}

impl Block {
    /// Learns from rows of `dim` numbers.
    pub(crate) fn fit(rows: &[f32], dim: usize) -> Self {
        let (mean, _) = moments(rows, dim);
        let mut block = Self { mean, scale: 1.0 };
        let centered = block.applied(rows);
        let lengths = centered.chunks_exact(dim).map(|row| row.iter().map(|x| f64::from(x * x)).sum::<f64>().sqrt());
        let mean_length = lengths.sum::<f64>() / (rows.len() / dim).max(1) as f64;
        block.scale = if mean_length > 0.0 { single(1.0 / mean_length) } else { 1.0 };
        block
    }

    pub(crate) fn applied(&self, rows: &[f32]) -> Vec<f32> {
        rows.iter().zip(self.mean.iter().cycle()).map(|(value, mean)| (value - mean) * self.scale).collect()
    }
}

impl Projection {
    /// Learns from rows of a memory of `n_features` numbers.
    ///
    /// # Errors
    /// Fewer than two rows.
    pub(crate) fn fit(rows: &[f32], n_features: usize, width: usize) -> Result<Self, EmbeddingError> {
        let (mean, deviation) = moments(rows, n_features);
        let standardized = standardized(rows, &mean, &deviation);
        let pca = Pca::fit(&standardized, n_features, width.clamp(1, n_features))?;
        let block = Block::fit(&pca.transform(&standardized), pca.n_components());
        Ok(Self { mean, deviation, pca, block })
    }

    /// Numbers of a projected row.
    pub(crate) fn width(&self) -> usize {
        self.pca.n_components()
    }

    pub(crate) fn applied(&self, rows: &[f32]) -> Vec<f32> {
        self.block.applied(&self.pca.transform(&standardized(rows, &self.mean, &self.deviation)))
    }
}

impl Blocks {
    /// The numbers by name.
    pub(crate) fn tensors(&self) -> Weights {
        let Self { encoder, memory: Projection { mean, deviation, pca, block } } = self;
        let mut tensors = BTreeMap::new();
        let mut add = |name: &str, values: &[f32]| {
            tensors.insert(name.to_owned(), NamedTensor { shape: vec![values.len()], values: values.to_vec() });
        };
        if let Some(Block { mean, scale }) = encoder {
            add("encoder.mean", mean);
            add("encoder.scale", &[*scale]);
        }
        add("memory.mean", mean);
        add("memory.deviation", deviation);
        add("memory.block.mean", &block.mean);
        add("memory.block.scale", &[block.scale]);
        tensors.extend(pca.tensors().into_iter().map(|(name, tensor)| (format!("{PCA}{name}"), tensor)));
        tensors
    }

    /// From the numbers that [`Blocks::tensors`] gives.
    ///
    /// # Errors
    /// The first name that is missing or has a shape that does not fit the others.
    pub(crate) fn from_tensors(tensors: &Weights) -> Result<Self, EncoderError> {
        let values = |name: &str| match tensors.get(name) {
            Some(tensor) => Ok(tensor.values.clone()),
            None => Err(EncoderError::MissingTensor { name: name.into() }),
        };
        let block = |prefix: &str| -> Result<Block, EncoderError> {
            let scale = values(&format!("{prefix}.scale"))?.first().copied().unwrap_or(1.0);
            Ok(Block { mean: values(&format!("{prefix}.mean"))?, scale })
        };
        let of_pca = tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(PCA)?.into(), tensor.clone())));
        let memory = Projection {
            mean: values("memory.mean")?,
            deviation: values("memory.deviation")?,
            pca: Pca::from_tensors(&of_pca.collect())?,
            block: block("memory.block")?,
        };
        let encoder = tensors.contains_key("encoder.mean").then(|| block("encoder")).transpose()?;
        Ok(Self { encoder, memory })
    }
}

const PCA: &str = "memory.pca.";

/// Mean and deviation of every column.
fn moments(rows: &[f32], dim: usize) -> (Vec<f32>, Vec<f32>) {
    let n = (rows.len() / dim).max(1) as f64;
    let mut sums = vec![(0f64, 0f64); dim];
    for row in rows.chunks_exact(dim) {
        for ((sum, squares), value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value);
            *squares += f64::from(*value).powi(2);
        }
    }
    let moments = |(sum, squares): (f64, f64)| {
        let mean = sum / n;
        (single(mean), single((squares / n - mean * mean).max(0.0).sqrt() + LEAST_DEVIATION))
    };
    sums.into_iter().map(moments).unzip()
}

fn standardized(rows: &[f32], mean: &[f32], deviation: &[f32]) -> Vec<f32> {
    let columns = mean.iter().zip(deviation).cycle();
    let value = |(value, (mean, deviation)): (&f32, (&f32, &f32))| {
        ((value - mean) / deviation).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)
    };
    rows.iter().zip(columns).map(value).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "vectors are 32-bit floats")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::{Block, Blocks, Projection};

    fn rows() -> Vec<f32> {
        (0..40).flat_map(|at| [at as f32, (at * at % 7) as f32, 3.0]).collect()
    }

    #[test]
    fn a_block_has_mean_0_and_mean_length_1() {
        let rows = rows();
        let block = Block::fit(&rows, 3).applied(&rows);
        for column in 0..3 {
            assert!(block.iter().skip(column).step_by(3).sum::<f32>().abs() < 1e-4);
        }
        let lengths = block.chunks_exact(3).map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt());
        assert!((lengths.sum::<f32>() / 40.0 - 1.0).abs() < 1e-5);
    }

    #[test]
    fn blocks_are_read_as_they_were_saved() {
        let rows = rows();
        let memory = Projection::fit(&rows, 3, 128).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(memory.width(), 3);
        for encoder in [None, Some(Block::fit(&rows, 3))] {
            let blocks = Blocks { encoder, memory: memory.clone() };
            let read = Blocks::from_tensors(&blocks.tensors()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read, blocks);
        }
    }
}
