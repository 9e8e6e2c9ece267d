//! Cells: what stands in one column of one row, whatever the table is.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Number, Value};

use crate::draft::{DraftValue, whole};

/// What stands in a column of a row.
#[derive(Debug, Clone)]
pub(crate) enum Cell<'a> {
    Missing,
    /// Text of a delimited file, which may be a number.
    Word(Cow<'a, str>),
    /// Text that is text.
    Text(Cow<'a, str>),
    Number(f64),
    /// A whole number that a double cannot hold.
    Whole(Number),
    Flag(bool),
    Time(DateTime<Utc>),
    /// A time without a zone.
    Wall(NaiveDateTime),
    /// A list or an object.
    Other(Cow<'a, Value>),
}

/// A row of a table, or an object.
pub(crate) trait Row<'a> {
    /// Where in a row a column stands.
    type Place;

    fn cell(&self, place: &Self::Place) -> Cell<'a>;
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Missing,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Number(number) if number.is_f64() => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::Number(number) => match whole(number.clone()) {
                DraftValue::Number(number) => Self::Number(number),
                _ => Self::Whole(number.clone()),
            },
            other => Self::Other(Cow::Borrowed(other)),
        }
    }
}

impl<'a> Cell<'a> {
    /// As text; numbers as they are written, and lists and objects not at all.
    pub(crate) fn into_text(self) -> Option<Cow<'a, str>> {
        let text: Cow<'a, str> = match self {
            Self::Word(text) | Self::Text(text) => text,
            Self::Number(number) => number.to_string().into(),
            Self::Whole(number) => number.to_string().into(),
            Self::Flag(flag) => if flag { "true" } else { "false" }.into(),
            Self::Time(time) => time.to_rfc3339().into(),
            Self::Wall(wall) => wall.to_string().into(),
            Self::Missing | Self::Other(_) => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }
}
