//! The clocks of a memory, in nanoseconds and in events.

use std::f64::consts::{LN_2, TAU};

use super::functions::{exp_minus, log_1p};
use super::options::MemoryOptions;
use crate::clock::{NANOS_PER_DAY, NANOS_PER_HOUR, NANOS_PER_SEC};

/// Gap to the event before, three harmonics of the time of day, and its hours.
pub(super) const N_TIMES: usize = 1 + 2 * N_HARMONICS + N_HOURS;

const N_HARMONICS: usize = 3;
const N_HOURS: usize = 24;

/// A token that came longer ago says no more than one so long ago.
const LONGEST_SECS: f64 = 86_400.0;

/// Logarithms of a day and of a long gap in seconds, so that the features are about 1.
const LOG_DAY: f32 = 11.4;
const LOG_GAP: f64 = 6.0;

/// Half-life of pairs.
const PAIR_HALF_LIFE_SECS: f64 = 600.0;

/// Half-lives and scales.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clocks {
    pub(super) half_lives_ns: Vec<f64>,
    pub(super) zone_half_lives_ns: Vec<f64>,
    pub(super) half_lives_events: Vec<f64>,
    pub(super) pair_half_life_ns: [f64; 1],
    pub(super) elapsed_secs: Vec<f32>,
    pub(super) repeats_ns: Vec<f64>,
}

impl Clocks {
    pub(super) fn new(options: &MemoryOptions) -> Self {
        let nanos = |secs: &[f64]| secs.iter().map(|secs| secs * NANOS_PER_SEC as f64).collect();
        Self {
            half_lives_ns: nanos(&options.half_lives_secs),
            zone_half_lives_ns: nanos(&options.zone_half_lives_secs),
            half_lives_events: options.decays_per_event.iter().map(|decay| -LN_2 / decay.ln()).collect(),
            pair_half_life_ns: [PAIR_HALF_LIFE_SECS * NANOS_PER_SEC as f64],
            elapsed_secs: options.elapsed_secs.iter().map(|secs| single(*secs)).collect(),
            repeats_ns: nanos(&options.repeats_secs),
        }
    }
}

/// The logarithm of so many seconds since something was, from 0 to 1.
#[inline]
pub(super) fn elapsed(secs: f32) -> f32 {
    log_1p(secs) / LOG_DAY
}

/// The same with its recencies: 1 for what is now, and less the longer ago it is, on each of the scales.
pub(super) fn write_elapsed(last: Option<i64>, now: i64, scales_secs: &[f32], features: &mut [f32]) {
    let secs = secs_since(last, now);
    features[0] = elapsed(secs);
    for (feature, scale_secs) in features[1..].iter_mut().zip(scales_secs) {
        *feature = exp_minus(secs / scale_secs);
    }
}

/// The logarithm of the gap to the event before, harmonics of the time of day, and its hours: the two nearest full hours
/// share a 1, so that a linear read-out can follow any schedule.
pub(super) fn write_gap_and_hour(gap_ns: i64, local_ns: i64, features: &mut [f32]) {
    features[0] = single((gap_ns as f64 / NANOS_PER_SEC as f64).ln_1p() / LOG_GAP);
    let angle = TAU * (local_ns.rem_euclid(NANOS_PER_DAY) as f64 / NANOS_PER_DAY as f64);
    let (harmonics, hours) = features[1..].split_at_mut(2 * N_HARMONICS);
    let (full_hours, share) =
        (local_ns.rem_euclid(NANOS_PER_DAY) / NANOS_PER_HOUR, local_ns.rem_euclid(NANOS_PER_HOUR));
    let hour = usize::try_from(full_hours).expect("an hour of a day");
    let share = share as f64 / NANOS_PER_HOUR as f64;
    hours.fill(0.0);
    hours[hour] = single(1.0 - share);
    hours[(hour + 1) % N_HOURS] = single(share);
    for (harmonic, features) in (1..).zip(harmonics.chunks_exact_mut(2)) {
        let (sin, cos) = (f64::from(harmonic) * angle).sin_cos();
        features.copy_from_slice(&[single(sin), single(cos)]);
    }
}

/// Seconds since something was: a day at most, and for what never was.
pub(super) fn secs_since(last: Option<i64>, now: i64) -> f32 {
    let secs = |last| now.saturating_sub(last) as f64 / NANOS_PER_SEC as f64;
    single(last.map_or(LONGEST_SECS, secs).min(LONGEST_SECS))
}

#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
fn single(value: f64) -> f32 {
    value as f32
}
