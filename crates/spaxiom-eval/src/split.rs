//! Splits by site and by whole days, so that no test day or test site was ever seen.

use serde::{Deserialize, Serialize};

use crate::error::EvalError;

/// What a person may set about the split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SplitOptions {
    /// Share of the days, from the first on, for training; 0.7.
    pub train_days: f64,
    /// Share of the days after those for validation; 0.1. The rest is for the test.
    pub validation_days: f64,
    /// Share of the sites, the last by name, that only the test may see; 0.25. A single site is split by days only.
    pub test_sites: f64,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self { train_days: 0.7, validation_days: 0.1, test_sites: 0.25 }
    }
}

/// What a day of a site may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Vocabularies, bins, scales and weights come from here.
    Train,
    /// Early stopping, thresholds and other choices come from here.
    Validation,
    /// Figures come from here, and nothing else.
    Test,
}

/// Says for every site and day which part it is.
///
/// The test part is the last days of the test sites: both site and time are unseen.
/// Training and validation use the first days of the other sites.
/// With a single site the test part is its last days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Split {
    first_day: i64,
    n_train_days: i64,
    n_validation_days: i64,
    test_sites: Vec<String>,
}

impl Split {
    /// Splits days `first_day..=last_day` (any consecutive numbering) and `sites`.
    ///
    /// # Errors
    /// [`EvalError::TooFewDays`] below three days, [`EvalError::Setting`] for shares out of range.
    pub fn new(options: &SplitOptions, sites: &[&str], first_day: i64, last_day: i64) -> Result<Self, EvalError> {
        check(options)?;
        let n_days = last_day - first_day + 1;
        if n_days < 3 {
            return Err(EvalError::TooFewDays { days: usize::try_from(n_days).unwrap_or(0) });
        }
        let n_train_days = share(options.train_days, n_days).clamp(1, n_days - 2);
        let n_validation_days = share(options.validation_days, n_days).clamp(1, n_days - n_train_days - 1);
        let mut names: Vec<&str> = sites.to_vec();
        names.sort_unstable();
        names.dedup();
        let n_sites = i64::try_from(names.len()).expect("few sites");
        let n_test = if n_sites > 1 { share(options.test_sites, n_sites).clamp(1, n_sites - 1) } else { 0 };
        let first_test = names.len() - usize::try_from(n_test).expect("not negative");
        let test_sites = names[first_test..].iter().map(ToString::to_string).collect();
        Ok(Self { first_day, n_train_days, n_validation_days, test_sites })
    }

    /// The part of a day of a site, or none for days that no part may use:
    /// early days of test sites, and late days of the others.
    #[must_use]
    pub fn part(&self, site: &str, day: i64) -> Option<Part> {
        let by_day = match day - self.first_day {
            day if day < self.n_train_days => Part::Train,
            day if day < self.n_train_days + self.n_validation_days => Part::Validation,
            _ => Part::Test,
        };
        if self.test_sites.is_empty() {
            return Some(by_day);
        }
        let is_test_site = self.test_sites.iter().any(|test| test == site);
        (is_test_site == (by_day == Part::Test)).then_some(by_day)
    }

    /// The sites that only the test sees; empty for a single site.
    #[must_use]
    pub fn test_sites(&self) -> &[String] {
        &self.test_sites
    }
}

fn check(options: &SplitOptions) -> Result<(), EvalError> {
    let SplitOptions { train_days, validation_days, test_sites } = options;
    let shares = [("train-days", *train_days), ("validation-days", *validation_days), ("test-sites", *test_sites)];
    for (name, share) in shares {
        if !(share > 0.0 && share < 1.0) {
            return Err(EvalError::Setting { name, want: "between 0 and 1", got: share.to_string() });
        }
    }
    if train_days + validation_days >= 1.0 {
        let got = (train_days + validation_days).to_string();
        return Err(EvalError::Setting { name: "train-days + validation-days", want: "below 1", got });
    }
    Ok(())
}

fn share(share: f64, n: i64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a share of a number of days or sites")]
    let n = (share * n as f64).round() as i64;
    n
}
