//! Rows of vectors, where they are read from, and their lengths and inner products.

use std::ops::Range;

use crate::error::IndexError;
#[cfg(test)]
use crate::kernels::{dot_inlined, vectorized};

/// Identifies a vector within one index; not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VectorId(pub i64);

/// Vectors that an index is built from, read part by part.
///
/// A million vectors of 768 values are 3 GB: a kind that keeps less asks for them in blocks.
pub trait VectorSource: Sync {
    /// Dimension of the vectors.
    fn dim(&self) -> usize;

    /// The ids, one per vector, each once.
    fn ids(&self) -> &[VectorId];

    /// Replaces the content of `into` by the vectors at these places of [`ids`](VectorSource::ids), row after row.
    ///
    /// # Errors
    /// Vectors that cannot be read.
    fn read(&self, places: Range<usize>, into: &mut Vec<f32>) -> Result<(), IndexError>;
}

/// Vectors of one dimension with their ids, checked to belong together.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    dim: usize,
    ids: &'a [VectorId],
    vectors: &'a [f32],
}

impl<'a> Rows<'a> {
    /// Takes one id per row; `vectors` has shape `[ids.len(), dim]`, and each row has length 1.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] if `vectors` does not hold `ids.len()` rows.
    pub fn new(dim: usize, ids: &'a [VectorId], vectors: &'a [f32]) -> Result<Self, IndexError> {
        check_rows(dim, ids.len(), vectors)?;
        Ok(Self { dim, ids, vectors })
    }
}

impl VectorSource for Rows<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn ids(&self) -> &[VectorId] {
        self.ids
    }

    fn read(&self, places: Range<usize>, into: &mut Vec<f32>) -> Result<(), IndexError> {
        into.clear();
        into.extend_from_slice(&self.vectors[places.start * self.dim..places.end * self.dim]);
        Ok(())
    }
}

/// Vectors that lie evenly spread over a source, at most `n`, one after another.
pub(crate) fn sample(source: &dyn VectorSource, n: usize) -> Result<Vec<f32>, IndexError> {
    let n_all = source.ids().len();
    let n = n.min(n_all);
    let (mut rows, mut row) = (Vec::with_capacity(n * source.dim()), Vec::new());
    for place in (0..n).map(|number| number * n_all / n) {
        source.read(place..place + 1, &mut row)?;
        rows.extend_from_slice(&row);
    }
    Ok(rows)
}

/// Scales each row of `dim` values to length 1; rows of zeros stay as they are.
pub fn normalize(vectors: &mut [f32], dim: usize) {
    for row in vectors.chunks_exact_mut(dim) {
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            for value in row {
                *value /= length;
            }
        }
    }
}

/// Fails unless `vectors` holds `n_rows` rows of `dim` values.
pub(crate) fn check_rows(dim: usize, n_rows: usize, vectors: &[f32]) -> Result<(), IndexError> {
    if vectors.len() == n_rows * dim {
        return Ok(());
    }
    Err(IndexError::Dimension { want: dim, got: vectors.len() / n_rows.max(1) })
}

/// Inner product of two vectors.
#[cfg(test)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    vectorized(
        #[inline(always)]
        || dot_inlined(a, b),
    )
}
