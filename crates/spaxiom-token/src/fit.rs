//! Learns a tokenizer from the training part, and from nothing else.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use spaxiom_event::{AttrValue, Event, EventSequence};

use crate::error::TokenError;
use crate::field::{Coding, Field, word_of};
use crate::tokenizer::Tokenizer;

/// Below this many days of training data an hour of the week names single days, which no other part has.
const MIN_DAYS_FOR_WEEK: i64 = 21;

/// Gaps are bucketed by powers of two from half a second to 1.5 days.
const GAP_EXPONENTS: std::ops::RangeInclusive<i32> = -1..=17;

/// Which clock the `hour` field reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Hour of week from three weeks of training data on, hour of day below.
    #[default]
    Auto,
    /// 24 hours.
    HourOfDay,
    /// 168 hours from Monday 00:00 on.
    HourOfWeek,
}

/// What a person may set about tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TokenizerOptions {
    /// Sides of the grid cells in metres; 0.5, 1, 2 and 4 as in the seed.
    pub cell_resolutions_m: Vec<f64>,
    /// Size of the hash table of each scale; 512.
    pub cell_buckets: u32,
    /// Quantile bins of a numeric attribute, at most; 16.
    pub n_bins: usize,
    /// Attributes that become fields, the most frequent first; 16.
    pub max_attributes: usize,
    /// Which clock the `hour` field reads; `auto`.
    pub clock: Clock,
}

impl Default for TokenizerOptions {
    fn default() -> Self {
        Self {
            cell_resolutions_m: vec![0.5, 1.0, 2.0, 4.0],
            cell_buckets: 512,
            n_bins: 16,
            max_attributes: 16,
            clock: Clock::Auto,
        }
    }
}

impl Tokenizer {
    /// Learns vocabularies and bins from the training sequences.
    ///
    /// Fields that no training event has (zones, positions) are left out.
    ///
    /// # Errors
    /// [`TokenError::NoEvents`] without any event, [`TokenError::Setting`] for options out of range.
    pub fn fit(options: &TokenizerOptions, train: &[EventSequence]) -> Result<Self, TokenError> {
        check(options)?;
        let events = || train.iter().flat_map(EventSequence::events);
        if events().next().is_none() {
            return Err(TokenError::NoEvents);
        }
        let mut fields = vec![field("type", Coding::Type { words: words(events().map(|e| e.kind.as_str())) })];
        let zones = words(events().filter_map(|event| Some(event.zone.as_ref()?.as_str())));
        if !zones.is_empty() {
            fields.push(field("zone", Coding::Zone { words: zones }));
        }
        if events().any(|event| event.position.is_some()) {
            fields.extend(cell_fields(options));
        }
        fields.push(field("hour", Coding::Hour { n_hours: n_hours(options.clock, train) }));
        let edges_secs = GAP_EXPONENTS.map(|exponent| 2f64.powi(exponent)).collect();
        fields.push(field("gap", Coding::Gap { edges_secs }));
        fields.extend(attribute_fields(options, events));
        Ok(Self::from_fields(fields))
    }
}

fn check(options: &TokenizerOptions) -> Result<(), TokenError> {
    let TokenizerOptions { cell_resolutions_m, cell_buckets, n_bins, max_attributes: _, clock: _ } = options;
    if let Some(wrong) = cell_resolutions_m.iter().find(|side| !(side.is_finite() && **side > 0.0)) {
        return Err(TokenError::Setting { name: "cell-resolutions-m", want: "metres above 0", got: wrong.to_string() });
    }
    if *cell_buckets == 0 {
        return Err(TokenError::Setting { name: "cell-buckets", want: "1 or more", got: "0".into() });
    }
    if *n_bins < 2 {
        return Err(TokenError::Setting { name: "n-bins", want: "2 or more", got: n_bins.to_string() });
    }
    Ok(())
}

fn field(name: &str, coding: Coding) -> Field {
    Field { name: name.into(), coding }
}

fn words<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.collect::<BTreeSet<_>>().into_iter().map(String::from).collect()
}

fn cell_fields(options: &TokenizerOptions) -> impl Iterator<Item = Field> {
    options.cell_resolutions_m.iter().map(|&resolution_m| Field {
        name: format!("cell_{resolution_m}m"),
        coding: Coding::Cell { resolution_m, n_buckets: options.cell_buckets },
    })
}

fn n_hours(clock: Clock, train: &[EventSequence]) -> u32 {
    let times = || train.iter().flat_map(EventSequence::events).map(|event| event.time);
    let span = times().max().zip(times().min()).map_or(TimeDelta::zero(), |(last, first)| last - first);
    let is_week = match clock {
        Clock::HourOfDay => false,
        Clock::HourOfWeek => true,
        Clock::Auto => span.num_days() >= MIN_DAYS_FOR_WEEK,
    };
    if is_week { 168 } else { 24 }
}

/// Values of one attribute in the training part.
#[derive(Default)]
struct Values {
    numbers: Vec<f64>,
    words: BTreeSet<String>,
}

fn attribute_fields<'a, I>(options: &TokenizerOptions, events: impl Fn() -> I) -> Vec<Field>
where
    I: Iterator<Item = &'a Event>,
{
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in events().flat_map(|event| event.attrs.names()) {
        *counts.entry(name).or_default() += 1;
    }
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    names.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    names.truncate(options.max_attributes);
    names.sort_unstable();
    names.into_iter().map(|(name, _)| attribute_field(options, name, events())).collect()
}

fn attribute_field<'a>(options: &TokenizerOptions, name: &str, events: impl Iterator<Item = &'a Event>) -> Field {
    let mut values = Values::default();
    for value in events.filter_map(|event| event.attrs.get(name)) {
        match value {
            AttrValue::Number(number) => values.numbers.push(*number),
            other => values.words.extend(word_of(other)),
        }
    }
    let attribute = name.to_owned();
    let coding = if values.numbers.len() >= values.words.len() {
        Coding::Number { attribute, edges: quantile_edges(values.numbers, options.n_bins) }
    } else {
        Coding::Word { attribute, words: values.words.into_iter().collect() }
    };
    Field { name: format!("attr:{name}"), coding }
}

/// Edges between at most `n_bins` bins that hold about the same number of values each.
///
/// A value that fills more than one bin gives one edge only.
fn quantile_edges(mut values: Vec<f64>, n_bins: usize) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..n_bins).map(|i| values[i * values.len() / n_bins]).collect();
    edges.dedup();
    // An edge at the smallest value has nothing below it.
    edges.retain(|edge| *edge > values[0]);
    edges
}
