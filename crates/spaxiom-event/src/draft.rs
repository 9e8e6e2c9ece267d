//! A draft: the members of an event as a source gave them, and the one place that checks them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use compact_str::{CompactString, format_compact};
use serde_json::{Number, Value};

use crate::attrs::{AttrValue, Attrs};
use crate::error::LineError;
use crate::event::{Event, Position, Severity};
use crate::ids::{EventId, EventType, SiteId, ZoneId};
use crate::normalizer::Normalizer;
use crate::notes::{Note, NoteKind};
use crate::registry::{AttrSpec, Known, TypeSpec};
use crate::source::Record;
use crate::unit::Unit;

/// An event that was not checked yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) time: Option<DateTime<Utc>>,
    pub(crate) end_time: Option<DateTime<Utc>>,
    pub(crate) duration_secs: Option<f64>,
    pub(crate) site_id: Option<Cow<'a, str>>,
    pub(crate) zone: Option<Cow<'a, str>>,
    pub(crate) zone_path: Vec<ZoneId>,
    /// The sensor, where the site map knows its zone and place.
    pub(crate) sensor: Option<Cow<'a, str>>,
    pub(crate) x: Option<f64>,
    pub(crate) y: Option<f64>,
    pub(crate) z: Option<f64>,
    pub(crate) entity_id: Option<Cow<'a, str>>,
    pub(crate) confidence: Option<f64>,
    pub(crate) severity: Option<Cow<'a, str>>,
    pub(crate) caused_by: Vec<EventId>,
    pub(crate) attrs: Vec<(Cow<'a, str>, DraftValue<'a>)>,
    /// What was left out or looks odd.
    pub(crate) notes: Vec<Note>,
}

/// The value of an attribute that was not checked yet.
#[derive(Debug, Clone)]
pub(crate) enum DraftValue<'a> {
    Number(f64),
    /// A whole number that a double cannot hold.
    Whole(Number),
    Flag(bool),
    Text(Cow<'a, str>),
    /// A number with the unit beside it.
    Quantity(f64, Unit),
    /// A list or an object.
    Other(Value),
}

impl From<Value> for DraftValue<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Bool(flag) => Self::Flag(flag),
            Value::String(text) => Self::Text(text.into()),
            Value::Number(number) if number.is_f64() => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::Number(number) => whole(number),
            other => Self::Other(other),
        }
    }
}

/// A whole number: a double where one holds it.
pub(crate) fn whole(number: Number) -> DraftValue<'static> {
    const LAST_EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        // The double next to the last exact one is rounded to it.
        Some(double) if double.abs() < LAST_EXACT => DraftValue::Number(double),
        _ => DraftValue::Whole(number),
    }
}

impl Draft<'_> {
    /// The event, if everything about it is as it should be, and what was noted on the way; the draft is empty behind it.
    pub(crate) fn take_record(&mut self, normalizer: &Normalizer) -> Result<Record, LineError> {
        let Self {
            id,
            kind,
            time,
            end_time,
            duration_secs,
            site_id,
            zone,
            zone_path,
            sensor,
            x,
            y,
            z,
            entity_id,
            confidence,
            severity,
            caused_by,
            attrs,
            notes,
        } = self;
        let kind = kind.as_deref().filter(|kind| !kind.is_empty()).ok_or(LineError::Missing { field: "type" })?;
        let kind = normalizer.registry().type_name(kind);
        let time = in_range("time", time.ok_or(LineError::Missing { field: "time" })?)?;
        let site_id = site_id.as_deref().filter(|site| !site.is_empty()).unwrap_or(normalizer.site_id());
        let spec = normalizer.registry().get(kind);
        // For some types a duration is what they report, for all others how long they last.
        let is_report = spec.is_some_and(|spec| spec.attributes.contains_key("duration_s"));
        let event = Event {
            id: EventId::from(id.as_deref().unwrap_or_default()),
            kind: EventType::from(kind),
            time,
            end_time: end(time, *end_time, duration_secs.filter(|_| !is_report))?,
            site_id: SiteId::from(site_id),
            zone: zone.as_deref().filter(|zone| !zone.is_empty()).map(ZoneId::from),
            zone_path: std::mem::take(zone_path),
            position: position(*x, *y, *z, notes)?,
            entity_id: entity_id.as_deref().filter(|id| !id.is_empty()).map(|id| normalizer.entity_id(id)),
            attrs: Attrs::with_capacity(attrs.len() + usize::from(is_report)),
            confidence: confidence.map(check_confidence).transpose()?,
            severity: severity.as_deref().map(check_severity).transpose()?,
            caused_by: std::mem::take(caused_by),
        };
        let mut record = Record::from(event);
        // In place: events are large, and this is the way of every one of them.
        let mut filling = Filling { event: &mut record.event, notes, normalizer, spec };
        if let Some(secs) = duration_secs.filter(|_| is_report) {
            filling.add("duration_s", DraftValue::Number(secs))?;
        }
        for (name, value) in attrs.drain(..) {
            filling.add(&name, value)?;
        }
        normalizer.place(&mut record.event, sensor.as_deref());
        record.derived_id = record.event.derive_id();
        record.take_notes_of(notes);
        Ok(record)
    }

    /// Adds an attribute; nulls are left out.
    pub(crate) fn push(&mut self, name: impl Into<String>, value: Value) {
        if !value.is_null() {
            self.attrs.push((Cow::Owned(name.into()), value.into()));
        }
    }
}

