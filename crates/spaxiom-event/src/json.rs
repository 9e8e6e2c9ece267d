//! One JSON object to a draft, without a copy of what does not have to be copied.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::draft::{Draft, DraftValue};
use crate::error::LineError;
use crate::event::Event;
use crate::ids::{EventId, ZoneId};
use crate::normalizer::Normalizer;
use crate::time::{from_epoch_secs, parse_rfc3339};

impl Event {
    /// Reads one JSON object, with the built-in registry and without a site map.
    ///
    /// # Errors
    /// [`LineError`] says which member was wrong, what was wanted and what was found.
    pub fn from_json(text: &str) -> Result<Self, LineError> {
        event(text, Normalizer::built_in())
    }
}

impl Normalizer {
    /// Completes and checks an event that is given with the members of the canonical form: what a source of your own ends with.
    ///
    /// # Errors
    /// [`LineError`] says which member was wrong, what was wanted and what was found.
    pub fn event(&self, members: &Value) -> Result<Event, LineError> {
        draft_of(members)?.take_event(self)
    }
}

/// Reads a canonical event, with the aliases of the seed and the Spaxiom series.
pub(crate) fn event(text: &str, normalizer: &Normalizer) -> Result<Event, LineError> {
    let mut members = Members::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    (&mut members).deserialize(&mut deserializer).and_then(|()| deserializer.end()).map_err(LineError::Json)?;
    members.check_times()?;
    members.draft.take_event(normalizer)
}

/// Reads the members of a canonical event out of a value that was read already.
pub(crate) fn draft_of(value: &Value) -> Result<Draft<'_>, LineError> {
    let mut members = Members::default();
    (&mut members).deserialize(value).map_err(LineError::Json)?;
    members.check_times()?;
    Ok(members.draft)
}

/// A time as JSON has it.
pub(crate) fn time(field: &'static str, value: &Value) -> Result<DateTime<Utc>, LineError> {
    match value {
        Value::String(text) => RawTime::Text(text.as_str().into()).check(field),
        Value::Number(number) => RawTime::Secs(number.as_f64().unwrap_or(f64::NAN)).check(field),
        other => Err(LineError::Time { field, got: other.to_string() }),
    }
}

/// A draft whose times were not read yet.
#[derive(Default)]
struct Members<'a> {
    draft: Draft<'a>,
    time: Option<RawTime<'a>>,
    end_time: Option<RawTime<'a>>,
}

impl Members<'_> {
    fn check_times(&mut self) -> Result<(), LineError> {
        let Self { draft, time, end_time } = self;
        draft.time = time.as_ref().map(|time| time.check("time")).transpose()?;
        draft.end_time = end_time.as_ref().map(|time| time.check("end_time")).transpose()?;
        Ok(())
    }
}

enum RawTime<'a> {
    Text(Cow<'a, str>),
    Secs(f64),
}

impl RawTime<'_> {
    fn check(&self, field: &'static str) -> Result<DateTime<Utc>, LineError> {
        match self {
            Self::Text(text) => {
                parse_rfc3339(text).ok_or_else(|| LineError::Time { field, got: format!("\"{text}\"") })
            }
            Self::Secs(secs) => from_epoch_secs(*secs).ok_or_else(|| LineError::Time { field, got: written(*secs) }),
        }
    }
}

/// A number as a person would write it.
fn written(number: f64) -> String {
    if number.abs() < 1e15 { number.to_string() } else { format!("{number:e}") }
}

/// Fills the members in place: they are large, and a line would move them from function to function.
impl<'de> DeserializeSeed<'de> for &mut Members<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Members<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            member(self, key, &mut map)?;
        }
        Ok(())
    }
}

/// Reads the value of one member.
fn member<'de, A: MapAccess<'de>>(members: &mut Members<'de>, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error> {
    let Members { draft, time, end_time } = members;
    match &*key {
        "id" => once(&mut draft.id, text(map)?, "id"),
        "type" | "event_type" => once(&mut draft.kind, text(map)?, "type"),
        "time" | "timestamp" | "start_time" | "t" => once(time, map.next_value()?, "time"),
        "end_time" => once(end_time, map.next_value()?, "end_time"),
        "duration_s" => once(&mut draft.duration_secs, map.next_value()?, "duration_s"),
        "site_id" => once(&mut draft.site_id, text(map)?, "site_id"),
        "zone" => once(&mut draft.zone, text(map)?, "zone"),
        // Only where no zone is named: an event of a queue may name both.
        "queue_name" | "facility" if draft.zone.is_none() => once(&mut draft.zone, text(map)?, "zone"),
        "sensor" | "sensor_id" => once(&mut draft.sensor, text(map)?, "sensor"),
        "x" => once(&mut draft.x, map.next_value()?, "x"),
        "y" => once(&mut draft.y, map.next_value()?, "y"),
        "z" => once(&mut draft.z, map.next_value()?, "z"),
        "entity_id" => once(&mut draft.entity_id, text(map)?, "entity_id"),
        "confidence" => once(&mut draft.confidence, map.next_value()?, "confidence"),
        "severity" => once(&mut draft.severity, text(map)?, "severity"),
        "zone_path" => {
            draft.zone_path = map.next_value::<Vec<ZoneId>>()?;
            Ok(())
        }
        "caused_by" => {
            draft.caused_by = map.next_value::<Vec<EventId>>()?;
            Ok(())
        }
        "attrs" => map.next_value_seed(AttrsSeed(&mut draft.attrs)),
        _ => {
            let value = map.next_value()?;
            draft.attrs.push((key, value));
            Ok(())
        }
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    Ok(map.next_value::<Option<Text<'de>>>()?.map(|Text(text)| text))
}

/// A member that stands there twice, or under two of its names, has no meaning.
fn once<T, E: Error>(slot: &mut Option<T>, value: Option<T>, name: &str) -> Result<(), E> {
    if slot.is_some() && value.is_some() {
        return Err(E::custom(format_args!("`{name}` is given twice")));
    }
    *slot = slot.take().or(value);
    Ok(())
}

/// Text that is borrowed from the line where it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
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

impl<'de> Deserialize<'de> for RawTime<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match DraftValue::deserialize(deserializer)? {
            DraftValue::Text(text) => Ok(Self::Text(text)),
            DraftValue::Number(secs) => Ok(Self::Secs(secs)),
            _ => Err(D::Error::custom("wanted a time as RFC 3339 text or as seconds since 1970")),
        }
    }
}

impl<'de> Deserialize<'de> for DraftValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = DraftValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Flag(flag))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Number(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Text(Cow::Owned(text.into())))
    }

    fn visit_unit<E: Error>(self) -> Result<DraftValue<'de>, E> {
        Ok(DraftValue::Other(Value::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DraftValue<'de>, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(DraftValue::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<DraftValue<'de>, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(DraftValue::Other)
    }
}

/// Reads the object of attributes behind those that stand on the top level.
struct AttrsSeed<'s, 'de>(&'s mut Vec<(Cow<'de, str>, DraftValue<'de>)>);

impl<'de> DeserializeSeed<'de> for AttrsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AttrsSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(name), value)) = map.next_entry()? {
            self.0.push((name, value));
        }
        Ok(())
    }
}

/// A draft with nothing but the attributes of a JSON object.
#[cfg(feature = "parquet")]
pub(crate) fn draft_of_attrs(text: &str) -> Result<Draft<'_>, LineError> {
    let mut draft = Draft::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    AttrsSeed(&mut draft.attrs).deserialize(&mut deserializer).map_err(LineError::Json)?;
    deserializer.end().map_err(LineError::Json)?;
    Ok(draft)
}
