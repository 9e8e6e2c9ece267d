//! Hard negatives from the index.

use rayon::prelude::*;
use spaxiom_index::{Exact, IndexError, IndexKind, KindName, KindSettings, Rows, VectorId};
use spaxiom_objective::{Neighbors, ObjectiveError};

/// Up to so many vectors all of them are compared: exact, and as fast as building a graph.
const EXACT: usize = 2_000;

/// Finds the neighbors of vectors by an index that is built for them and dropped again.
pub(crate) struct IndexNeighbors;

impl Neighbors for IndexNeighbors {
    fn nearest(&self, vectors: &[f32], dim: usize, k: usize) -> Result<Vec<Vec<usize>>, ObjectiveError> {
        nearest(vectors, dim, k).map_err(|source| ObjectiveError::Given(Box::new(source)))
    }
}

fn nearest(vectors: &[f32], dim: usize, k: usize) -> Result<Vec<Vec<usize>>, IndexError> {
    let n = vectors.len() / dim.max(1);
    let ids: Vec<VectorId> = (0..).take(n).map(VectorId).collect();
    let rows = Rows::new(dim, &ids, vectors)?;
    let index = if n <= EXACT {
        Exact.build(&rows, &())?
    } else {
        KindName::default().open(&KindSettings::default())?.build(&rows, &())?
    };
    let others = |(own, vector): (usize, &[f32])| {
        let found = index.search(vector, k + 1)?.into_iter();
        let found = found.filter_map(|neighbor| usize::try_from(neighbor.id.0).ok()).filter(|other| *other != own);
        Ok(found.take(k).collect())
    };
    vectors.par_chunks_exact(dim.max(1)).enumerate().map(others).collect()
}

#[cfg(test)]
mod tests {
    use spaxiom_objective::Neighbors;

    use super::{EXACT, IndexNeighbors};

    /// Points on a circle, of which each is nearest to the two beside it; as many as the graph is used for.
    #[test]
    fn the_nearest_are_found_and_none_is_its_own_neighbor() {
        for n in [40, EXACT + 40] {
            #[expect(clippy::cast_possible_truncation, reason = "a test on a circle")]
            let point = |at: usize| {
                let (sin, cos) = (std::f64::consts::TAU * at as f64 / n as f64).sin_cos();
                [sin as f32, cos as f32]
            };
            let vectors: Vec<f32> = (0..n).flat_map(point).collect();
            let found = IndexNeighbors.nearest(&vectors, 2, 2).unwrap();
            let is_right = |(own, near): (usize, &Vec<usize>)| {
                near.len() == 2 && near.iter().all(|&other| [1, n - 1].contains(&((other + n - own) % n)))
            };
            let n_right = found.iter().enumerate().filter(|(own, near)| is_right((*own, near))).count();
            assert!(n_right * 100 >= n * 95, "{n_right} of {n}");
        }
        assert!(IndexNeighbors.nearest(&[], 2, 2).unwrap().is_empty());
    }
}