/// Times are kept as nanoseconds in 64 bits: from 1677 to 2262.
fn in_range(field: &'static str, time: DateTime<Utc>) -> Result<DateTime<Utc>, LineError> {
    match time.timestamp_nanos_opt() {
        Some(_) => Ok(time),
        None => Err(LineError::Time { field, got: time.to_rfc3339() }),
    }
}

fn end(
    time: DateTime<Utc>,
    end_time: Option<DateTime<Utc>>,
    duration_secs: Option<f64>,
) -> Result<Option<DateTime<Utc>>, LineError> {
    let after = |secs: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then out of range")]
        let nanos = chrono::TimeDelta::nanoseconds((secs * 1e9).round() as i64);
        let end = (secs.is_finite() && secs.abs() < 9e9).then(|| time.checked_add_signed(nanos)).flatten();
        end.ok_or_else(|| LineError::Time { field: "duration_s", got: secs.to_string() })
    };
    let end = match end_time {
        Some(end) => Some(end),
        None => duration_secs.map(after).transpose()?,
    };
    match end.map(|end| in_range("end_time", end)).transpose()? {
        Some(end) if end < time => Err(LineError::EndsBeforeStart { start: time, end }),
        end => Ok(end),
    }
}

/// A coordinate that is missing because it was no number costs the position, not the event.
fn position(
    x: Option<f64>,
    y: Option<f64>,
    z: Option<f64>,
    notes: &mut Vec<Note>,
) -> Result<Option<Position>, LineError> {
    for (field, value) in [("x", x), ("y", y), ("z", z)] {
        if let Some(wrong) = value.filter(|value| !value.is_finite()) {
            notes.push(Note::new(NoteKind::NotFinite, field, wrong.to_string()));
        }
    }
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let was_left_out = |field: &str| notes.iter().any(|note| note.member == field);
    match (finite(x), finite(y), finite(z)) {
        (Some(x), Some(y), z) => Ok(Some(Position { x, y, z })),
        (None, None, None) => Ok(None),
        (x, _, _) => {
            let field = if x.is_none() { "x" } else { "y" };
            if was_left_out(field) { Ok(None) } else { Err(LineError::Missing { field }) }
        }
    }
}

fn check_confidence(confidence: f64) -> Result<f64, LineError> {
    if (0.0..=1.0).contains(&confidence) {
        return Ok(confidence);
    }
    Err(LineError::Number { field: "confidence", want: "0 to 1", got: confidence.to_string() })
}

fn check_severity(severity: &str) -> Result<Severity, LineError> {
    Severity::from_name(severity).ok_or_else(|| LineError::Severity { got: severity.into() })
}

/// An event whose attributes are being filled in.
struct Filling<'n> {
    event: &'n mut Event,
    notes: &'n mut Vec<Note>,
    normalizer: &'n Normalizer,
    spec: Option<&'n TypeSpec>,
}

