//! Which records a search may find.

mod columns;
mod display;
mod evaluate;
mod expression;
mod parse;

pub(crate) use self::columns::{Column, Columns};
pub use self::expression::{Comparison, Field, Filter, Moment, Value};
