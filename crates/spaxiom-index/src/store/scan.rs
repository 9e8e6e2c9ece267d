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

/// The nearest of the rows from `first` on; without `hot` nothing is kept in memory.
pub(super) fn scan(
    view: &View,
    hot: Option<&Hot>,
    first: usize,
    asked: Asked<'_>,
) -> Result<Vec<Neighbor>, IndexError> {
    if first >= view.n_rows() || asked.k == 0 {
        return Ok(Vec::new());
    }
    let in_memory = hot.map(|hot| hot.blocks(view, first)).transpose()?.unwrap_or_default();
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
    let mut nearest = Nearest::new(asked.k);
    each(view, asked.query, rows, |row, similarity| nearest.offer(id(row), similarity))?;
    Ok(nearest.into_sorted())
}

/// Gives the similarity of each of these rows, which are in ascending order.
fn each(view: &View, query: &[f32], rows: &[usize], mut give: impl FnMut(usize, f32)) -> Result<(), IndexError> {
    let mut read = Vec::new();
    for run in runs(rows) {
        view.vectors.read(run.clone(), &mut read)?;
        dots(&read, view.vectors.stride(), query, |place, similarity| give(run.start + place, similarity));
    }
    Ok(())
}

/// Estimates that are compared first, in multiples of k; as many again as all before come next.
const AT_FIRST: usize = 4;

/// Estimates that are compared by several threads.
const SHARED: usize = 512;

/// An estimate is not compared if it lies below the last hit by more than so many of the errors seen so far.
const N_ERRORS: f32 = 3.0;

/// The nearest of vectors whose similarity is estimated, the best first: ranked by the vectors themselves,
/// as far down as the errors of the estimates could bring another one among them.
pub(super) fn rank(view: &View, asked: Asked<'_>, estimates: &[Neighbor]) -> Result<Vec<Neighbor>, IndexError> {
    let mut nearest: Vec<Neighbor> = Vec::new();
    let (mut squares, mut n_compared) = (0.0, 0);
    while n_compared < estimates.len() {
        let part = &estimates[n_compared..];
        let error = (squares / n_compared.max(1) as f32).sqrt();
        let is_full = nearest.len() == asked.k;
        if is_full && nearest.last().is_some_and(|last| part[0].similarity + N_ERRORS * error < last.similarity) {
            break;
        }
        let part = &part[..part.len().min(n_compared.max(AT_FIRST * asked.k).max(1))];
        let mut by_row: Vec<(usize, f32)> = part.iter().map(|n| (row(n.id), n.similarity)).collect();
        by_row.sort_unstable_by_key(|(row, _)| *row);
        let compared: Vec<Vec<(Neighbor, f32)>> = by_row
            .par_chunks(if by_row.len() < SHARED { by_row.len() } else { SHARED / 2 })
            .map(|part| compared(view, asked.query, part))
            .collect::<Result<_, IndexError>>()?;
        for (neighbor, error) in compared.into_iter().flatten() {
            squares += error * error;
            nearest.push(neighbor);
        }
        n_compared += part.len();
        nearest = top_k(nearest, asked.k);
    }
    Ok(nearest)
}

/// Rows with their similarity, and how far it is from the estimate.
fn compared(view: &View, query: &[f32], part: &[(usize, f32)]) -> Result<Vec<(Neighbor, f32)>, IndexError> {
    let rows: Vec<usize> = part.iter().map(|(row, _)| *row).collect();
    let (mut found, mut estimates) = (Vec::with_capacity(part.len()), part.iter());
    each(view, query, &rows, |row, similarity| {
        let estimate = estimates.next().map_or(similarity, |(_, estimate)| *estimate);
        found.push((Neighbor { id: id(row), similarity }, estimate - similarity));
    })?;
    Ok(found)
}

fn row(id: VectorId) -> usize {
    usize::try_from(id.0).expect("rows are not negative")
}

/// Rows that follow each other, of rows in ascending order.
fn runs(rows: &[usize]) -> impl Iterator<Item = Range<usize>> {
    rows.chunk_by(|a, b| a + 1 == *b).flat_map(|run| run.chunks(BLOCK)).map(|run| run[0]..run[0] + run.len())
}

fn id(row: usize) -> VectorId {
    VectorId(i64::try_from(row).expect("rows are counted in 63 bits"))
}
