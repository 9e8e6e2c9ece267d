//! Softmax of rows.

use super::functions::{LEAST_EXPONENT, exp};
use super::simd::{dot, sum, vectorized};

/// Turns every row of scores into weights that sum to 1.
pub(super) fn softmax(rows: &mut [f32], n_columns: usize) {
    vectorized(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(n_columns) {
                let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                for value in &mut *row {
                    let below = *value - greatest;
                    // What is hidden gets nothing, and not the least number that there is, with which processors are slow.
                    *value = if below < LEAST_EXPONENT { 0.0 } else { exp(below) };
                }
                let scale = 1.0 / sum(row, |value| value);
                for value in row {
                    *value *= scale;
                }
            }
        },
    );
}

/// Turns the gradients of the weights into those of the scores that they are the softmax of.
pub(super) fn through_softmax(shares: &[f32], of_shares: &mut [f32], seq: usize) {
    vectorized(
        #[inline(always)]
        || {
            for (shares, of_shares) in shares.chunks_exact(seq).zip(of_shares.chunks_exact_mut(seq)) {
                let mean = dot(shares, of_shares);
                for (gradient, share) in of_shares.iter_mut().zip(shares) {
                    *gradient = share * (*gradient - mean);
                }
            }
        },
    );
}
