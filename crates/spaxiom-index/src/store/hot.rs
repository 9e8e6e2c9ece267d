//! The last vectors of a store in memory: those that no index holds, and all of a small store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use half::f16;

use crate::error::IndexError;
use crate::store::view::View;

/// Rows of a block; a block begins at a multiple of it.
pub(super) const BLOCK: usize = 256;

/// Bytes of vectors that are kept.
const N_BYTES: usize = 64 << 20;

/// Rows that lie beside each other, as the file has them.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) first: usize,
    pub(super) rows: Arc<Vec<f16>>,
}

/// Blocks in the order of their rows.
#[derive(Debug, Default)]
pub(super) struct Hot {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    generation: u64,
    n_rows: usize,
    blocks: VecDeque<Block>,
}

impl Hot {
    /// Lets go of blocks before a row: an index has taken their place.
    pub(super) fn forget_before(&self, row: usize) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        while inner.blocks.front().is_some_and(|block| block.first + BLOCK <= row) {
            inner.blocks.pop_front();
        }
    }

    /// The blocks that hold the rows of a view from `first` on, as many of the last ones as are kept.
    pub(super) fn blocks(&self, view: &View, first: usize) -> Result<Vec<Block>, IndexError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation != view.extent.generation {
            *inner = Inner { generation: view.extent.generation, ..Inner::default() };
        }
        let stride = view.vectors.stride();
        let n_kept = N_BYTES / (stride * size_of::<f16>()).max(1);
        let start = first.max(view.n_rows().saturating_sub(n_kept)) / BLOCK * BLOCK;
        while inner.blocks.front().is_some_and(|block| block.first < start) {
            inner.blocks.pop_front();
        }
        let is_gap = inner.blocks.front().is_some_and(|block| block.first > start);
        if is_gap || inner.n_rows < start {
            inner.blocks.clear();
        }
        if inner.blocks.is_empty() {
            inner.n_rows = start;
        }
        while inner.n_rows < view.n_rows() {
            // The last block is read again when it has grown.
            let first = inner.n_rows / BLOCK * BLOCK;
            if inner.blocks.back().is_some_and(|block| block.first == first) {
                inner.blocks.pop_back();
            }
            let end = (first + BLOCK).min(view.n_rows());
            let mut rows = Vec::new();
            view.vectors.read(first..end, &mut rows)?;
            inner.blocks.push_back(Block { first, rows: Arc::new(rows) });
            inner.n_rows = end;
        }
        Ok(inner.blocks.iter().cloned().collect())
    }
}
