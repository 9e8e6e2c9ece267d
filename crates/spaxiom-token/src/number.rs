//! Numbers beside their buckets: scaled robustly, encoded piecewise linearly, with a flag where they are missing.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::bins::quantile_edges;

/// Interquartile range of a normal distribution with deviation 1.
const NORMAL_IQR: f64 = 1.349;

/// A scaled value beyond this many deviations says no more than one there.
const MAX_SCALED: f64 = 8.0;

/// What a column of numbers holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum NumberSource {
    /// A numeric attribute.
    Attribute {
        /// Its name.
        attribute: String,
    },
    /// `ln(1 + seconds)` since the event before.
    Gap,
    /// The part of the site's local day that has passed, from 0 to below 1.
    DayFraction,
}

/// A column of numbers: every event has one value of it, or none.
///
/// Its features are the value, scaled by median and interquartile range and cut at 8 deviations; its piecewise-linear
/// encoding (Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical Features"); and 1 where it is missing.
/// A [`NumberSource::DayFraction`] has sine and cosine instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NumberColumn {
    source: NumberSource,
    #[serde(default)]
    median: f64,
    #[serde(default)]
    scale: f64,
    /// Ascending; `n` boundaries make `n - 1` segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    boundaries: Vec<f64>,
}

impl NumberColumn {
    /// Learns scale and segments from the values of the training part, at least one.
    pub(crate) fn fit(source: NumberSource, mut values: Vec<f64>, n_segments: usize) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let at = (share * (values.len() - 1) as f64).round() as usize;
            values[at]
        };
        let range = values[values.len() - 1] - values[0];
        // Values that are mostly equal have no interquartile range; those that all are have none at all.
        let scale = [(quantile(0.75) - quantile(0.25)) / NORMAL_IQR, range].into_iter().find(|scale| *scale > 0.0);
        let mut boundaries = vec![values[0]];
        boundaries.extend(quantile_edges(&values, n_segments));
        if range > 0.0 && boundaries.last() < values.last() {
            boundaries.push(values[values.len() - 1]);
        }
        Self { source, median: quantile(0.5), scale: scale.unwrap_or(1.0), boundaries }
    }

    pub(crate) fn day_fraction() -> Self {
        Self { source: NumberSource::DayFraction, median: 0.0, scale: 1.0, boundaries: Vec::new() }
    }

    /// What it holds.
    #[must_use]
    pub fn source(&self) -> &NumberSource {
        &self.source
    }

    /// The segments of the piecewise-linear encoding, ascending; about as many training values are in each.
    #[must_use]
    pub fn segments(&self) -> impl ExactSizeIterator<Item = [f64; 2]> {
        self.boundaries.windows(2).map(|ends| [ends[0], ends[1]])
    }

    /// Number of features.
    #[must_use]
    pub fn n_features(&self) -> usize {
        match self.source {
            NumberSource::DayFraction => 2,
            _ => 1 + self.n_segments() + 1,
        }
    }

    fn n_segments(&self) -> usize {
        self.boundaries.len().saturating_sub(1)
    }

    /// Appends the features of a value; not a number where it is missing.
    #[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats of a few units")]
    pub fn push_features(&self, value: f32, features: &mut Vec<f32>) {
        let value = f64::from(value);
        if self.source == NumberSource::DayFraction {
            let (sin, cos) = if value.is_nan() { (0.0, 0.0) } else { (value * TAU).sin_cos() };
            features.extend([sin as f32, cos as f32]);
            return;
        }
        if value.is_nan() {
            features.extend(std::iter::repeat_n(0.0, 1 + self.n_segments()));
            features.push(1.0);
            return;
        }
        features.push(((value - self.median) / self.scale).clamp(-MAX_SCALED, MAX_SCALED) as f32);
        for ends in self.boundaries.windows(2) {
            features.push(((value - ends[0]) / (ends[1] - ends[0])).clamp(0.0, 1.0) as f32);
        }
        features.push(0.0);
    }
}
