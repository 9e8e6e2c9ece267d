//! Exact search: compares every vector. The oracle of every faster kind.

use std::sync::Arc;

use serde::Deserialize;

use crate::error::IndexError;
use crate::id_set::IdSet;
use crate::index_kind::{IndexKind, Progress};
use crate::kernels::{dot_inlined, vectorized};
use crate::settings::KindSettings;
use crate::vector_index::{FilteredIndex, Nearest, Neighbor, VectorIndex};
use crate::vectors::{VectorId, VectorSource, check_rows};

/// It has no settings, and refuses those of another kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExactOptions {}

/// Exact search; a store of this kind has no index and compares its vectors in half precision.
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

    fn build(&self, source: &dyn VectorSource, progress: &dyn Progress) -> Result<Box<dyn VectorIndex>, IndexError> {
        let ids = source.ids().to_vec();
        let mut vectors = Vec::new();
        source.read(0..ids.len(), &mut vectors)?;
        progress.done(ids.len())?;
        Ok(Box::new(ExactIndex { dim: source.dim(), ids, vectors }))
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
        let mut nearest = Nearest::new(k);
        vectorized(
            #[inline(always)]
            || {
                for (&id, row) in self.ids.iter().zip(self.vectors.chunks_exact(self.dim)) {
                    if is_wanted(id) {
                        nearest.offer(id, dot_inlined(row, query));
                    }
                }
            },
        );
        Ok(nearest.into_sorted())
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
