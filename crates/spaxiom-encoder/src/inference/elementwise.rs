//! Element-wise work, one pass each, compiled for the vector instructions that the processor has.
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for those instructions")]

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

use faer::Par;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Below it the exponential is no normal number.
const LEAST_EXPONENT: f32 = -87.0;

/// As in the burn modules.
pub(crate) const EPSILON: f32 = 1e-5;

/// Runs a closure with the processor's widest instructions, where the compiler may use them.
struct Vectorised<F>(F);

impl<F: FnOnce()> WithSimd for Vectorised<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        (self.0)();
    }
}

pub(crate) fn vectorised(work: impl FnOnce()) {
    Arch::new().dispatch(Vectorised(work));
}

/// Values that one thread takes at a time where threads share the work.
const PART: usize = 1 << 16;

/// Works on parts of whole rows of `d` values, side by side where `par` allows and it pays.
fn by_rows(rows: &mut [f32], d: usize, par: Par, work: impl Fn(&mut [f32]) + Send + Sync) {
    if par == Par::Seq || rows.len() < 2 * PART {
        return work(rows);
    }
    rows.par_chunks_mut(PART.div_ceil(d) * d).for_each(work);
}

/// `gamma * (x - mean) / sd + beta` for every row of `d` values.
pub(super) fn layer_norm(rows: &[f32], gamma: &[f32], beta: &[f32], out: &mut [f32], par: Par) {
    let d = gamma.len();
    let part = |(rows, out): (&[f32], &mut [f32])| {
        vectorised(
            #[inline(always)]
            || {
                for (row, out) in rows.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
                    let mean = sum(row, |value| value) / d as f32;
                    let variance = sum(row, |value| (value - mean) * (value - mean)) / d as f32;
                    let scale = 1.0 / (variance + EPSILON).sqrt();
                    for (((out, value), gamma), beta) in out.iter_mut().zip(row).zip(gamma).zip(beta) {
                        *out = ((value - mean) * scale).mul_add(*gamma, *beta);
                    }
                }
            },
        );
    };
    if par == Par::Seq || rows.len() < 2 * PART {
        return part((rows, out));
    }
    let size = PART.div_ceil(d) * d;
    rows.par_chunks(size).zip(out.par_chunks_mut(size)).for_each(part);
}

/// Adds `bias` to every row.
pub(crate) fn add_bias(rows: &mut [f32], bias: &[f32], par: Par) {
    by_rows(rows, bias.len(), par, |rows| {
        vectorised(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(bias.len()) {
                    for (value, bias) in row.iter_mut().zip(bias) {
                        *value += bias;
                    }
                }
            },
        );
    });
}

/// Adds `bias` to every row and applies GELU: `x (1 + erf(x / sqrt 2)) / 2` (Hendrycks and Gimpel 2016).
pub(super) fn add_bias_gelu(rows: &mut [f32], bias: &[f32], par: Par) {
    by_rows(rows, bias.len(), par, |rows| {
        vectorised(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(bias.len()) {
                    for (value, bias) in row.iter_mut().zip(bias) {
                        let x = *value + bias;
                        *value = x * normal(x)[0];
                    }
                }
            },
        );
    });
}

/// Adds `bias` to every row and applies the rectifier.
pub(super) fn add_bias_relu(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value = (*value + bias).max(0.0);
        }
    }
}

/// One step of some units of an LSTM: `hidden` and `memory` become those after the event.
///
/// `gates` has those of input, forget, candidate and output one after the other, each as long as `hidden`.
pub(super) fn lstm_step(gates: &[f32], hidden: &mut [f32], memory: &mut [f32]) {
    let n = hidden.len();
    let [input, forget, candidate, output] = [0, 1, 2, 3].map(|gate| &gates[gate * n..(gate + 1) * n]);
    let memory = &mut memory[..n];
    vectorised(
        #[inline(always)]
        || {
            for unit in 0..n {
                let added = sigmoid(input[unit]) * tanh(candidate[unit]);
                memory[unit] = sigmoid(forget[unit]).mul_add(memory[unit], added);
                hidden[unit] = sigmoid(output[unit]) * tanh(memory[unit]);
            }
        },
    );
}

