//! A random rotation in O(d log d): signs, Walsh-Hadamard transforms of overlapping halves, and sums of pairs.
//!
//! A dense random rotation of 768 values would be 2.4 MB, read for every vector.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::kernels::vectorized;

/// Rounds of signs, transform and pairs; after four a single coordinate is spread over all.
const N_ROUNDS: usize = 4;

/// Rotates vectors of `dim` values in a space of `n_values`, the next multiple of 64.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rotation {
    dim: usize,
    seed: u64,
    /// 1 or -1, `n_values` for each round.
    signs: Vec<f32>,
}

impl Rotation {
    pub(super) fn new(dim: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n_values = dim.next_multiple_of(64);
        let signs = (0..N_ROUNDS * n_values).map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect();
        Self { dim, seed, signs }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Values of a rotated vector.
    pub(super) fn n_values(&self) -> usize {
        self.dim.next_multiple_of(64)
    }

    /// Rotated rows, one after another; lengths and inner products stay.
    pub(super) fn rotate_rows(&self, rows: &[f32]) -> Vec<f32> {
        let n_values = self.n_values();
        let mut rotated = vec![0.0; rows.len() / self.dim * n_values];
        vectorized(
            #[inline(always)]
            || {
                for (row, into) in rows.chunks_exact(self.dim).zip(rotated.chunks_exact_mut(n_values)) {
                    into[..self.dim].copy_from_slice(row);
                    for (round, signs) in self.signs.chunks_exact(n_values).enumerate() {
                        rotate_once(into, signs, round % 2 == 1);
                    }
                }
            },
        );
        rotated
    }
}

#[expect(clippy::inline_always, reason = "what is not inlined is not compiled for the widest instructions")]
#[inline(always)]
fn rotate_once(values: &mut [f32], signs: &[f32], at_the_end: bool) {
    for (value, sign) in values.iter_mut().zip(signs) {
        *value *= sign;
    }
    let n = values.len();
    let n_transformed = 1 << n.ilog2();
    let start = if at_the_end { n - n_transformed } else { 0 };
    hadamard(&mut values[start..start + n_transformed]);
    if n_transformed < n {
        let (first, second) = values.split_at_mut(n / 2);
        for (a, b) in first.iter_mut().zip(second) {
            (*a, *b) = ((*a + *b) * std::f32::consts::FRAC_1_SQRT_2, (*a - *b) * std::f32::consts::FRAC_1_SQRT_2);
        }
    }
}

/// The Walsh-Hadamard transform of a power of two of values, scaled so that lengths stay.
#[expect(clippy::inline_always, reason = "what is not inlined is not compiled for the widest instructions")]
#[inline(always)]
fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (first, second) = pair.split_at_mut(half);
            for (a, b) in first.iter_mut().zip(second) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / (values.len() as f32).sqrt();
    for value in values {
        *value *= scale;
    }
}
