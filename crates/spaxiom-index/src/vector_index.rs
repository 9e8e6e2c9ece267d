//! An index that is built, and what it finds.

use std::fmt;

use crate::error::IndexError;
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
}

/// A set of vector ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdSet {
    /// In ascending order, each once.
    ids: Vec<VectorId>,
}

impl FromIterator<VectorId> for IdSet {
    fn from_iter<I: IntoIterator<Item = VectorId>>(ids: I) -> Self {
        let mut ids: Vec<VectorId> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Self { ids }
    }
}

impl IdSet {
    /// Whether the set holds `id`.
    #[must_use]
    pub fn contains(&self, id: VectorId) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// Number of ids.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the set holds no id.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// The `k` greatest similarities, greatest first; equal ones in order of their ids.
pub(crate) fn top_k(mut neighbors: Vec<Neighbor>, k: usize) -> Vec<Neighbor> {
    let order = |a: &Neighbor, b: &Neighbor| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id));
    if k < neighbors.len() {
        neighbors.select_nth_unstable_by(k, order);
        neighbors.truncate(k);
    }
    neighbors.sort_unstable_by(order);
    neighbors
}
