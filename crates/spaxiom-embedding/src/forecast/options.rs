//! Options of a forecast.

use chrono::{DateTime, TimeDelta, Utc};

/// Options of a forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastOptions {
    /// How far ahead events are counted; 30 minutes.
    pub horizon: TimeDelta,
    /// Nothing after this is looked at; the end of the data if unset.
    pub at: Option<DateTime<Utc>>,
    /// Moments of the past at most that are learned from, evenly spread; 10,000.
    pub max_moments: usize,
    /// Seed of the intervals.
    pub seed: u64,
}

impl Default for ForecastOptions {
    fn default() -> Self {
        Self { horizon: TimeDelta::minutes(30), at: None, max_moments: 10_000, seed: 0 }
    }
}
