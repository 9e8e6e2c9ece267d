//! Centers of inverted lists by k-means (Lloyd) over rotated vectors.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::rotation::Rotation;
use crate::error::IndexError;
use crate::kernels::{dot_inlined, vectorized};
use crate::vectors::{VectorSource, sample};

/// Vectors per list that centers are fitted to.
const N_PER_LIST: usize = 32;

const N_ROUNDS: usize = 8;

/// Rows that are assigned together.
const BLOCK: usize = 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clusters {
    n_values: usize,
    /// One center after another.
    centers: Vec<f32>,
    /// Half the squared length of each.
    half_squares: Vec<f32>,
}

impl Clusters {
    pub(super) fn of_centers(n_values: usize, centers: Vec<f32>) -> Self {
        let half_squares = centers.chunks_exact(n_values).map(|center| 0.5 * square(center)).collect();
        Self { n_values, centers, half_squares }
    }

    /// Fits `n_lists` centers to vectors that lie evenly spread over the source.
    pub(super) fn fit(source: &dyn VectorSource, rotation: &Rotation, n_lists: usize) -> Result<Self, IndexError> {
        let sample = rotation.rotate_rows(&sample(source, N_PER_LIST * n_lists)?);
        Ok(Self::of_rows(&sample, rotation.n_values(), n_lists))
    }

    fn of_rows(rows: &[f32], n_values: usize, n_lists: usize) -> Self {
        let n = rows.len() / n_values;
        let row = |place: usize| &rows[place * n_values..(place + 1) * n_values];
        let first =
            (0..n_lists).flat_map(|list| if n == 0 { vec![0.0; n_values] } else { row(list * n / n_lists).to_vec() });
        let mut clusters = Self::of_centers(n_values, first.collect());
        for _ in 0..N_ROUNDS {
            let assigned: Vec<u32> =
                rows.par_chunks(BLOCK * n_values).flat_map_iter(|block| clusters.assign(block)).collect();
            clusters = clusters.moved(rows, &assigned);
        }
        clusters
    }

    /// Every center in the middle of its rows; a center without rows goes beside that of the largest list.
    fn moved(&self, rows: &[f32], assigned: &[u32]) -> Self {
        let n_values = self.n_values;
        let (mut sums, mut counts) = (vec![0.0; self.centers.len()], vec![0usize; self.len()]);
        for (row, &list) in rows.chunks_exact(n_values).zip(assigned) {
            counts[list as usize] += 1;
            let sum = &mut sums[list as usize * n_values..(list as usize + 1) * n_values];
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        for (sum, &count) in sums.chunks_exact_mut(n_values).zip(&counts) {
            for value in sum {
                *value /= count.max(1) as f32;
            }
        }
        for list in (0..self.len()).filter(|&list| counts[list] == 0).collect::<Vec<_>>() {
            let largest = (0..self.len()).max_by_key(|&list| counts[list]).unwrap_or(list);
            counts[list] = counts[largest] / 2;
            counts[largest] -= counts[list];
            for value in 0..n_values {
                let shift = if value % 2 == 0 { 1.0 + 1e-3 } else { 1.0 - 1e-3 };
                sums[list * n_values + value] = sums[largest * n_values + value] * shift;
            }
        }
        Self::of_centers(n_values, sums)
    }

    pub(super) fn len(&self) -> usize {
        self.half_squares.len()
    }

    pub(super) fn centers(&self) -> &[f32] {
        &self.centers
    }

    pub(super) fn center(&self, list: usize) -> &[f32] {
        &self.centers[list * self.n_values..(list + 1) * self.n_values]
    }

    /// The nearest center of each rotated row.
    pub(super) fn assign(&self, rows: &[f32]) -> Vec<u32> {
        let n = rows.len() / self.n_values;
        let mut products = vec![0.0; n * self.len()];
        let product = MatMut::from_row_major_slice_mut(&mut products, n, self.len());
        let rows = MatRef::from_row_major_slice(rows, n, self.n_values);
        let centers = MatRef::from_row_major_slice(&self.centers, self.len(), self.n_values);
        matmul(product, Accum::Replace, rows, centers.transpose(), 1.0, Par::Seq);
        let nearest = |products: &[f32]| {
            let scores = products.iter().zip(&self.half_squares).map(|(product, half)| product - half);
            let best = scores
                .enumerate()
                .fold((0, f32::NEG_INFINITY), |best, (list, score)| if score > best.1 { (list, score) } else { best });
            u32::try_from(best.0).expect("lists are fewer than vectors")
        };
        products.chunks_exact(self.len()).map(nearest).collect()
    }

    /// All lists and the inner product of their center with a rotated query, the nearest first.
    pub(super) fn by_similarity(&self, query: &[f32]) -> Vec<(usize, f32)> {
        let mut lists: Vec<(usize, f32)> = (0..self.len()).map(|list| (list, 0.0)).collect();
        vectorized(
            #[inline(always)]
            || {
                for (center, (_, similarity)) in self.centers.chunks_exact(self.n_values).zip(&mut lists) {
                    *similarity = dot_inlined(center, query);
                }
            },
        );
        let distance = |list: &(usize, f32)| self.half_squares[list.0] - list.1;
        lists.sort_unstable_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.0.cmp(&b.0)));
        lists
    }
}

fn square(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum()
}
