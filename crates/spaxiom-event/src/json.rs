//! One JSON object to a draft, without a copy of what does not have to be copied.

mod loose;
mod mend;
mod value;

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use self::loose::{Loose, Text};
pub(crate) use self::mend::end_of_text;
use self::value::{Path, Strict};
use crate::draft::{Draft, DraftValue};
use crate::error::LineError;
use crate::event::Event;
use crate::normalizer::Normalizer;
use crate::notes::{Note, NoteKind};
use crate::source::Record;
use crate::time::{from_epoch_secs, parse_rfc3339, parse_wall};

impl Event {
    /// Reads one JSON object, with the built-in registry and without a site map.
    ///
    /// # Errors
    /// [`LineError`] says which member was wrong, what was wanted and what was found.
    pub fn from_json(text: &str) -> Result<Self, LineError> {
        Ok(record(text, Normalizer::built_in())?.event)
    }
}

impl Normalizer {
    /// Completes and checks an event that is given with the members of the canonical form: what a source of your own ends with.
    ///
    /// # Errors
    /// [`LineError`] says which member was wrong, what was wanted and what was found.
    pub fn event(&self, members: &Value) -> Result<Event, LineError> {
        Ok(self.record(members)?.event)
    }

    /// The same, with what was noted on the way; two events of one content get different ids.
    ///
    /// # Errors
    /// As of [`Normalizer::event`].
    pub fn record(&self, members: &Value) -> Result<Record, LineError> {
        draft_of(members, self)?.take_record(self)
    }
}

/// Reads a canonical event, with the aliases of the seed and the Spaxiom series.
pub(crate) fn record(text: &str, normalizer: &Normalizer) -> Result<Record, LineError> {
    let mut members = Members::default();
    match read(text, &mut members) {
        Ok(()) if !members.is_rounded() => members.record(normalizer),
        result => mended_record(text, members, result, normalizer),
    }
}

/// The same of a text whose numbers JSON or doubles cannot hold.
#[cold]
fn mended_record(
    text: &str,
    mut members: Members<'_>,
    result: Result<(), serde_json::Error>,
    normalizer: &Normalizer,
) -> Result<Record, LineError> {
    let Some((text, mut notes)) = mend::mended(text) else {
        result.map_err(LineError::Json)?;
        return members.record(normalizer);
    };
    let mut members = Members::default();
    read(&text, &mut members).map_err(LineError::Json)?;
    members.draft.notes.append(&mut notes);
    members.record(normalizer)
}

/// Reads the text of an object of attributes behind those that a draft has.
pub(crate) fn read_attributes<'a>(text: &'a str, draft: &mut Draft<'a>) -> Result<(), LineError> {
    let n_before = draft.attrs.len();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = Attributes(draft).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    if result.is_ok() && !draft.attrs[n_before..].iter().any(|(_, value)| is_rounded(value)) {
        return Ok(());
    }
    draft.attrs.truncate(n_before);
    copy_attributes(text, draft)
}

/// The same of a text that does not last.
pub(crate) fn copy_attributes(text: &str, draft: &mut Draft<'_>) -> Result<(), LineError> {
    let (members, mut notes) = object(text)?;
    draft.notes.append(&mut notes);
    draft.attrs.extend(members.into_iter().map(|(name, value)| (Cow::Owned(name), value.into())));
    Ok(())
}

fn read<'a>(text: &'a str, members: &mut Members<'a>) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    members.deserialize(&mut deserializer).and_then(|()| deserializer.end())
}

/// Reads a JSON object of any shape; a member that stands there twice is an error, and so at any depth.
pub(crate) fn object(text: &str) -> Result<(Map<String, Value>, Vec<Note>), LineError> {
    let (value, notes) = any(text)?;
    match value {
        Value::Object(members) => Ok((members, notes)),
        other => Err(LineError::NoObject { got: kind_of(&other) }),
    }
}

/// Reads any JSON value, as [`object`].
pub(crate) fn any(text: &str) -> Result<(Value, Vec<Note>), LineError> {
    let parsed = |text: &str| serde_json::from_str::<DraftValue<'_>>(text).map(Value::from);
    if mend::has_long_number(text)
        && let Some((text, notes)) = mend::mended(text)
    {
        return Ok((parsed(&text).map_err(LineError::Json)?, notes));
    }
    parsed(text).map(|value| (value, Vec::new())).or_else(|error| match mend::mended(text) {
        Some((text, notes)) => Ok((parsed(&text).map_err(LineError::Json)?, notes)),
        None => Err(LineError::Json(error)),
    })
}

/// What a value is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Reads the members of a canonical event out of a value that was read already.
pub(crate) fn draft_of<'a>(value: &'a Value, normalizer: &Normalizer) -> Result<Draft<'a>, LineError> {
    let mut members = Members::default();
    members.deserialize(value).map_err(LineError::Json)?;
    members.check_times(normalizer)?;
    Ok(members.draft)
}

