//! Functions of one number, without branches, so that loops over them become vector instructions.
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for those instructions")]

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// Below it the exponential is no normal number.
pub(super) const LEAST_EXPONENT: f32 = -87.0;

/// `1 / (1 + exp(-x))`, to an absolute error of 1e-7.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, to a relative error of 5e-7: a quotient of two polynomials, with the coefficients of Eigen (`ptanh_float`).
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
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

/// The exponential of a number that is not large, to a relative error of 2e-7: a power of two times a polynomial (Cephes).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
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
pub(super) fn normal(x: f32) -> [f32; 2] {
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (0.327_591_1 * FRAC_1_SQRT_2).mul_add(x.abs(), 1.0);
    let mut p = 1.061_405_4_f32;
    for coefficient in [-1.453_152, 1.421_413_8, -0.284_496_74, 0.254_829_6] {
        p = p.mul_add(t, coefficient);
    }
    [(0.5 - 0.5 * p * t * bell).copysign(x) + 0.5, bell]
}
