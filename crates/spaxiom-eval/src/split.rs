//! Splits by site, by contiguous time with an embargo, and by entity: nothing that is judged was ever seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use crate::error::EvalError;
use crate::part::Part;

const SECS_PER_DAY: i64 = 86_400;

/// What a person may set about the split by site and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SplitOptions {
    /// Share of the days that have events, from the first on, for training; 0.7.
    pub train_days: f64,
    /// Share of the days after those for validation; 0.1. The rest is for the test.
    pub validation_days: f64,
    /// Share of the sites, the last by name, that only the test may see; 0.25. A single site is split by days only.
    pub test_sites: f64,
    /// Hours before each border that no part may use, so that no context reaches from one part into the next; 1.
    pub embargo_hours: f64,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self { train_days: 0.7, validation_days: 0.1, test_sites: 0.25, embargo_hours: 1.0 }
    }
}

/// Says for every site and moment which part it is.
///
/// The test part is the last days of the test sites: both site and time are unseen.
/// Training and validation use the first days of the other sites.
/// With a single site the test part is its last days. Sites that the split does not know were never seen:
/// all of their time is test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Split {
    /// Seconds since 1970 from which on it is validation.
    validation_from: i64,
    /// Seconds since 1970 from which on it is test.
    test_from: i64,
    embargo_secs: i64,
    sites: Vec<String>,
    test_sites: Vec<String>,
    /// Splits of the runs that this one started from: what they saw is no test here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Split>,
}

impl Split {
    /// Splits `sites` and the days of their events, counted from 1970-01-01; the order of both does not matter.
    ///
    /// Days without any event are not counted: a wrong clock does not move the borders far.
    ///
    /// # Errors
    /// [`EvalError::TooFewDays`] below three days, [`EvalError::Setting`] for shares out of range.
    pub fn new(options: &SplitOptions, sites: &[&str], days: &[i64]) -> Result<Self, EvalError> {
        check(options)?;
        let days = sorted(days);
        if days.len() < 3 {
            return Err(EvalError::TooFewDays { days: days.len() });
        }
        let n_train = share(options.train_days, days.len()).clamp(1, days.len() - 2);
        let n_validation = share(options.validation_days, days.len()).clamp(1, days.len() - n_train - 1);
        let names = sorted(sites);
        let n_test = if names.len() > 1 { share(options.test_sites, names.len()).clamp(1, names.len() - 1) } else { 0 };
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        #[expect(clippy::cast_possible_truncation, reason = "checked to be few hours")]
        let embargo_secs = (options.embargo_hours * 3600.0) as i64;
        Ok(Self {
            validation_from: days[n_train] * SECS_PER_DAY,
            test_from: days[n_train + n_validation] * SECS_PER_DAY,
            embargo_secs,
            sites: owned(&names),
            test_sites: owned(&names[names.len() - n_test..]),
            earlier: Vec::new(),
        })
    }

    /// The same split, but what `earlier` learned from is no validation any more, and what it learned from or chose by no test.
    #[must_use]
    pub fn after(mut self, earlier: &Self) -> Self {
        self.earlier.push(earlier.clone());
        self
    }

    /// The part of a moment of a site in seconds since 1970, or none for what no part may use:
    /// early days of test sites, late days of the others, the embargo, and what an earlier run has seen.
    #[must_use]
    pub fn part(&self, site: &str, secs: i64) -> Option<Part> {
        let part = self.own_part(site, secs)?;
        let earlier = self.seen(site, secs);
        let is_free = match part {
            Part::Train => true,
            Part::Validation => earlier != Some(Part::Train),
            Part::Test => earlier.is_none(),
        };
        is_free.then_some(part)
    }

    /// The sites that only the test sees; empty for a single site.
    #[must_use]
    pub fn test_sites(&self) -> &[String] {
        &self.test_sites
    }

