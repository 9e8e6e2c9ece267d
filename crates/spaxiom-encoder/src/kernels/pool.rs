//! Means of rows.

use std::ops::Range;

/// The mean over each range of rows of width `d`.
pub(crate) fn mean(rows: &[f32], ranges: &[Range<usize>], d: usize) -> Vec<f32> {
    let mut means = vec![0.0; ranges.len() * d];
    for (range, mean) in ranges.iter().zip(means.chunks_exact_mut(d)) {
        for row in rows[range.start * d..range.end * d].chunks_exact(d) {
            for (mean, value) in mean.iter_mut().zip(row) {
                *mean += value / range.len() as f32;
            }
        }
    }
    means
}
