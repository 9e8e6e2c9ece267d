//! Exact search: every vector that passes is compared.

use std::ops::Range;

use half::f16;
use rayon::prelude::*;

use crate::error::IndexError;
use crate::id_set::IdSet;
use crate::kernels::dots;
use crate::store::hot::{BLOCK, Block, Hot};
use crate::store::view::View;
use crate::vector_index::{Nearest, Neighbor, top_k};
use crate::vectors::VectorId;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Of length 1.
    pub(super) query: &'a [f32],
    pub(super) k: usize,
    /// The rows that may be found; all of a view that has no dead ones if there is none.
    pub(super) among: Option<&'a IdSet>,
}

/// The nearest of the rows from `first` on.
pub(super) fn scan(view: &View, hot: &Hot, first: usize, asked: Asked<'_>) -> Result<Vec<Neighbor>, IndexError> {
    if first >= view.n_rows() || asked.k == 0 {
        return Ok(Vec::new());
    }
    let in_memory = hot.blocks(view, first)?;
    let n_on_disk = in_memory.first().map_or(view.n_rows(), |block| block.first);
    let on_disk: Vec<usize> = (first / BLOCK * BLOCK..n_on_disk).step_by(BLOCK).collect();
    let from_memory = in_memory.par_iter().map(|block| Ok(of_block(view, block, first, asked)));
    let from_disk = on_disk.par_iter().map_init(Vec::new, |rows, &start| {
        if asked.among.is_some_and(|among| !among.has_any(start..start + BLOCK)) {
            return Ok(Vec::new());
        }
        let range = start..(start + BLOCK).min(n_on_disk);
        view.vectors.read(range, rows)?;
        Ok(of_rows(view, rows, start, first, asked))
    });
    let found: Vec<Vec<Neighbor>> = from_memory.chain(from_disk).collect::<Result<_, IndexError>>()?;
    Ok(top_k(found.concat(), asked.k))
}

fn of_block(view: &View, block: &Block, first: usize, asked: Asked<'_>) -> Vec<Neighbor> {
    let n_rows = view.n_rows().saturating_sub(block.first) * view.vectors.stride();
    of_rows(view, &block.rows[..n_rows.min(block.rows.len())], block.first, first, asked)
}

fn of_rows(view: &View, rows: &[f16], start: usize, first: usize, asked: Asked<'_>) -> Vec<Neighbor> {
    let mut nearest = Nearest::new(asked.k);
    dots(rows, view.vectors.stride(), asked.query, |place, similarity| {
        let id = id(start + place);
        if start + place >= first && asked.among.is_none_or(|among| among.contains(id)) {
            nearest.offer(id, similarity);
        }
    });
    nearest.into_sorted()
}

/// The nearest of a few rows, each read by itself where they lie apart.
pub(super) fn compare(view: &View, asked: Asked<'_>, rows: &[usize]) -> Result<Vec<Neighbor>, IndexError> {
    let (mut nearest, mut read) = (Nearest::new(asked.k), Vec::new());
    for run in runs(rows) {
        view.vectors.read(run.clone(), &mut read)?;
        dots(&read, view.vectors.stride(), asked.query, |place, similarity| {
            nearest.offer(id(run.start + place), similarity);
        });
    }
    Ok(nearest.into_sorted())
}

/// Rows that follow each other, of rows in ascending order.
fn runs(rows: &[usize]) -> impl Iterator<Item = Range<usize>> {
    rows.chunk_by(|a, b| a + 1 == *b).flat_map(|run| run.chunks(BLOCK)).map(|run| run[0]..run[0] + run.len())
}

fn id(row: usize) -> VectorId {
    VectorId(i64::try_from(row).expect("rows are counted in 63 bits"))
}
