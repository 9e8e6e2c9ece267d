//! One thing that a text asks for.

use chrono::Weekday;
use spaxiom_index::{Comparison, Field, Filter, Value};

use super::facts::Facts;

/// One thing that a text asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot {
    /// One of these types.
    Types(Vec<String>),
    /// One of these zones.
    Zones(Vec<String>),
    /// Minutes of the day, from and before; over midnight where they descend.
    TimeOfDay([u32; 2]),
    /// One of these days.
    Days(Vec<Weekday>),
    /// An attribute compares so.
    Number {
        /// Its name.
        name: String,
        /// Above, or at least.
        comparison: Comparison,
        /// What it is compared with.
        bound: f64,
    },
    /// This was really going on: nothing that a filter can say.
    Cause(String),
}

impl Slot {
    /// Whether an event is asked for, as far as this says.
    pub(super) fn holds(&self, facts: &Facts) -> bool {
        match self {
            Self::Types(types) => types.contains(&facts.kind),
            Self::Zones(zones) => facts.zone.as_ref().is_some_and(|zone| zones.contains(zone)),
            Self::TimeOfDay([from, before]) if from < before => (*from..*before).contains(&facts.minute),
            Self::TimeOfDay([from, before]) => facts.minute >= *from || facts.minute < *before,
            Self::Days(days) => days.contains(&facts.weekday),
            Self::Number { name, comparison, bound } => facts.numbers.get(name).is_some_and(|value| match comparison {
                Comparison::AtLeast => value >= bound,
                _ => value > bound,
            }),
            Self::Cause(cause) => facts.cause.as_ref() == Some(cause),
        }
    }

    /// The condition that it is, but for a cause.
    pub(super) fn filter(&self) -> Filter {
        match self {
            Self::Types(types) => Filter::Is { field: Field::Type, values: types.clone() },
            Self::Zones(zones) => Filter::Is { field: Field::Zone, values: zones.clone() },
            Self::TimeOfDay([from_minute, before_minute]) => {
                Filter::TimeOfDay { from_minute: *from_minute, before_minute: *before_minute }
            }
            Self::Days(days) => Filter::Weekday(days.clone()),
            Self::Number { name, comparison, bound } => Filter::Attribute {
                name: name.clone(),
                comparison: *comparison,
                value: Value::Number { value: *bound, text: bound.to_string() },
            },
            Self::Cause(_) => Filter::All,
        }
    }
}
