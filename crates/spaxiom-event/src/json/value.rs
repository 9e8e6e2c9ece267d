//! JSON values in which no object has a member twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::loose::Text;
use crate::attrs::AttrValue;
use crate::draft::{DraftValue, whole};

/// Where in a record a value stands.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    key: &'a str,
}

impl<'a> Path<'a> {
    pub(super) const ROOT: Self = Self { parent: None, key: "" };

    pub(super) fn child(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), key }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parent {
            Some(parent) if !parent.key.is_empty() => write!(f, "{parent}.{}", self.key),
            _ => f.write_str(self.key),
        }
    }
}

/// Reads any value; a member that an object has twice is an error that names its path.
pub(super) struct Strict<'p>(pub(super) Path<'p>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = DraftValue<'de>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<DraftValue<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = DraftValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    #[inline]
    fn visit_bool<E: Error>(self, flag: bool) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Flag(flag))
    }

    #[inline]
    fn visit_i64<E: Error>(self, number: i64) -> Result<DraftValue<'de>, E> {
        Ok(whole(number.into()))
    }

    #[inline]
    fn visit_u64<E: Error>(self, number: u64) -> Result<DraftValue<'de>, E> {
        Ok(whole(number.into()))
    }

    #[inline]
    fn visit_f64<E: Error>(self, number: f64) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Number(number))
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Text(Cow::Borrowed(text)))
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Text(Cow::Owned(text.into())))
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Other(Value::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DraftValue<'de>, A::Error> {
        let mut members = Map::new();
        while let Some(Text(key)) = map.next_key()? {
            let path = self.0.child(&key);
            let value = map.next_value_seed(Strict(path))?;
            if members.contains_key(&*key) {
                return Err(A::Error::custom(format_args!("`{path}` is given twice")));
            }
            members.insert(key.into_owned(), value.into());
        }
        Ok(DraftValue::Other(Value::Object(members)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<DraftValue<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(value) = seq.next_element_seed(Strict(self.0))? {
            items.push(value.into());
        }
        Ok(DraftValue::Other(Value::Array(items)))
    }
}

impl From<DraftValue<'_>> for Value {
    fn from(value: DraftValue<'_>) -> Self {
        match value {
            // A whole number is written without a fraction, as in attributes: an id of 12 is `12`.
            DraftValue::Number(number) | DraftValue::Quantity(number, _) => AttrValue::Number(number).into(),
            DraftValue::Whole(number) => Self::Number(number),
            DraftValue::Flag(flag) => flag.into(),
            DraftValue::Text(text) => text.into(),
            DraftValue::Other(value) => value,
        }
    }
}

impl<'de> Deserialize<'de> for DraftValue<'de> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict(Path::ROOT).deserialize(deserializer)
    }
}