/// A time as JSON has it.
pub(crate) fn time(field: &'static str, value: &Value, normalizer: &Normalizer) -> Result<DateTime<Utc>, LineError> {
    let time = DraftValue::deserialize(value).ok().and_then(RawTime::of);
    let wrong = || LineError::Time { field, got: value.to_string() };
    time.ok_or_else(wrong)?.check(field, field, normalizer.site_id(), normalizer)
}

/// A draft whose times were not read yet.
#[derive(Default)]
struct Members<'a> {
    draft: Draft<'a>,
    /// Under which of its names the time stands.
    time_name: &'static str,
    time: Option<RawTime<'a>>,
    end_time: Option<RawTime<'a>>,
}

impl Members<'_> {
    fn check_times(&mut self, normalizer: &Normalizer) -> Result<(), LineError> {
        let Self { draft, time_name, time, end_time } = self;
        let site = draft.site_id.as_deref().unwrap_or(normalizer.site_id());
        draft.time = time.as_ref().map(|time| time.check("time", time_name, site, normalizer)).transpose()?;
        draft.end_time =
            end_time.as_ref().map(|time| time.check("end_time", "end_time", site, normalizer)).transpose()?;
        Ok(())
    }

    fn record(&mut self, normalizer: &Normalizer) -> Result<Record, LineError> {
        self.check_times(normalizer)?;
        self.draft.take_record(normalizer)
    }

    /// Whether a whole number may have lost digits.
    fn is_rounded(&self) -> bool {
        self.draft.attrs.iter().any(|(_, value)| is_rounded(value))
    }
}

fn is_rounded(value: &DraftValue<'_>) -> bool {
    match value {
        DraftValue::Number(number) => is_huge(*number),
        DraftValue::Other(value) => has_huge(value),
        _ => false,
    }
}

/// Beyond 64 bits, where whole numbers are read as doubles.
fn is_huge(number: f64) -> bool {
    number.abs() >= 9.2e18
}

fn has_huge(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64() && number.as_f64().is_some_and(is_huge),
        Value::Array(items) => items.iter().any(has_huge),
        Value::Object(members) => members.values().any(has_huge),
        _ => false,
    }
}

enum RawTime<'a> {
    Text(Cow<'a, str>),
    Secs(f64),
    /// `{"$date": ...}` of `MongoDB`, in milliseconds.
    Millis(f64),
}

impl<'a> RawTime<'a> {
    fn of(value: DraftValue<'a>) -> Option<Self> {
        match value {
            DraftValue::Text(text) => Some(Self::Text(text)),
            DraftValue::Number(secs) => Some(Self::Secs(secs)),
            DraftValue::Whole(number) => number.as_f64().map(Self::Secs),
            DraftValue::Other(Value::Object(members)) => of_mongodb(&members),
            _ => None,
        }
    }

    fn check(
        &self,
        field: &'static str,
        name: &'static str,
        site: &str,
        normalizer: &Normalizer,
    ) -> Result<DateTime<Utc>, LineError> {
        match self {
            Self::Text(text) => {
                if let Some(time) = parse_rfc3339(text) {
                    return Ok(time);
                }
                let wrong = || LineError::Time { field, got: format!("\"{text}\"") };
                // A time without a zone is one where somebody says which zone.
                let wall = parse_wall(text).ok_or_else(wrong)?;
                if normalizer.zone(site).is_none() {
                    return Err(LineError::LocalTime { field, got: text.to_string() });
                }
                normalizer.wall_time(site, wall)
            }
            Self::Secs(secs) => {
                from_epoch_secs(*secs).ok_or_else(|| LineError::count_of_secs(field, name, written(*secs), *secs))
            }
            Self::Millis(millis) => from_epoch_secs(millis / 1e3)
                .ok_or_else(|| LineError::Time { field, got: format!("{{\"$date\":{}}}", written(*millis)) }),
        }
    }
}

/// A number as a person would write it.
fn written(number: f64) -> String {
    if number.abs() < 1e17 { number.to_string() } else { format!("{number:e}") }
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
    let Members { draft, time_name, time, end_time } = members;
    let notes = &mut draft.notes;
    match &*key {
        "id" => once(&mut draft.id, text(map, "id", notes)?, "id"),
        "type" | "event_type" => once(&mut draft.kind, text(map, "type", notes)?, "type"),
        "time" | "timestamp" | "start_time" | "t" => {
            let names = ["time", "timestamp", "start_time", "t"];
            *time_name = names.into_iter().find(|name| *name == key).unwrap_or("time");
            once(time, raw_time(map, "time")?, "time")
        }
        "end_time" => once(end_time, raw_time(map, "end_time")?, "end_time"),
        "duration_s" => once(&mut draft.duration_secs, number(map, "duration_s", notes)?, "duration_s"),
        "site_id" => once(&mut draft.site_id, text(map, "site_id", notes)?, "site_id"),
        "zone" => once(&mut draft.zone, text(map, "zone", notes)?, "zone"),
        // Only where no zone is named: an event of a queue may name both.
        "queue_name" | "facility" if draft.zone.is_none() => once(&mut draft.zone, text(map, "zone", notes)?, "zone"),
        "sensor" | "sensor_id" => once(&mut draft.sensor, text(map, "sensor", notes)?, "sensor"),
        "x" => once(&mut draft.x, number(map, "x", notes)?, "x"),
        "y" => once(&mut draft.y, number(map, "y", notes)?, "y"),
        "z" => once(&mut draft.z, number(map, "z", notes)?, "z"),
        "entity_id" => once(&mut draft.entity_id, text(map, "entity_id", notes)?, "entity_id"),
        "confidence" => once(&mut draft.confidence, number(map, "confidence", notes)?, "confidence"),
        "severity" => once(&mut draft.severity, text(map, "severity", notes)?, "severity"),
        "zone_path" => {
            draft.zone_path = texts(map, "zone_path", notes)?.into_iter().map(Into::into).collect();
            Ok(())
        }
        "caused_by" => {
            draft.caused_by = texts(map, "caused_by", notes)?.into_iter().map(Into::into).collect();
            Ok(())
        }
        "attrs" => map.next_value_seed(Attributes(draft)),
        name => {
            if name == "specversion" {
                notes.push(Note::new(NoteKind::OtherFormat, "cloudevents", ""));
            }
            let value = map.next_value_seed(Strict(Path::ROOT.child(name)))?;
            draft.attrs.push((key, value));
            Ok(())
        }
    }
}

