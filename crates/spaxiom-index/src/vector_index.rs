//! What every index gives.

use crate::error::IndexError;

/// Names a vector within one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VectorId(pub i64);

/// A vector near a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Which one.
    pub id: VectorId,
    /// Cosine of the angle to the query, -1 to 1; greater is nearer.
    pub similarity: f32,
}

/// Finds near vectors; all vectors have length 1, so the inner product is the cosine.
pub trait VectorIndex: Send + Sync {
    /// Width of the vectors.
    fn dim(&self) -> usize;

    /// Number of vectors.
    fn len(&self) -> usize;

    /// Whether there is no vector.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds vectors, row after row, one id each.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] where `vectors` does not hold `ids.len()` rows.
    fn add(&mut self, ids: &[VectorId], vectors: &[f32]) -> Result<(), IndexError>;

    /// The `k` nearest vectors, nearest first; fewer where the index holds fewer,
    /// or where an approximate one does not reach as many.
    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbour>, IndexError>;
}

/// Scales each row of `dim` numbers to length 1; rows of zeros stay as they are.
pub fn normalise(vectors: &mut [f32], dim: usize) {
    for row in vectors.chunks_exact_mut(dim) {
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            for value in row {
                *value /= length;
            }
        }
    }
}

/// Fails unless `vectors` holds `n_rows` rows of `dim` numbers.
pub(crate) fn check_rows(dim: usize, n_rows: usize, vectors: &[f32]) -> Result<(), IndexError> {
    if vectors.len() == n_rows * dim {
        return Ok(());
    }
    Err(IndexError::Dimension { want: dim, got: vectors.len() / n_rows.max(1) })
}

/// The `k` greatest similarities, greatest first; equal ones in order of their ids.
pub(crate) fn top_k(mut neighbours: Vec<Neighbour>, k: usize) -> Vec<Neighbour> {
    let order = |a: &Neighbour, b: &Neighbour| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id));
    if k < neighbours.len() {
        neighbours.select_nth_unstable_by(k, order);
        neighbours.truncate(k);
    }
    neighbours.sort_unstable_by(order);
    neighbours
}
