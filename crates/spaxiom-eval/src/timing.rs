//! Latency figures.

use serde::{Deserialize, Serialize};

/// Percentiles of measured times, in milliseconds; smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the calls were faster.
    pub p50_ms: f64,
    /// 99 of 100 calls were faster.
    pub p99_ms: f64,
    /// Number of calls.
    pub n: usize,
}

/// Percentiles (nearest rank) of times in milliseconds; NaN without any.
#[must_use]
pub fn latency(mut times_ms: Vec<f64>) -> Latency {
    times_ms.sort_by(f64::total_cmp);
    let n = times_ms.len();
    let rank = |percent: usize| times_ms.get((n * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(f64::NAN);
    Latency { p50_ms: rank(50), p99_ms: rank(99), n }
}
