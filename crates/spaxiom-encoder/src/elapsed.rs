//! Continuous time: how long before the last event of its window an event was.

use std::f64::consts::TAU;

/// Wavelengths of the waves in seconds: from what one walk takes to a week.
const WAVELENGTHS_SECS: [f64; 8] = [10.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0, 604_800.0];

/// The age at which the logarithm is 1: a day.
const DAY_SECS: f64 = 86_400.0;

/// Sine and cosine of each wave, and the logarithm.
pub(crate) const N_AGE_FEATURES: usize = 2 * WAVELENGTHS_SECS.len() + 1;

/// Appends the features of an age in seconds: functional time encoding (Xu et al. 2020, "Inductive Representation Learning on
/// Temporal Graphs") at fixed wavelengths, and the logarithm of the age, 1 for a day.
#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats of a few units")]
pub(crate) fn push_age_features(age: f32, features: &mut Vec<f32>) {
    let age = f64::from(age);
    for wavelength in WAVELENGTHS_SECS {
        let (sin, cos) = (age / wavelength * TAU).sin_cos();
        features.extend([sin as f32, cos as f32]);
    }
    features.push((age.ln_1p() / DAY_SECS.ln_1p()) as f32);
}
