//! Learns a tokenizer from the training part, and from nothing else.

use chrono::TimeDelta;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use spaxiom_event::{EventSequence, SequenceKey};

use crate::error::TokenError;
use crate::field::{Coding, Field};
use crate::table::{AttributeColumn, EventTable};
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
        let mut table = EventTable::new(SequenceKey::Site);
        for event in train.iter().flat_map(EventSequence::events) {
            table.push(event);
        }
        Self::fit_table(options, &table)
    }

    /// The same from a table.
    pub fn fit_table(options: &TokenizerOptions, train: &EventTable) -> Result<Self, TokenError> {
        check(options)?;
        if train.is_empty() {
            return Err(TokenError::NoEvents);
        }
        let mut fields = vec![field("type", Coding::Type { words: train.types.sorted() })];
        if train.zones.len() > 0 {
            fields.push(field("zone", Coding::Zone { words: train.zones.sorted() }));
        }
        if train.positions.iter().any(|[x, _]| !x.is_nan()) {
            fields.extend(cell_fields(options));
        }
        fields.push(field("hour", Coding::Hour { n_hours: n_hours(options.clock, train) }));
        let edges_secs = GAP_EXPONENTS.map(|exponent| 2f64.powi(exponent)).collect();
        fields.push(field("gap", Coding::Gap { edges_secs }));
        fields.extend(attribute_fields(options, train));
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

fn cell_fields(options: &TokenizerOptions) -> impl Iterator<Item = Field> {
    options.cell_resolutions_m.iter().map(|&resolution_m| Field {
        name: format!("cell_{resolution_m}m"),
        coding: Coding::Cell { resolution_m, n_buckets: options.cell_buckets },
    })
}

fn n_hours(clock: Clock, train: &EventTable) -> u32 {
    let (first, last) = (train.times.iter().min(), train.times.iter().max());
    let span = first.zip(last).map_or(0, |(first, last)| last - first);
    let is_week = match clock {
        Clock::HourOfDay => false,
        Clock::HourOfWeek => true,
        Clock::Auto => TimeDelta::nanoseconds(span).num_days() >= MIN_DAYS_FOR_WEEK,
    };
    if is_week { 168 } else { 24 }
}

/// The most frequent attributes, in order of their names.
fn attribute_fields(options: &TokenizerOptions, train: &EventTable) -> Vec<Field> {
    let mut columns: Vec<(&str, &AttributeColumn)> = train.names.iter().zip(&train.attributes).collect();
    let n_values = |column: &AttributeColumn| column.numbers.len() + column.word_codes.len();
    columns.sort_by_key(|(name, column)| (std::cmp::Reverse(n_values(column)), *name));
    columns.truncate(options.max_attributes);
    columns.sort_unstable_by_key(|(name, _)| *name);
    columns.par_iter().map(|(name, column)| attribute_field(options, name, column)).collect()
}

fn attribute_field(options: &TokenizerOptions, name: &str, column: &AttributeColumn) -> Field {
    let attribute = name.to_owned();
    let coding = if column.numbers.len() >= column.word_codes.len() {
        let numbers = column.numbers.iter().map(|(_, number)| *number).collect();
        Coding::Number { attribute, edges: quantile_edges(numbers, options.n_bins) }
    } else {
        Coding::Word { attribute, words: column.words.sorted() }
    };
    Field { name: format!("attr:{name}"), coding }
}

/// Edges between at most `n_bins` bins that hold about the same number of values each.
///
/// A value that fills more than one bin gives one edge only.
fn quantile_edges(mut values: Vec<f64>, n_bins: usize) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..n_bins).map(|i| values[i * values.len() / n_bins]).collect();
    edges.dedup();
    // An edge at the smallest value has nothing below it.
    edges.retain(|edge| *edge > values[0]);
    edges
}
