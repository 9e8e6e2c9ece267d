//! Fields: what of an event becomes a token, and how.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};
use spaxiom_event::{AttrValue, Event};

use crate::spatial::spatial_hash;
use crate::special::{FIRST, NONE, UNK};

/// One field of an event with its own small vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// `type`, `zone`, `cell_0.5m`, `hour`, `gap`, or `attr:` and the attribute's name.
    pub name: String,
    /// How its values become ids.
    pub coding: Coding,
}

/// How the values of a field become token ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Coding {
    /// The event's type.
    Type {
        /// Known types in order; the first has the id [`FIRST`].
        words: Vec<String>,
    },
    /// The event's zone.
    Zone {
        /// Known zones in order.
        words: Vec<String>,
    },
    /// The cell of the event's position, hashed.
    Cell {
        /// Side of a cell in metres.
        resolution_m: f64,
        /// Size of the hash table.
        n_buckets: u32,
    },
    /// Hour of the day, or of the week from Monday 00:00 on.
    Hour {
        /// 24 or 168.
        n_hours: u32,
    },
    /// Seconds since the previous event of the sequence.
    Gap {
        /// Bucket `i` holds gaps from `edges_secs[i - 1]` to below `edges_secs[i]`.
        edges_secs: Vec<f64>,
    },
    /// A numeric attribute.
    Number {
        /// The attribute.
        attribute: String,
        /// Bin `i` holds values from `edges[i - 1]` to below `edges[i]`.
        edges: Vec<f64>,
    },
    /// An attribute of words or flags.
    Word {
        /// The attribute.
        attribute: String,
        /// Known values in order.
        words: Vec<String>,
    },
}

impl Field {
    /// How many ids the field uses, special ones included.
    #[must_use]
    pub fn n_tokens(&self) -> u32 {
        let n_own = match &self.coding {
            Coding::Type { words } | Coding::Zone { words } | Coding::Word { words, .. } => n(words),
            Coding::Cell { n_buckets, .. } => *n_buckets,
            Coding::Hour { n_hours } => *n_hours,
            Coding::Gap { edges_secs: edges } | Coding::Number { edges, .. } => n(edges) + 1,
        };
        FIRST + n_own
    }

    /// The token of `event`; `previous` is the time of the event before it in the sequence.
    #[must_use]
    pub fn encode(&self, event: &Event, previous: Option<DateTime<Utc>>) -> u32 {
        match &self.coding {
            Coding::Type { words } => word_id(words, event.kind.as_str()),
            Coding::Zone { words } => event.zone.as_ref().map_or(NONE, |zone| word_id(words, zone.as_str())),
            Coding::Cell { resolution_m, n_buckets } => {
                event.position.map_or(NONE, |at| FIRST + spatial_hash(at.x, at.y, *resolution_m).bucket(*n_buckets))
            }
            Coding::Hour { n_hours } => FIRST + hour_of_week(event.time) % n_hours,
            Coding::Gap { edges_secs } => {
                previous.map_or(NONE, |previous| bin_id(edges_secs, gap_secs(previous, event.time)))
            }
            Coding::Number { attribute, edges } => match event.attrs.get(attribute) {
                Some(AttrValue::Number(value)) => bin_id(edges, *value),
                Some(_) => UNK,
                None => NONE,
            },
            Coding::Word { attribute, words } => event
                .attrs
                .get(attribute)
                .map_or(NONE, |value| word_of(value).map_or(UNK, |word| word_id(words, &word))),
        }
    }

    /// The token as a person reads it: `type:QueueFormed`, `length:bin_2`, `hour:10`.
    #[must_use]
    pub fn describe(&self, id: u32) -> String {
        let name = self.name.trim_start_matches("attr:");
        let Some(own) = id.checked_sub(FIRST) else {
            let special = ["PAD", "CLS", "SEP", "MASK", "UNK", "NONE"][id as usize];
            return format!("{name}:{special}");
        };
        match &self.coding {
            Coding::Type { words } | Coding::Zone { words } | Coding::Word { words, .. } => {
                format!("{name}:{}", words.get(own as usize).map_or("UNK", String::as_str))
            }
            Coding::Cell { .. } => format!("{name}:bucket_{own}"),
            Coding::Hour { .. } => format!("{name}:{own}"),
            Coding::Gap { .. } | Coding::Number { .. } => format!("{name}:bin_{own}"),
        }
    }
}

/// The word that an attribute value is, or none for numbers.
pub(crate) fn word_of(value: &AttrValue) -> Option<String> {
    match value {
        AttrValue::Number(_) => None,
        AttrValue::Flag(flag) => Some(flag.to_string()),
        AttrValue::Text(text) => Some(text.clone()),
    }
}

fn gap_secs(previous: DateTime<Utc>, time: DateTime<Utc>) -> f64 {
    (time - previous).as_seconds_f64()
}

/// The same of two times that are `nanos` apart.
pub(crate) fn gap_of_nanos(nanos: i64) -> f64 {
    TimeDelta::nanoseconds(nanos).as_seconds_f64()
}

/// The bin of `value`: 0 below the first edge, `edges.len()` from the last edge on.
pub(crate) fn bin(edges: &[f64], value: f64) -> usize {
    edges.partition_point(|edge| *edge <= value)
}

pub(crate) fn bin_id(edges: &[f64], value: f64) -> u32 {
    FIRST + u32::try_from(bin(edges, value)).expect("a field has few bins")
}

pub(crate) fn word_id(words: &[String], word: &str) -> u32 {
    words
        .binary_search_by(|known| known.as_str().cmp(word))
        .map_or(UNK, |index| FIRST + u32::try_from(index).expect("a vocabulary has fewer than 2^32 words"))
}

fn hour_of_week(time: DateTime<Utc>) -> u32 {
    time.weekday().num_days_from_monday() * 24 + time.hour()
}

fn n<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("a vocabulary has fewer than 2^32 entries")
}
