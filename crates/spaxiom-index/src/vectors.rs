//! Rows of vectors, and their lengths and inner products.

use crate::error::IndexError;

/// Identifies a vector within one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VectorId(pub i64);

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

    /// Dimension of the vectors.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The ids, one per row.
    #[must_use]
    pub fn ids(&self) -> &'a [VectorId] {
        self.ids
    }

    /// The vectors, row after row.
    #[must_use]
    pub fn vectors(&self) -> &'a [f32] {
        self.vectors
    }
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

/// Inner product with eight partial sums, which the compiler turns into vector instructions.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}
