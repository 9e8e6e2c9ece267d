//! Loops over half-precision rows, compiled for the vector instructions that the processor has.
//!
//! Sums run in sixteen lanes, so that a similarity has the same bits whatever the width of the instructions.
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for those instructions")]

use half::f16;
use pulp::{Arch, Simd, WithSimd};

/// The least normal number of half precision; stored values below it are zero.
const LEAST_NORMAL: f32 = 6.103_515_6e-5;

/// Runs a closure with the processor's widest instructions, where the compiler may use them.
struct Vectorized<F>(F);

impl<R, F: FnOnce() -> R> WithSimd for Vectorized<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> R {
        (self.0)()
    }
}

pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(Vectorized(work))
}

/// Rounds to half precision; numbers below 2^-14 become zero, which spares the kernels the subnormal ones.
pub(crate) fn narrow(values: &[f32], into: &mut Vec<f16>) {
    into.extend(values.iter().map(|&value| if value.abs() < LEAST_NORMAL { f16::ZERO } else { f16::from_f32(value) }));
}

/// The value of a number that [`narrow`] gave.
#[inline(always)]
fn widen_one(half: f16) -> f32 {
    let bits = u32::from(half.to_bits());
    let magnitude = (bits & 0x7fff) << 13;
    let magnitude = if magnitude == 0 { 0 } else { magnitude + (112 << 23) };
    f32::from_bits(magnitude | (bits & 0x8000) << 16)
}

/// Appends the values of numbers that [`narrow`] gave.
pub(crate) fn widen(halves: &[f16], into: &mut Vec<f32>) {
    vectorized(
        #[inline(always)]
        || {
            let start = into.len();
            into.resize(start + halves.len(), 0.0);
            for (value, half) in into[start..].iter_mut().zip(halves) {
                *value = widen_one(*half);
            }
        },
    );
}

/// Inner products of one query with rows that lie `stride` apart, of which the first `query.len()` values count.
pub(crate) fn dots(rows: &[f16], stride: usize, query: &[f32], mut give: impl FnMut(usize, f32)) {
    vectorized(
        #[inline(always)]
        || {
            for (place, row) in rows.chunks_exact(stride).enumerate() {
                give(place, dot_f16(&row[..query.len()], query));
            }
        },
    );
}

#[inline(always)]
fn dot_f16(row: &[f16], query: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let (rows, queries) = (row.chunks_exact(16), query.chunks_exact(16));
    let rest: f32 = rows.remainder().iter().zip(queries.remainder()).map(|(a, b)| widen_one(*a) * b).sum();
    for (a, b) in rows.zip(queries) {
        for lane in 0..16 {
            lanes[lane] = widen_one(a[lane]).mul_add(b[lane], lanes[lane]);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// Inner product of 32-bit rows.
#[inline(always)]
pub(crate) fn dot_inlined(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..16 {
            lanes[lane] = x[lane].mul_add(y[lane], lanes[lane]);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use half::f16;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{dots, narrow, widen};

    #[test]
    fn every_half_that_is_written_is_read_as_its_value() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            if !half.is_finite() {
                continue;
            }
            let mut written = Vec::new();
            narrow(&[half.to_f32()], &mut written);
            let mut read = Vec::new();
            widen(&written, &mut read);
            let is_subnormal = half.to_f32().abs() < super::LEAST_NORMAL;
            let want = if is_subnormal { f16::ZERO } else { half };
            assert_eq!(read[0].abs().to_bits(), want.to_f32().abs().to_bits(), "{bits}");
            assert!(is_subnormal || read[0].is_sign_negative() == half.is_sign_negative(), "{bits}");
        }
    }

    #[test]
    fn inner_products_are_those_of_64_bits() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for dim in [1, 15, 16, 17, 768] {
            let query: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
            let mut rows = Vec::new();
            (0..3).for_each(|_| {
                let row: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
                narrow(&row, &mut rows);
                rows.extend([f16::ONE; 4]);
            });
            let mut got = vec![0.0; 3];
            dots(&rows, dim + 4, &query, |place, dot| got[place] = dot);
            for (row, got) in rows.chunks_exact(dim + 4).zip(got) {
                let want: f64 = row.iter().zip(&query).map(|(a, b)| a.to_f64() * f64::from(*b)).sum();
                assert!((f64::from(got) - want).abs() < 1e-4, "{got} for {want}");
            }
        }
    }
}
