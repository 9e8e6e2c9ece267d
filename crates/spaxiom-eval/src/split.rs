//! Splits by site, by contiguous time with an embargo, and by entity: nothing that is judged was ever seen.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use crate::error::EvalError;
use crate::part::Part;

const SECS_PER_DAY: i64 = 86_400;

/// An embargo of a week and more leaves nothing of most data.
const MOST_HOURS: f64 = 168.0;

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
    /// Hours before each border that no part may use, so that no context reaches from one part into the next; 1, and with a
    /// memory at least five times its longest half-life.
    pub embargo_hours: f64,
    /// Days of each part by their dates, in place of shares; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<SplitDates>,
}

/// First and last day of each part (UTC); what lies between them is for no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SplitDates {
    /// Of training.
    pub train: [NaiveDate; 2],
    /// Of validation.
    pub validation: [NaiveDate; 2],
    /// Of the test.
    pub test: [NaiveDate; 2],
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self { train_days: 0.7, validation_days: 0.1, test_sites: 0.25, embargo_hours: 1.0, dates: None }
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
    /// Seconds since 1970 from which on and before which it is each part, where that was set by dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ranges: Option<[[i64; 2]; 3]>,
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
            ranges: options.dates.map(ranges),
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

    /// Whether no run learned anything at any time of the site: a test site of this split, or one that it does not know,
    /// and no run that this one started from learned there.
    #[must_use]
    pub fn is_unseen_site(&self, site: &str) -> bool {
        let has = |sites: &[String]| sites.binary_search_by(|known| known.as_str().cmp(site)).is_ok();
        let is_own = !has(&self.sites) || has(&self.test_sites);
        is_own && self.earlier.iter().all(|earlier| earlier.is_unseen_site(site))
    }

    fn own_part(&self, site: &str, secs: i64) -> Option<Part> {
        let has = |sites: &[String]| sites.binary_search_by(|known| known.as_str().cmp(site)).is_ok();
        if !has(&self.sites) {
            return Some(Part::Test);
        }
        if let Some(ranges) = &self.ranges {
            let parts = [Part::Train, Part::Validation, Part::Test].into_iter().zip(ranges);
            let is_inside = |(_, [from, to]): &(Part, &[i64; 2])| (*from..*to).contains(&secs);
            let (by_time, _) = parts.into_iter().find(is_inside)?;
            return self.of_site(site, by_time);
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
        self.of_site(site, by_time)
    }

    /// Test sites are for the test alone, where there are any.
    fn of_site(&self, site: &str, by_time: Part) -> Option<Part> {
        let is_test_site = self.test_sites.binary_search_by(|known| known.as_str().cmp(site)).is_ok();
        (self.test_sites.is_empty() || is_test_site == (by_time == Part::Test)).then_some(by_time)
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
    let SplitOptions { train_days, validation_days, test_sites, embargo_hours, dates } = options;
    let shares = [("train-days", *train_days), ("validation-days", *validation_days), ("test-sites", *test_sites)];
    for (name, share) in shares {
        check_share(name, share)?;
    }
    check_sum("train-days + validation-days", train_days + validation_days)?;
    if !(0.0..MOST_HOURS).contains(embargo_hours) {
        let got = embargo_hours.to_string();
        return Err(EvalError::Setting { name: "embargo-hours", want: "0 or more and below 168", got });
    }
    let Some(SplitDates { train, validation, test }) = dates else { return Ok(()) };
    let days = [train[0], train[1], validation[0], validation[1], test[0], test[1]];
    let is_ascending = days.windows(2).enumerate().all(|(at, two)| two[0] < two[1] || at % 2 == 0 && two[0] == two[1]);
    if is_ascending {
        return Ok(());
    }
    let got = days.map(|day| day.to_string()).join(" ");
    Err(EvalError::Setting { name: "dates", want: "train, validation and test, each after the one before it", got })
}

/// The seconds of each part, its last day included.
fn ranges(SplitDates { train, validation, test }: SplitDates) -> [[i64; 2]; 3] {
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp();
    [train, validation, test].map(|[first, last]| [midnight(first), midnight(last) + SECS_PER_DAY])
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
