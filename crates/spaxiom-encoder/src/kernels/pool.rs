//! Means of rows, plain and weighted.

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

/// Half-lives that a mean by age begins with: logarithms of seconds, evenly from ten seconds to an hour.
pub(crate) fn first_half_lives(d: usize) -> Vec<f32> {
    let (from, to) = (10f32.ln(), 3_600f32.ln());
    (0..d).map(|at| from + (to - from) * at as f32 / (d.max(2) - 1) as f32).collect()
}

/// The mean over each range of rows of width `d`, in which a row counts half as much for every half-life of its age;
/// `half_lives` are logarithms of seconds, one for each column.
pub(crate) fn mean_by_age(rows: &[f32], ranges: &[Range<usize>], ages: &[f32], half_lives: &[f32]) -> Vec<f32> {
    let d = half_lives.len();
    let rates: Vec<f32> = half_lives.iter().map(|log| std::f32::consts::LN_2 * (-log).exp()).collect();
    let mut means = vec![0.0; ranges.len() * d];
    let mut sums = vec![0f32; d];
    for (range, mean) in ranges.iter().zip(means.chunks_exact_mut(d)) {
        sums.fill(0.0);
        for (row, age) in rows[range.start * d..range.end * d].chunks_exact(d).zip(&ages[range.clone()]) {
            for ((mean, sum), (value, rate)) in mean.iter_mut().zip(&mut sums).zip(row.iter().zip(&rates)) {
                let weight = (-age * rate).exp();
                *mean += weight * value;
                *sum += weight;
            }
        }
        mean.iter_mut().zip(&sums).for_each(|(mean, sum)| *mean /= sum);
    }
    means
}

/// The mean over each range of rows, weighted by a softmax of their product with a query.
pub(crate) fn mean_by_attention(rows: &[f32], ranges: &[Range<usize>], query: &[f32]) -> Vec<f32> {
    let d = query.len();
    let mut means = vec![0.0; ranges.len() * d];
    for (range, mean) in ranges.iter().zip(means.chunks_exact_mut(d)) {
        let rows = rows[range.start * d..range.end * d].chunks_exact(d);
        let score = |row: &[f32]| row.iter().zip(query).map(|(a, b)| a * b).sum::<f32>() / (d as f32).sqrt();
        let scores: Vec<f32> = rows.clone().map(score).collect();
        let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = scores.iter().map(|score| (score - greatest).exp()).collect();
        let sum: f32 = weights.iter().sum();
        for (row, weight) in rows.zip(&weights) {
            for (mean, value) in mean.iter_mut().zip(row) {
                *mean += weight / sum * value;
            }
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::{mean, mean_by_age, mean_by_attention};

    fn assert_close(got: &[f32], want: &[f32]) {
        assert!(got.len() == want.len() && got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?} {want:?}");
    }

    #[test]
    fn an_event_counts_half_as_much_after_a_half_life() {
        let (rows, ranges) = ([1.0, 10.0, 4.0, 40.0, 7.0, 7.0], [0..2, 2..3]);
        let half_lives = [100f32.ln(), 50f32.ln()];
        let means = mean_by_age(&rows, &ranges, &[100.0, 0.0, 0.0], &half_lives);
        assert_close(&means, &[(0.5 + 4.0) / 1.5, (2.5 + 40.0) / 1.25, 7.0, 7.0]);
    }

    #[test]
    fn attention_is_a_mean_where_it_asks_for_nothing_and_chooses_where_it_asks_for_much() {
        let (rows, ranges) = ([1.0, 10.0, 4.0, 40.0, 7.0, 7.0], [0..2, 2..3]);
        assert_close(&mean_by_attention(&rows, &ranges, &[0.0, 0.0]), &mean(&rows, &ranges, 2));
        assert_close(&mean_by_attention(&rows, &ranges, &[-100.0, 0.0]), &[1.0, 10.0, 7.0, 7.0]);
    }
}
