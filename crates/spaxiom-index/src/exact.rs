//! Exact search: every vector is compared. The oracle of every faster index.

use crate::error::IndexError;
use crate::vector_index::{Neighbour, VectorId, VectorIndex, check_rows, top_k};

/// All vectors in memory, compared one by one.
#[derive(Debug, Clone)]
pub struct ExactIndex {
    dim: usize,
    ids: Vec<VectorId>,
    vectors: Vec<f32>,
}

impl ExactIndex {
    /// An empty index for vectors of `dim` numbers.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, ids: Vec::new(), vectors: Vec::new() }
    }
}

impl VectorIndex for ExactIndex {
    fn dim(&self) -> usize {
        self.dim
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn add(&mut self, ids: &[VectorId], vectors: &[f32]) -> Result<(), IndexError> {
        check_rows(self.dim, ids.len(), vectors)?;
        self.ids.extend_from_slice(ids);
        self.vectors.extend_from_slice(vectors);
        Ok(())
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbour>, IndexError> {
        check_rows(self.dim, 1, query)?;
        let rows = self.ids.iter().zip(self.vectors.chunks_exact(self.dim));
        Ok(top_k(rows.map(|(&id, row)| Neighbour { id, similarity: dot(row, query) }).collect(), k))
    }
}

/// Inner product with eight sums side by side, which the compiler turns into vector instructions.
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
