//! A vector that a person would put together: how many of what, at which hour, and how long it took.
//!
//! What a trained encoder has to beat besides TF-IDF: on a real home no learned vector found activities better than this one.

use std::f64::consts::TAU;

use chrono::Timelike;
use spaxiom_token::{Modality, Tokenizer};

use super::features::Features;
use super::samples::Samples;

/// Fields with more values are counted by TF-IDF alone: cells, mostly.
const MOST_VALUES: usize = 256;

/// What hour and durations count beside the counts, which have length 1 together; chosen once, by no figure.
const HOUR: f64 = 0.7;
const DURATION: f64 = 0.5;

/// Logarithms of a day in seconds and of a long window, so that both durations are below 1.
const LOG_DAY: f64 = 11.4;
const LOG_LEN: f64 = 6.0;

/// Per event: logarithms of the counts of every value in its window, sine and cosine of its hour (UTC), duration and length of the window.
pub(super) fn features(tokenizer: &Tokenizer, samples: &Samples) -> Features {
    let sizes = tokenizer.field_sizes();
    let is_counted = |(modality, size): (&Modality, &usize)| *modality != Modality::Temporal && *size <= MOST_VALUES;
    let counted: Vec<bool> = tokenizer.modalities().iter().zip(&sizes).map(is_counted).collect();
    let mut n_counts = 0;
    let mut offsets = Vec::new();
    for (size, is_counted) in sizes.iter().zip(&counted) {
        offsets.push(is_counted.then_some(n_counts));
        n_counts += if *is_counted { *size } else { 0 };
    }
    let dim = n_counts + 4;
    let mut values = Vec::with_capacity(dim * samples.labeled.len());
    for (window, event) in samples.windows().into_iter().zip(&samples.labeled) {
        let mut counts = vec![0f64; n_counts];
        for row in window.rows() {
            for (id, offset) in row.iter().zip(&offsets) {
                if let Some(offset) = offset {
                    counts[offset + *id as usize] += 1.0;
                }
            }
        }
        for count in &mut counts {
            *count = count.ln_1p();
        }
        let norm = counts.iter().map(|count| count * count).sum::<f64>().sqrt().max(1e-9);
        let angle = TAU * f64::from(event.time.num_seconds_from_midnight()) / 86_400.0;
        let duration = window.ages().first().map_or(0.0, |secs| f64::from(*secs).ln_1p() / LOG_DAY);
        let length = (window.len() as f64).ln_1p() / LOG_LEN;
        let others = [HOUR * angle.sin(), HOUR * angle.cos(), DURATION * duration, DURATION * length];
        #[expect(clippy::cast_possible_truncation, reason = "features of 32 bits")]
        values.extend(counts.into_iter().map(|count| count / norm).chain(others).map(|value| value as f32));
    }
    Features::dense(values, dim)
}