/// One step of some units of a GRU: `hidden` becomes the state after the event.
///
/// `input` and `gates`, from the state, have those of reset, update and candidate one after the other, each as long as `hidden`;
/// `candidate_bias` is added to what comes from the state before the reset gate takes some of it away.
pub(super) fn gru_step(input: &[f32], gates: &[f32], candidate_bias: &[f32], hidden: &mut [f32]) {
    let n = hidden.len();
    let [reset, update, candidate] = [0, 1, 2].map(|gate| &input[gate * n..(gate + 1) * n]);
    let [hidden_reset, hidden_update, hidden_candidate] = [0, 1, 2].map(|gate| &gates[gate * n..(gate + 1) * n]);
    let bias = &candidate_bias[..n];
    vectorised(
        #[inline(always)]
        || {
            for unit in 0..n {
                let reset = sigmoid(reset[unit] + hidden_reset[unit]);
                let update = sigmoid(update[unit] + hidden_update[unit]);
                let candidate = tanh(reset.mul_add(hidden_candidate[unit] + bias[unit], candidate[unit]));
                hidden[unit] = update.mul_add(hidden[unit] - candidate, candidate);
            }
        },
    );
}

/// `1 / (1 + exp(-x))`, to an absolute error of 1e-7.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, to a relative error of 5e-7: a quotient of two polynomials, with the coefficients of Eigen (`ptanh_float`).
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // Beyond it is 1 in 32 bits.
    let x = x.clamp(-7.905_311, 7.905_311);
    let square = x * x;
    let over = (-2.760_768_5e-16f32)
        .mul_add(square, 2.000_188e-13)
        .mul_add(square, -8.604_672e-11)
        .mul_add(square, 5.122_297e-8)
        .mul_add(square, 1.485_722_4e-5)
        .mul_add(square, 6.372_619_3e-4)
        .mul_add(square, 4.893_524_6e-3);
    let under =
        1.198_258_4e-6f32.mul_add(square, 1.185_347e-4).mul_add(square, 2.268_434_6e-3).mul_add(square, 4.893_525e-3);
    x * over / under
}

/// Turns every row of scores into shares that sum to 1.
pub(crate) fn softmax(rows: &mut [f32], n_columns: usize) {
    vectorised(
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

/// Sums in eight lanes, so that the order of additions is the same with every width of vectors.
#[inline(always)]
pub(crate) fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
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
#[cfg(feature = "flex")]
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
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

/// The exponential of a number that is not large, to a relative error of 2e-7: a power of two times a polynomial (Cephes).
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(LEAST_EXPONENT, 88.0);
    let whole = (x * LOG2_E).round_ties_even();
    let rest = whole.mul_add(-LN_2_LOW, whole.mul_add(-LN_2_HIGH, x));
    let mut p = 1.987_569_1e-4_f32;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(rest, coefficient);
    }
    let p = (p * rest).mul_add(rest, rest) + 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above: -126 to 127")]
    let power = f32::from_bits(((whole as i32 + 127) as u32) << 23);
    p * power
}

/// How much of the normal distribution lies below `x`, to an absolute error of 1e-7 (Abramowitz and Stegun 7.1.26),
/// and `exp(-x^2 / 2)`, from which it is computed.
#[inline(always)]
pub(crate) fn normal(x: f32) -> [f32; 2] {
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (0.327_591_1 * FRAC_1_SQRT_2).mul_add(x.abs(), 1.0);
    let mut p = 1.061_405_4_f32;
    for coefficient in [-1.453_152, 1.421_413_8, -0.284_496_74, 0.254_829_6] {
        p = p.mul_add(t, coefficient);
    }
    [(0.5 - 0.5 * p * t * bell).copysign(x) + 0.5, bell]
}

#[cfg(test)]
mod tests {
    use super::{sigmoid, tanh};

    #[test]
    fn activations_are_those_of_more_bits() {
        for at in -20_000..=20_000i16 {
            let x = f32::from(at) / 1000.0;
            let wide = f64::from(x);
            let of_tanh = (f64::from(tanh(x)) - wide.tanh()).abs() / wide.tanh().abs().max(1e-9);
            assert!(of_tanh < 5e-7, "tanh({x}): {of_tanh:e}");
            let of_sigmoid = (f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs();
            assert!(of_sigmoid < 1e-7, "sigmoid({x}): {of_sigmoid:e}");
        }
        assert!(tanh(0.0).abs() < f32::MIN_POSITIVE && (tanh(f32::INFINITY) - 1.0).abs() < 5e-7);
    }
}
