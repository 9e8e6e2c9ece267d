//! Intervals from resampled clusters: events of one episode are not independent, episodes are.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Resamples; the 2.5 % and 97.5 % points of 1,000 move by about a tenth of the half-width.
const N_RESAMPLES: usize = 1_000;

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean over all values.
    pub mean: f64,
    /// 2.5 % point of the resampled means.
    pub low: f64,
    /// 97.5 % point of the resampled means.
    pub high: f64,
    /// Number of values.
    pub n: usize,
    /// Number of clusters they come from.
    pub n_clusters: usize,
}

/// The mean of `values` with a 95 % interval from resampling whole clusters (Cameron, Gelbach and Miller 2008).
///
/// `clusters[i]` names the cluster of `values[i]`. Without values everything is NaN.
///
/// # Panics
/// Where the slices differ in length.
#[must_use]
pub fn clustered_mean(values: &[f64], clusters: &[u64], seed: u64) -> Interval {
    assert_eq!(values.len(), clusters.len(), "one cluster per value");
    let mut sums: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (value, cluster) in values.iter().zip(clusters) {
        let (sum, count) = sums.entry(*cluster).or_default();
        *sum += value;
        *count += 1.0;
    }
    let sums: Vec<(f64, f64)> = sums.into_values().collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let n = values.len();
    let n_clusters = sums.len();
    if n == 0 {
        return Interval { mean: f64::NAN, low: f64::NAN, high: f64::NAN, n, n_clusters };
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut means: Vec<f64> = (0..N_RESAMPLES).map(|_| resampled_mean(&sums, &mut rng)).collect();
    means.sort_by(f64::total_cmp);
    Interval { mean, low: means[N_RESAMPLES * 25 / 1000], high: means[N_RESAMPLES * 975 / 1000], n, n_clusters }
}

/// A statistic of items with a 95 % interval from resampling whole clusters: for what is no mean, like a macro-F1 or its difference.
///
/// `clusters[i]` names the cluster of item `i`; `statistic` takes the items of a resample, some of them several times.
/// Without items everything is NaN.
#[must_use]
pub fn clustered_statistic(clusters: &[u64], seed: u64, statistic: impl Fn(&[usize]) -> f64) -> Interval {
    let mut members: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (item, cluster) in clusters.iter().enumerate() {
        members.entry(*cluster).or_default().push(item);
    }
    let members: Vec<Vec<usize>> = members.into_values().collect();
    let (n, n_clusters) = (clusters.len(), members.len());
    if n == 0 {
        return Interval { mean: f64::NAN, low: f64::NAN, high: f64::NAN, n, n_clusters };
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut resampled = || {
        let drawn = (0..n_clusters).flat_map(|_| &members[rng.random_range(0..n_clusters)]);
        statistic(&drawn.copied().collect::<Vec<_>>())
    };
    let mut values: Vec<f64> = (0..N_RESAMPLES).map(|_| resampled()).collect();
    values.sort_by(f64::total_cmp);
    let mean = statistic(&(0..n).collect::<Vec<_>>());
    Interval { mean, low: values[N_RESAMPLES * 25 / 1000], high: values[N_RESAMPLES * 975 / 1000], n, n_clusters }
}

fn resampled_mean(sums: &[(f64, f64)], rng: &mut ChaCha8Rng) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for _ in 0..sums.len() {
        let (s, c) = sums[rng.random_range(0..sums.len())];
        sum += s;
        count += c;
    }
    sum / count
}
