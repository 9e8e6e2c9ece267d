//! Logarithm and exponential of 32-bit floats to about seven digits, without branches, so that a compiler makes vectors of them.

use std::f32::consts::{LOG2_E, SQRT_2};

/// Of `ln(1 + f) = f - f^2 / 2 + f^3 P(f)` between `1 / sqrt(2)` and `sqrt(2)` (Cephes, `logf`), the last power first.
const LOG: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_9e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_5e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];

/// Logarithm of two in two parts, the first of which has few digits.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Of `2^f` between -1/2 and 1/2, the last power first.
const EXP_2: [f32; 6] = [1.535_336e-4, 1.339_887_4e-3, 9.618_437e-3, 5.550_332_5e-2, 2.402_264_8e-1, 6.931_472e-1];

/// `ln(1 + x)` of a number that is not negative.
#[inline]
pub(super) fn log_1p(x: f32) -> f32 {
    let sum = 1.0 + x;
    // Mantissa from sqrt(1/2) to sqrt(2), and its exponent.
    let bits = sum.to_bits();
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    let is_upper = mantissa > SQRT_2;
    #[expect(clippy::cast_possible_wrap, reason = "an exponent of 8 bits")]
    let exponent = (bits >> 23) as i32 - 127 + i32::from(is_upper);
    #[expect(clippy::cast_precision_loss, reason = "an exponent of 8 bits")]
    let exponent = exponent as f32;
    let f = if is_upper { mantissa * 0.5 } else { mantissa } - 1.0;
    let series = LOG.iter().fold(0.0, |sum, power| sum * f + power);
    let square = f * f;
    (f * square * series + exponent * LN_2[1] - 0.5 * square + f) + exponent * LN_2[0]
}

/// `e^-x` of a number that is not negative; 0 where no normal number is so small.
#[inline]
pub(super) fn exp_minus(x: f32) -> f32 {
    let power = (-x * LOG2_E).max(-126.0);
    let whole = power.round();
    let f = power - whole;
    let series = EXP_2.iter().fold(0.0, |sum, power| sum * f + power) * f + 1.0;
    #[expect(clippy::cast_possible_truncation, reason = "from -126 to 0")]
    let scale = f32::from_bits(((whole as i32 + 127).unsigned_abs()) << 23);
    if power <= -126.0 { 0.0 } else { series * scale }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{exp_minus, log_1p};

    proptest! {
        #[test]
        fn functions_are_those_of_64_bits(x in 0.0f32..100_000.0, small in 0.0f32..1.0) {
            for x in [x, small, 0.0] {
                let (log, exp) = (f64::from(x).ln_1p(), (-f64::from(x)).exp());
                prop_assert!((f64::from(log_1p(x)) - log).abs() < 2e-7 * (1.0 + log), "ln(1 + {x})");
                prop_assert!((f64::from(exp_minus(x)) - exp).abs() < 3e-7, "exp(-{x})");
            }
        }
    }
}
