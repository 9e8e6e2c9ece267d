//! Filters over columns, one bit per row.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;

use super::columns::{Column, Columns, Names};
use super::expression::{Comparison, Field, Filter, Moment, Value};
use crate::id_set::IdSet;

const WORD: usize = u64::BITS as usize;

impl Columns {
    /// The rows that pass; rows without a record may be among them.
    pub(crate) fn passing(&self, filter: &Filter) -> IdSet {
        IdSet::of_words(self.words(filter))
    }

    fn words(&self, filter: &Filter) -> Vec<u64> {
        match filter {
            Filter::All => bits(self.n_rows(), |_| true),
            Filter::And(parts) => self.joined(parts, |a, b| a & b),
            Filter::Or(parts) => self.joined(parts, |a, b| a | b),
            Filter::Not(part) => {
                let mut words = self.words(part);
                for word in &mut words {
                    *word = !*word;
                }
                cut(&mut words, self.n_rows());
                words
            }
            Filter::Is { field, values } => {
                let names = match field {
                    Field::Type => &self.types,
                    Field::Zone => &self.zones,
                    Field::Site => &self.sites,
                };
                let wanted: Vec<u32> = values.iter().filter_map(|value| names.number(value)).collect();
                match wanted[..] {
                    [one] => bits(self.n_rows(), |row| names.codes()[row] == one),
                    _ => bits(self.n_rows(), |row| wanted.contains(&names.codes()[row])),
                }
            }
            Filter::Time { from, before } => {
                let spans: Vec<(i64, i64)> = self.clocks().iter().map(|clock| span(*clock, *from, *before)).collect();
                self.by_site(&spans, |(from, before), time_ns| (*from..*before).contains(&time_ns))
            }
            Filter::TimeOfDay { from_minute, before_minute } => {
                let (from, before) = (*from_minute, *before_minute);
                let is_inside = move |minute: u32| {
                    if from <= before { (from..before).contains(&minute) } else { minute >= from || minute < before }
                };
                self.by_site(&self.clocks(), |clock, time_ns| {
                    let time = local(*clock, time_ns);
                    is_inside(60 * time.hour() + time.minute())
                })
            }
            Filter::Weekday(days) => {
                self.by_site(&self.clocks(), |clock, time_ns| days.contains(&local(*clock, time_ns).weekday()))
            }
            Filter::Attribute { name, comparison, value } => match self.attributes.get(name) {
                Some(column) => column.words(*comparison, value),
                None => bits(self.n_rows(), |_| false),
            },
        }
    }

    fn joined(&self, parts: &[Filter], join: impl Fn(u64, u64) -> u64) -> Vec<u64> {
        let mut parts = parts.iter().map(|part| self.words(part));
        let mut words = parts.next().unwrap_or_default();
        for other in parts {
            words.iter_mut().zip(other).for_each(|(word, other)| *word = join(*word, other));
        }
        words
    }

    /// Bits of rows with a record, by what is known of their site.
    fn by_site<T>(&self, of_sites: &[T], passes: impl Fn(&T, i64) -> bool) -> Vec<u64> {
        let (sites, times) = (self.sites.codes(), &self.times);
        bits(self.n_rows(), |row| of_sites.get(sites[row] as usize).is_some_and(|of_site| passes(of_site, times[row])))
    }
}

impl Column {
    fn words(&self, comparison: Comparison, value: &Value) -> Vec<u64> {
        let of_texts = |wanted: &str| -> Vec<bool> {
            let matches = |text: &String| compares(text.as_str(), comparison, wanted);
            self.texts.names().iter().map(matches).collect()
        };
        let (texts, number) = match value {
            Value::Text(text) => (of_texts(text), None),
            Value::Number { value, text } if comparison == Comparison::Equal => (of_texts(text), Some(*value)),
            Value::Number { value, .. } => (vec![false; self.texts.names().len()], Some(*value)),
        };
        bits(self.len(), |row| {
            let is_text = passes(&self.texts, row, &texts);
            is_text || number.is_some_and(|wanted| compares(&self.numbers[row], comparison, &wanted))
        })
    }
}

fn passes(texts: &Names, row: usize, is_wanted: &[bool]) -> bool {
    is_wanted.get(texts.codes()[row] as usize).copied().unwrap_or(false)
}

fn compares<T: PartialOrd + ?Sized>(a: &T, comparison: Comparison, b: &T) -> bool {
    match comparison {
        Comparison::Equal => a == b,
        Comparison::Less => a < b,
        Comparison::AtMost => a <= b,
        Comparison::Greater => a > b,
        Comparison::AtLeast => a >= b,
    }
}

fn bits(n_rows: usize, passes: impl Fn(usize) -> bool) -> Vec<u64> {
    let word = |start: usize| {
        (start..(start + WORD).min(n_rows)).fold(0, |word, row| word | u64::from(passes(row)) << (row - start))
    };
    (0..n_rows).step_by(WORD).map(word).collect()
}

/// Clears the bits from `n_rows` on.
fn cut(words: &mut [u64], n_rows: usize) {
    if !n_rows.is_multiple_of(WORD)
        && let Some(last) = words.last_mut()
    {
        *last &= (1 << (n_rows % WORD)) - 1;
    }
}

fn local(clock: Tz, time_ns: i64) -> NaiveDateTime {
    clock.from_utc_datetime(&DateTime::from_timestamp_nanos(time_ns).naive_utc()).naive_local()
}

/// From the first nanosecond to before the last.
fn span(clock: Tz, from: Option<Moment>, before: Option<Moment>) -> (i64, i64) {
    let ns = |moment: Moment| moment.nanoseconds(clock);
    (from.map_or(i64::MIN, ns), before.map_or(i64::MAX, ns))
}