impl Filling<'_> {
    /// Adds an attribute with its declared name and unit.
    fn add(&mut self, name: &str, value: DraftValue<'_>) -> Result<(), LineError> {
        let (number, unit) = match value {
            DraftValue::Number(number) => (number, None),
            DraftValue::Quantity(number, unit) => (number, Some(unit)),
            DraftValue::Whole(number) => return self.add_whole(name, &number),
            DraftValue::Flag(flag) => return self.add_word(name, AttrValue::Flag(flag)),
            DraftValue::Text(text) => return self.add_word(name, AttrValue::Text(text.into_owned())),
            DraftValue::Other(Value::Null) => return Ok(()),
            DraftValue::Other(Value::Object(members)) => return self.add_object(name, members),
            DraftValue::Other(other) => {
                self.notes.push(Note::new(NoteKind::NotOneValue, name, shortened(&other)));
                return Ok(());
            }
        };
        if !number.is_finite() {
            self.notes.push(Note::new(NoteKind::NotFinite, name, number.to_string()));
            return Ok(());
        }
        let (name, number) = match (self.normalizer.registry().look_up(self.spec, name), unit) {
            (Known::Declared(known, came_in, AttrSpec { unit: Some(declared), .. }), given) => {
                let came_in = given.or(came_in).unwrap_or(*declared);
                let converted = came_in.convert(number, *declared);
                (known.into(), converted.ok_or_else(|| wrong_unit(name, *declared, came_in))?)
            }
            (Known::Declared(known, ..), None) => (known.into(), number),
            (Known::Ambiguous, None) => return Err(LineError::PercentOrFraction { name: name.into(), got: number }),
            (Known::Unknown, None) => (CompactString::from(name), number),
            // A unit that nobody declared goes into the name, as everywhere.
            (_, Some(unit)) => {
                let base = unit.base();
                let number = unit.convert(number, base).expect("a unit converts to its own base");
                (with_suffix(name, base), number)
            }
        };
        // Whole conversions such as 2 min would otherwise leave a trace of the factor.
        self.set(name, AttrValue::Number(number))
    }

    /// A quantity is rounded as doubles are; anything else is an identifier, whose digits stay.
    fn add_whole(&mut self, name: &str, number: &Number) -> Result<(), LineError> {
        let known = self.normalizer.registry().look_up(self.spec, name);
        if let Known::Declared(_, _, AttrSpec { unit: Some(_), .. }) = known {
            return self.add(name, DraftValue::Number(number.as_f64().unwrap_or(f64::NAN)));
        }
        self.notes.push(Note::new(NoteKind::LongInteger, name, number.to_string()));
        self.add_word(name, AttrValue::Text(number.to_string()))
    }

    fn add_word(&mut self, name: &str, value: AttrValue) -> Result<(), LineError> {
        let name = match self.normalizer.registry().look_up(self.spec, name) {
            Known::Declared(_, _, AttrSpec { unit: Some(unit), .. }) => {
                let AttrValue::Text(got) = &value else { return self.set(name.into(), value) };
                return Err(LineError::NotANumber { name: name.into(), unit: *unit, got: got.clone() });
            }
            Known::Declared(name, ..) => name,
            Known::Ambiguous | Known::Unknown => name,
        };
        self.set(name.into(), value)
    }

    /// Two names of one attribute with two values are no event: nobody knows which is right.
    fn set(&mut self, name: CompactString, value: AttrValue) -> Result<(), LineError> {
        match self.event.attrs.get(&name) {
            Some(earlier) if *earlier != value => return Err(LineError::Twice { field: name.into() }),
            Some(_) => {}
            None => drop(self.event.attrs.insert(name, value)),
        }
        Ok(())
    }

    /// `{"value": 2, "unit": "min"}` is a quantity; the members of other objects get the object's name before theirs.
    fn add_object(&mut self, name: &str, members: serde_json::Map<String, Value>) -> Result<(), LineError> {
        if let (2, Some(Value::Number(number)), Some(Value::String(symbol))) =
            (members.len(), members.get("value"), members.get("unit"))
        {
            let unit = Unit::from_symbol(symbol)
                .ok_or_else(|| LineError::UnknownUnit { name: name.into(), got: symbol.clone() })?;
            return self.add(name, DraftValue::Quantity(number.as_f64().unwrap_or(f64::NAN), unit));
        }
        for (member, value) in members {
            self.add(&format_compact!("{name}.{member}"), value.into())?;
        }
        Ok(())
    }
}

fn wrong_unit(name: &str, want: Unit, got: Unit) -> LineError {
    LineError::Unit { name: name.into(), want, got }
}

fn with_suffix(name: &str, unit: Unit) -> CompactString {
    let suffix = unit.suffix();
    let has_suffix = name.strip_suffix(suffix).is_some_and(|stem| stem.ends_with('_'));
    if has_suffix { name.into() } else { format_compact!("{name}_{suffix}") }
}

/// A list or object as it stands in a message.
fn shortened(value: &Value) -> String {
    const MAX_CHARS: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
