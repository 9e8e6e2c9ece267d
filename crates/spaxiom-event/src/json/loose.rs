//! Texts and numbers as sources have them: an id may be a number, a number may be a text, and either may be missing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Text that is borrowed from the line where it holds no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.into())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// What stands where one value should be.
pub(super) enum Loose<'a> {
    Text(Cow<'a, str>),
    Whole(Number),
    Number(f64),
    Missing,
    /// Nothing that is one value, in words.
    Unusable(&'static str),
}

impl<'de> Deserialize<'de> for Loose<'de> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Owned(text.into())))
    }

    #[inline]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Loose<'de>, E> {
        Ok(Loose::Whole(number.into()))
    }

    #[inline]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Loose<'de>, E> {
        Ok(Loose::Whole(number.into()))
    }

    #[inline]
    fn visit_f64<E: Error>(self, number: f64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(number))
    }

    #[inline]
    fn visit_bool<E: Error>(self, _: bool) -> Result<Loose<'de>, E> {
        Ok(Loose::Unusable("a flag"))
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<Loose<'de>, E> {
        Ok(Loose::Missing)
    }

    /// A list of one value is that value.
    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose<'de>, A::Error> {
        let Some(first) = seq.next_element::<Loose<'de>>()? else { return Ok(Loose::Missing) };
        let mut is_one = true;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            is_one = false;
        }
        Ok(if is_one { first } else { Loose::Unusable("a list") })
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Unusable("an object"))
    }
}

impl<'a> Loose<'a> {
    /// As a name or an id; a number as it is written.
    #[inline]
    pub(super) fn into_text(self) -> Result<Option<Cow<'a, str>>, &'static str> {
        match self {
            Self::Text(text) => Ok(Some(text)),
            Self::Whole(number) => Ok(Some(number.to_string().into())),
            Self::Number(number) => Ok(Some(number.to_string().into())),
            Self::Missing => Ok(None),
            Self::Unusable(what) => Err(what),
        }
    }

    /// As a number; a text that is none is given back.
    #[inline]
    pub(super) fn into_number(self) -> Result<Option<f64>, Cow<'a, str>> {
        match self {
            Self::Number(number) => Ok(Some(number)),
            Self::Whole(number) => Ok(number.as_f64()),
            Self::Text(text) => match text.trim().parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) if text.trim().is_empty() => Ok(None),
                Err(_) => Err(text),
            },
            Self::Missing => Ok(None),
            Self::Unusable(what) => Err(what.into()),
        }
    }
}