#[inline]
fn raw_time<'de, A: MapAccess<'de>>(map: &mut A, field: &'static str) -> Result<Option<RawTime<'de>>, A::Error> {
    let value = map.next_value::<DraftValue<'de>>()?;
    if matches!(value, DraftValue::Other(Value::Null)) {
        return Ok(None);
    }
    let wrong = || A::Error::custom(format_args!("`{field}`: wanted a time as RFC 3339 text or as seconds since 1970"));
    RawTime::of(value).ok_or_else(wrong).map(Some)
}

#[inline]
fn text<'de, A: MapAccess<'de>>(
    map: &mut A,
    field: &'static str,
    notes: &mut Vec<Note>,
) -> Result<Option<Cow<'de, str>>, A::Error> {
    let value = map.next_value::<Loose<'de>>()?;
    match value {
        Loose::Text(text) => Ok(Some(text)),
        value => unusual_text(value, field, notes),
    }
}

#[cold]
fn unusual_text<'de, E: Error>(
    value: Loose<'de>,
    field: &'static str,
    notes: &mut Vec<Note>,
) -> Result<Option<Cow<'de, str>>, E> {
    if let Loose::Number(number) = value
        && is_huge(number)
    {
        return Err(E::custom(format_args!("`{field}` is a number of more digits than can be kept")));
    }
    Ok(value.into_text().unwrap_or_else(|what| {
        notes.push(Note::new(NoteKind::NotOneValue, field, what));
        None
    }))
}

#[inline]
fn number<'de, A: MapAccess<'de>>(
    map: &mut A,
    field: &'static str,
    notes: &mut Vec<Note>,
) -> Result<Option<f64>, A::Error> {
    match map.next_value::<Loose<'de>>()? {
        Loose::Number(number) => Ok(Some(number)),
        Loose::Unusable(what) => {
            notes.push(Note::new(NoteKind::NotOneValue, field, what));
            Ok(None)
        }
        value => value
            .into_number()
            .map_err(|text| A::Error::custom(format_args!("`{field}`: wanted a number, got `{text}`"))),
    }
}

/// A list of texts, or one text.
fn texts<'de, A: MapAccess<'de>>(
    map: &mut A,
    field: &'static str,
    notes: &mut Vec<Note>,
) -> Result<Vec<String>, A::Error> {
    let value = Value::from(map.next_value::<DraftValue<'de>>()?);
    let items = match value {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        other => vec![other],
    };
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::String(text) => texts.push(text),
            Value::Number(number) => texts.push(number.to_string()),
            Value::Null => {}
            other => notes.push(Note::new(NoteKind::NotOneValue, field, kind_of(&other))),
        }
    }
    Ok(texts)
}

/// Reads the object of attributes behind those that stand on the top level; null is none.
struct Attributes<'s, 'de>(&'s mut Draft<'de>);

impl<'de> DeserializeSeed<'de> for Attributes<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Attributes<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            let value = map.next_value_seed(Strict(Path::ROOT.child(&name)))?;
            self.0.attrs.push((name, value));
        }
        Ok(())
    }
}

/// A member that stands there twice, or under two of its names, has no meaning.
fn once<T, E: Error>(slot: &mut Option<T>, value: Option<T>, name: &str) -> Result<(), E> {
    if slot.is_some() && value.is_some() {
        return Err(E::custom(format_args!("`{name}` is given twice")));
    }
    *slot = slot.take().or(value);
    Ok(())
}

/// `{"$date": ...}`: a text, milliseconds, or these as text in `$numberLong`.
fn of_mongodb(members: &Map<String, Value>) -> Option<RawTime<'static>> {
    let date = members.get("$date").filter(|_| members.len() == 1)?;
    match date.get("$numberLong").unwrap_or(date) {
        Value::String(text) => Some(text.parse().map_or_else(|_| RawTime::Text(text.clone().into()), RawTime::Millis)),
        Value::Number(millis) => millis.as_f64().map(RawTime::Millis),
        _ => None,
    }
}
