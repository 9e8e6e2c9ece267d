//! Two coordinates for every vector: the directions in which vectors differ most.

use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::kernels::{dot_inlined, vectorized};
use crate::store::building::LiveVectors;
use crate::store::handle::Store;
use crate::store::rows;
use crate::vectors::{VectorSource, normalize, sample};

/// Vectors that directions are fitted to.
const N_SAMPLED: usize = 5_000;

/// Rounds of orthogonal iteration; the first two directions of embeddings stand apart from the others.
const N_ROUNDS: usize = 40;

/// The first two principal components of a store's vectors.
///
/// It is fitted once and kept; a vector that is added later has its place by the same directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    mean: Vec<f32>,
    axes: [Vec<f32>; 2],
}

impl Layout {
    /// Where a vector of length 1 is: x and y, each from -2 to 2 at most.
    #[must_use]
    pub fn place(&self, vector: &[f32]) -> [f32; 2] {
        let rest: Vec<f32> = vector.iter().zip(&self.mean).map(|(value, mean)| value - mean).collect();
        vectorized(
            #[inline(always)]
            || [dot_inlined(&rest, &self.axes[0]), dot_inlined(&rest, &self.axes[1])],
        )
    }

    /// Fitted to these vectors, `dim` values each, one after the other.
    #[must_use]
    pub fn fit(rows: &[f32], dim: usize) -> Self {
        let n = (rows.len() / dim).max(1) as f32;
        let mut mean = vec![0f32; dim];
        for row in rows.chunks_exact(dim) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / n);
        }
        let centered: Vec<f32> =
            rows.chunks_exact(dim).flat_map(|row| row.iter().zip(&mean).map(|(value, mean)| value - mean)).collect();
        // Two directions that are surely not orthogonal to the first two components.
        let start =
            |number: usize| -> Vec<f32> { (0..dim).map(|i| 1.0 / (1 + (i + number * dim / 2) % dim) as f32).collect() };
        let mut axes = [start(0), start(1)];
        for _ in 0..N_ROUNDS {
            axes = axes.map(|axis| times_covariance(&centered, dim, &axis));
            normalize(&mut axes[0], dim);
            let [first, second] = &mut axes;
            let along: f32 = first.iter().zip(second.iter()).map(|(a, b)| a * b).sum();
            second.iter_mut().zip(first.iter()).for_each(|(b, a)| *b -= along * a);
            normalize(second, dim);
        }
        // Of the two signs the one whose greatest value is positive, so that a layout does not depend on where it began.
        for axis in &mut axes {
            let greatest = axis.iter().fold(0f32, |a, b| if b.abs() > a.abs() { *b } else { a });
            for value in axis.iter_mut() {
                *value *= greatest.signum();
            }
        }
        Self { mean, axes }
    }
}

fn times_covariance(centered: &[f32], dim: usize, axis: &[f32]) -> Vec<f32> {
    let mut product = vec![0f32; dim];
    vectorized(
        #[inline(always)]
        || {
            for row in centered.chunks_exact(dim) {
                let along = dot_inlined(row, axis);
                for (product, value) in product.iter_mut().zip(row) {
                    *product += along * value;
                }
            }
        },
    );
    product
}

impl Store {
    /// Fits a layout to the vectors of the store, and keeps it in place of the one before.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub fn lay_out(&self) -> Result<Layout, IndexError> {
        let vectors = LiveVectors::new(self.shared.view()?);
        let layout = Layout::fit(&sample(&vectors, N_SAMPLED)?, vectors.dim());
        rows::set_layout(&self.shared.writer(), &serde_json::to_string(&layout)?)?;
        Ok(layout)
    }

    /// The layout that is kept, if any.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn layout(&self) -> Result<Option<Layout>, IndexError> {
        let text = self.shared.readers.read(rows::layout)?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::Layout;

    #[test]
    fn the_widest_directions_are_found_and_in_order() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let dim = 12;
        let widths = |at: usize| [0.1, 0.1, 0.1, 2.0, 0.1, 0.1, 0.1, 5.0][at % 8];
        let rows: Vec<f32> = (0..400 * dim).map(|i| 3.0 + widths(i % dim) * rng.random_range(-1.0f32..1.0)).collect();
        let layout = Layout::fit(&rows, dim);
        let [x, y] = layout.axes.clone().map(|axis| {
            axis.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).map(|(at, _)| at).unwrap()
        });
        assert!(x == 7 && [3, 11].contains(&y), "{x} {y}");
        let [a, b] = [0, 1].map(|axis| layout.axes[axis].iter().map(|value| value * value).sum::<f32>());
        assert!((a - 1.0).abs() < 1e-4 && (b - 1.0).abs() < 1e-4);
        let origin = layout.place(&layout.mean);
        assert!(origin.iter().all(|value| value.abs() < 1e-4), "{origin:?}");
    }
}
