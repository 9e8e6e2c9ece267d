//! Loops compiled for the vector instructions that the processor has, and sums whose order does not depend on them.
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for those instructions")]

use faer::Par;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Runs a closure with the processor's widest instructions, where the compiler may use them.
struct Vectorized<F>(F);

impl<F: FnOnce()> WithSimd for Vectorized<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        (self.0)();
    }
}

pub(super) fn vectorized(work: impl FnOnce()) {
    Arch::new().dispatch(Vectorized(work));
}

/// Values that one thread takes at a time where threads share the work.
pub(super) const PART: usize = 1 << 16;

/// Works on parts of whole rows of `d` values, side by side where `par` allows and it pays.
pub(super) fn by_rows(rows: &mut [f32], d: usize, par: Par, work: impl Fn(&mut [f32]) + Send + Sync) {
    if par == Par::Seq || rows.len() < 2 * PART {
        return work(rows);
    }
    rows.par_chunks_mut(PART.div_ceil(d) * d).for_each(work);
}

/// Sums in eight lanes, so that the order of additions is the same with every width of vectors.
#[inline(always)]
pub(super) fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; 8];
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += of(*value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|value| of(*value)).sum::<f32>()
}

/// The sum of products, in lanes as [`sum`].
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..16 {
            lanes[lane] = a[lane].mul_add(b[lane], lanes[lane]);
        }
    }
    lanes.iter().sum::<f32>() + rest
}
