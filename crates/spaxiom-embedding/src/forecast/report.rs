//! What a forecast says.

use serde::Serialize;
use spaxiom_eval::Interval;

/// What is expected at a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// The site.
    pub site: String,
    /// The event after which it is asked, the last one that is known.
    pub after: LastEvent,
    /// How far ahead events are counted.
    pub horizon_secs: f64,
    /// What comes next, the likeliest first; probabilities of those that are left out are missing from the sum.
    pub next: Vec<NextEventChance>,
    /// How many of each until the horizon, the most first.
    pub counts: Vec<ExpectedCount>,
    /// How good this has been on the last fifth of the past.
    pub backtest: Backtest,
}

/// The last event that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastEvent {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its zone.
    pub zone: Option<String>,
    /// Its time on the clock of the site, RFC 3339.
    pub time: String,
}

/// A type of event in a zone, and how likely it is the next one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextEventChance {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its zone.
    pub zone: Option<String>,
    /// That it is the next event of the site, 0 to 1.
    pub probability: f64,
    /// Median time until it, where it was next after moments like this one; none where it never was.
    pub median_wait_secs: Option<f64>,
}

/// A type of event in a zone, and how often it is expected until the horizon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedCount {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its zone.
    pub zone: Option<String>,
    /// Mean.
    pub expected: f64,
    /// One in ten is below.
    pub low: f64,
    /// One in ten is above.
    pub high: f64,
    /// The mean after an event in this hour of the day.
    pub usual: f64,
}

/// How good forecasts have been at moments that they did not learn from, the last fifth of the past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backtest {
    /// Moments that were learned from.
    pub n_learned: usize,
    /// Moments that were judged.
    pub n_judged: usize,
    /// Of the next event.
    pub next: NextScores,
    /// Of the counts until the horizon.
    pub counts: CountErrors,
}

/// How well the next event was told: its type and zone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextScores {
    /// Share of next events that were the likeliest; greater is better.
    pub accuracy: Interval,
    /// The same by the best n-gram.
    pub n_gram_accuracy: Interval,
    /// Events before the next that the n-gram reads, chosen on the validation part.
    pub n_gram_reads: usize,
    /// Mean logarithm of the probability of what came, in nats; greater is better.
    pub log_likelihood: Interval,
    /// The same by the n-gram.
    pub n_gram_log_likelihood: Interval,
    /// By how much that of the forecast is greater; the interval is of the paired difference.
    pub better_by: Interval,
}

/// How far off counts were: mean of the squared errors, summed over types and zones; smaller is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CountErrors {
    /// Of the forecast.
    pub forecast: Interval,
    /// Of the mean after an event in that hour of the day.
    pub usual: Interval,
    /// Of as many as in the same time before.
    pub as_before: Interval,
    /// By how much the error of the usual is greater than that of the forecast; the interval is of the paired difference.
    pub better_by: Interval,
    /// Share of the counts within the range of the forecast; 0.8 or more is wanted.
    pub within_range: f64,
}

impl Backtest {
    /// Whether it is better than what it is compared with, in a sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        let counts = match self.counts.better_by {
            Interval { low, .. } if low > 0.0 => "counts: clearly closer than the hourly mean",
            Interval { high, .. } if high < 0.0 => "counts: the hourly mean is closer",
            _ => "counts: no clear difference from the hourly mean",
        };
        let next = match self.next.better_by {
            Interval { low, .. } if low > 0.0 => "next event: clearly better than the n-gram",
            Interval { high, .. } if high < 0.0 => "next event: the n-gram is better",
            _ => "next event: no clear difference from the n-gram",
        };
        format!("{counts}; {next}")
    }
}