    fn own_part(&self, site: &str, secs: i64) -> Option<Part> {
        let has = |sites: &[String]| sites.binary_search_by(|known| known.as_str().cmp(site)).is_ok();
        if !has(&self.sites) {
            return Some(Part::Test);
        }
        let is_embargo = |border: i64| (border - self.embargo_secs..border).contains(&secs);
        if is_embargo(self.validation_from) || is_embargo(self.test_from) {
            return None;
        }
        let by_time = match secs {
            secs if secs < self.validation_from => Part::Train,
            secs if secs < self.test_from => Part::Validation,
            _ => Part::Test,
        };
        if self.test_sites.is_empty() {
            return Some(by_time);
        }
        (has(&self.test_sites) == (by_time == Part::Test)).then_some(by_time)
    }

    /// What the earlier runs used a moment for, training before validation; none where they did not see it.
    fn seen(&self, site: &str, secs: i64) -> Option<Part> {
        let own = |split: &Self| split.own_part(site, secs).filter(|part| *part != Part::Test);
        let uses = self.earlier.iter().flat_map(|earlier| [own(earlier), earlier.seen(site, secs)]);
        uses.flatten().min()
    }
}

/// Splits entities by a hash of their ids: the same entity is in the same part on every machine, whatever the others are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntitySplit {
    train: f64,
    validation: f64,
    seed: u64,
}

impl EntitySplit {
    /// So large shares of the entities for training and validation; the rest is test.
    pub fn new(train: f64, validation: f64, seed: u64) -> Result<Self, EvalError> {
        for (name, share) in [("train", train), ("validation", validation)] {
            check_share(name, share)?;
        }
        check_sum("train + validation", train + validation)?;
        Ok(Self { train, validation, seed })
    }

    /// The part of an entity.
    #[must_use]
    pub fn part(&self, entity: &str) -> Part {
        let unit = (xxh64(entity.as_bytes(), self.seed) >> 11) as f64 / 9_007_199_254_740_992.0;
        match unit {
            unit if unit < self.train => Part::Train,
            unit if unit < self.train + self.validation => Part::Validation,
            _ => Part::Test,
        }
    }
}

/// Fails when an episode (an activity, a hidden cause, a patient's stay) is in two parts.
///
/// # Errors
/// [`EvalError::Leak`] names the first such episode.
pub fn check_no_leak<E: Ord + std::fmt::Display>(
    samples: impl IntoIterator<Item = (Part, E)>,
) -> Result<(), EvalError> {
    let mut parts: BTreeMap<E, Part> = BTreeMap::new();
    for (part, episode) in samples {
        match parts.get(&episode) {
            Some(other) if *other != part => {
                return Err(EvalError::Leak { episode: episode.to_string(), one: *other, other: part });
            }
            Some(_) => {}
            None => drop(parts.insert(episode, part)),
        }
    }
    Ok(())
}

fn check(options: &SplitOptions) -> Result<(), EvalError> {
    let SplitOptions { train_days, validation_days, test_sites, embargo_hours } = options;
    let shares = [("train-days", *train_days), ("validation-days", *validation_days), ("test-sites", *test_sites)];
    for (name, share) in shares {
        check_share(name, share)?;
    }
    check_sum("train-days + validation-days", train_days + validation_days)?;
    if !(0.0..24.0).contains(embargo_hours) {
        let got = embargo_hours.to_string();
        return Err(EvalError::Setting { name: "embargo-hours", want: "0 or more and below 24", got });
    }
    Ok(())
}

fn check_share(name: &'static str, share: f64) -> Result<(), EvalError> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    Err(EvalError::Setting { name, want: "between 0 and 1", got: share.to_string() })
}

fn check_sum(name: &'static str, sum: f64) -> Result<(), EvalError> {
    if sum < 1.0 { Ok(()) } else { Err(EvalError::Setting { name, want: "below 1", got: sum.to_string() }) }
}

fn sorted<T: Ord + Copy>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort_unstable();
    items.dedup();
    items
}

fn share(share: f64, n: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number of days or sites")]
    let n = (share * n as f64).round() as usize;
    n
}
