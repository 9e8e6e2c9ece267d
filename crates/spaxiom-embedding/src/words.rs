//! Questions in words: a text to a filter that a person can see and correct, by rules alone.
//!
//! Names of types, zones, their kinds, sites and attributes are those of the store, so that nothing is invented.
//! What is said exactly (`between 7 and 9 am`, `in dock_2`, `length over 5`) has to hold; what is vague (`peak hours`) only weighs.

mod lexer;
mod names;
mod numbers;
mod query;
mod reading;
mod scores;
mod times;

pub use self::names::Names;
pub use self::query::TextQuery;
pub use self::reading::{Reading, Unread};
pub use self::scores::FilterScores;
