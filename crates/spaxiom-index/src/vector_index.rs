//! An index that is built, and what it finds.

use std::cmp::Ordering;
use std::fmt;

use crate::error::IndexError;
use crate::id_set::IdSet;
use crate::vectors::VectorId;

/// A vector near a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// Id of the vector.
    pub id: VectorId,
    /// Cosine similarity to the query, -1 to 1; greater is nearer.
    pub similarity: f32,
}

/// Finds the nearest of the vectors that it was built from.
///
/// All vectors have length 1, so the inner product is the cosine similarity.
/// Several threads may search at once.
pub trait VectorIndex: fmt::Debug + Send + Sync {
    /// Dimension of the vectors.
    fn dim(&self) -> usize;

    /// Number of vectors.
    fn len(&self) -> usize;

    /// Whether the index holds no vector.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds the `k` nearest vectors, nearest first.
    ///
    /// Gives fewer if the index holds fewer, or if an approximate index reaches fewer:
    /// a store then compares every vector.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] for a query of another dimension.
    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError>;

    /// The same with more effort, for a query that lies farther from the vectors than these lie from each other.
    ///
    /// # Errors
    /// As of [`VectorIndex::search`].
    fn search_wider(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        self.search(query, k)
    }

    /// How many vectors a store compares exactly at most to find `k`; none if similarities are exact as they come.
    ///
    /// An index that keeps codes in place of vectors estimates similarities.
    /// A store asks it for so many, compares the best of them with the vectors themselves, and goes on
    /// as long as the errors that it sees could bring another one among the nearest.
    fn n_candidates(&self, k: usize) -> Option<usize> {
        let _ = k;
        None
    }

    /// The search within a set of ids, if this index has one.
    ///
    /// Without one, a store compares the records that pass a filter one by one.
    fn filtered(&self) -> Option<&dyn FilteredIndex> {
        None
    }
}

/// An index that searches within a set of ids.
pub trait FilteredIndex {
    /// Finds the `k` nearest of the vectors whose ids are in `ids`, nearest first.
    ///
    /// If it gives fewer than `k` although `ids` holds more, the store compares every record that passes.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] for a query of another dimension.
    fn search_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError>;

    /// The same with more effort, where what was found lies farther from the query than vectors lie from each other.
    ///
    /// An index that cannot do better gives nothing, and the store compares every record that passes.
    ///
    /// # Errors
    /// As of [`FilteredIndex::search_among`].
    fn search_wider_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        self.search_among(query, k, ids)
    }

    /// The number of ids up to which comparing their vectors one by one is the better search.
    fn n_compared(&self) -> usize {
        0
    }
}

/// The `k` greatest similarities, greatest first; equal ones in order of their ids.
pub(crate) fn top_k(mut neighbors: Vec<Neighbor>, k: usize) -> Vec<Neighbor> {
    if k < neighbors.len() {
        neighbors.select_nth_unstable_by(k, nearer);
        neighbors.truncate(k);
    }
    neighbors.sort_unstable_by(nearer);
    neighbors
}

/// The nearer one first; of two that are equally near, the one with the smaller id.
fn nearer(a: &Neighbor, b: &Neighbor) -> Ordering {
    b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id))
}

/// Keeps the `k` nearest of a stream of neighbors.
#[derive(Debug)]
pub(crate) struct Nearest {
    k: usize,
    /// At most twice `k`; cut to `k` whenever it is full.
    kept: Vec<Neighbor>,
    /// What is not above it is none of the `k`.
    least: f32,
    n_offered: usize,
}

impl Nearest {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, kept: Vec::with_capacity(2 * k.min(1 << 16)), least: f32::NEG_INFINITY, n_offered: 0 }
    }

    /// The similarity that a neighbor has to reach.
    #[inline]
    pub(crate) fn least(&self) -> f32 {
        self.least
    }

    /// Neighbors that were among the `k` when they came, as far as was known then.
    pub(crate) fn n_offered(&self) -> usize {
        self.n_offered
    }

    #[inline]
    pub(crate) fn offer(&mut self, id: VectorId, similarity: f32) {
        if similarity < self.least || self.k == 0 {
            return;
        }
        self.n_offered += 1;
        self.kept.push(Neighbor { id, similarity });
        if self.kept.len() >= 2 * self.k {
            self.cut();
        }
    }

    fn cut(&mut self) {
        // The order of those that stay is nobody's yet.
        let (_, last, _) = self.kept.select_nth_unstable_by(self.k - 1, nearer);
        self.least = last.similarity;
        self.kept.truncate(self.k);
    }

    pub(crate) fn into_sorted(self) -> Vec<Neighbor> {
        top_k(self.kept, self.k)
    }
}
