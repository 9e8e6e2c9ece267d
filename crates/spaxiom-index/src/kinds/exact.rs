//! Exact search: compares every vector. The oracle of every faster kind.

use std::sync::Arc;

use serde::Deserialize;

use crate::error::IndexError;
use crate::index_kind::IndexKind;
use crate::settings::KindSettings;
use crate::vector_index::{FilteredIndex, IdSet, Neighbor, VectorIndex, top_k};
use crate::vectors::{Rows, VectorId, check_rows, dot};

/// It has no settings, and refuses those of another kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExactOptions {}

/// Exact search over vectors in memory; there is no file, and every start reads all vectors from the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exact;

/// The kind with these settings.
pub(super) fn open(settings: &KindSettings) -> Result<Arc<dyn IndexKind>, IndexError> {
    let ExactOptions {} = settings.parse()?;
    Ok(Arc::new(Exact))
}

impl IndexKind for Exact {
    fn name(&self) -> &'static str {
        "exact"
    }

    fn settings(&self) -> KindSettings {
        KindSettings::default()
    }

    fn build(&self, rows: Rows<'_>) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(ExactIndex { dim: rows.dim(), ids: rows.ids().to_vec(), vectors: rows.vectors().to_vec() }))
    }
}

/// All vectors in memory.
#[derive(Debug)]
struct ExactIndex {
    dim: usize,
    ids: Vec<VectorId>,
    vectors: Vec<f32>,
}

impl ExactIndex {
    fn nearest(
        &self,
        query: &[f32],
        k: usize,
        is_wanted: impl Fn(VectorId) -> bool,
    ) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim, 1, query)?;
        let rows = self.ids.iter().zip(self.vectors.chunks_exact(self.dim)).filter(|(id, _)| is_wanted(**id));
        Ok(top_k(rows.map(|(&id, row)| Neighbor { id, similarity: dot(row, query) }).collect(), k))
    }
}

impl VectorIndex for ExactIndex {
    fn dim(&self) -> usize {
        self.dim
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        self.nearest(query, k, |_| true)
    }

    fn filtered(&self) -> Option<&dyn FilteredIndex> {
        Some(self)
    }
}

impl FilteredIndex for ExactIndex {
    fn search_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        self.nearest(query, k, |id| ids.contains(id))
    }
}
