//! Attributes: what a sensor said beyond type, time and place.

use std::ops::Index;

use compact_str::CompactString;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The value of an attribute, in the unit that the registry or the name's suffix says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "Value")]
pub enum AttrValue {
    /// A finite number.
    Number(f64),
    /// A flag.
    Flag(bool),
    /// A word out of an open set.
    Text(String),
}

impl From<AttrValue> for Value {
    fn from(value: AttrValue) -> Self {
        match value {
            // Whole numbers are written without a fraction, as they were read; minus zero has to keep its sign.
            AttrValue::Number(n)
                if n.fract() == 0.0 && n.abs() < 2f64.powi(53) && !(n == 0.0 && n.is_sign_negative()) =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^53")]
                Value::from(n as i64)
            }
            AttrValue::Number(n) => Value::from(n),
            AttrValue::Flag(flag) => Value::from(flag),
            AttrValue::Text(text) => Value::from(text),
        }
    }
}

impl From<f64> for AttrValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for AttrValue {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

/// The attributes of one event, in order of their names.
///
/// An event has a handful of them, so that a sorted list is smaller and faster than a tree.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attrs(Vec<(CompactString, AttrValue)>);

impl Attrs {
    /// No attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// No attributes, with room for so many.
    #[must_use]
    pub fn with_capacity(n_attrs: usize) -> Self {
        Self(Vec::with_capacity(n_attrs))
    }

    /// Sets an attribute, and gives the value that it had.
    pub fn insert(&mut self, name: impl Into<CompactString>, value: AttrValue) -> Option<AttrValue> {
        let name = name.into();
        match self.position(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    /// Takes an attribute out.
    pub fn remove(&mut self, name: &str) -> Option<AttrValue> {
        self.position(name).ok().map(|at| self.0.remove(at).1)
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttrValue> {
        self.position(name).ok().map(|at| &self.0[at].1)
    }

    /// The value of a numeric attribute.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(AttrValue::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Names and values in order of the names.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &AttrValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names in order.
    #[must_use]
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Few attributes, often already in order: looking from the end is faster than halving.
    fn position(&self, name: &str) -> Result<usize, usize> {
        for (at, (known, _)) in self.0.iter().enumerate().rev() {
            match known.as_str().cmp(name) {
                std::cmp::Ordering::Less => return Err(at + 1),
                std::cmp::Ordering::Equal => return Ok(at),
                std::cmp::Ordering::Greater => {}
            }
        }
        Err(0)
    }
}

impl Index<&str> for Attrs {
    type Output = AttrValue;

    /// # Panics
    /// When there is no attribute of this name.
    fn index(&self, name: &str) -> &AttrValue {
        self.get(name).expect("the attribute is there")
    }
}

impl<N: Into<CompactString>> FromIterator<(N, AttrValue)> for Attrs {
    fn from_iter<I: IntoIterator<Item = (N, AttrValue)>>(attrs: I) -> Self {
        let mut all = Self::new();
        for (name, value) in attrs {
            all.insert(name, value);
        }
        all
    }
}

impl Serialize for Attrs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
