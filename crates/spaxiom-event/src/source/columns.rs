//! Delimited text, whose columns a [`ColumnMap`] names.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::column_map::{Binding, ColumnMap, Delimiter, TimeUnit};
use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::{ActivityMark, MarkEdge, Parsed, Record};
use crate::draft::{Draft, DraftValue};
use crate::error::{ColumnMapError, EventError, LineError};
use crate::normalizer::Normalizer;
use crate::time::{parse_local, parse_rfc3339};

/// Members that an event has beside its attributes, and `label`, which becomes no part of it.
const MEMBERS: [&str; 14] = [
    "id",
    "type",
    "time",
    "end_time",
    "site_id",
    "zone",
    "sensor",
    "x",
    "y",
    "z",
    "entity_id",
    "confidence",
    "severity",
    "label",
];

/// A column map for one input.
#[derive(Debug)]
struct Columns {
    members: Vec<(String, Value)>,
    delimiter: Delimiter,
    width: usize,
    has_header: bool,
}

#[derive(Debug)]
enum Value {
    Constant(String),
    Places(Vec<usize>, Option<TimeUnit>),
}

/// A column map with names fixed to places by the first line of the input.
fn resolved(map: &ColumnMap, first_line: &str, file_stem: &str) -> Result<Columns, ColumnMapError> {
    let delimiter = map.delimiter.unwrap_or_else(|| Delimiter::of(first_line));
    let header = delimiter.split(first_line);
    let mut columns = Columns { members: Vec::new(), delimiter, width: header.len(), has_header: map.has_header() };
    for (member, binding) in &map.members {
        let value = match binding {
            Binding::Constant(text) => Value::Constant(text.clone()),
            Binding::FileName => Value::Constant(file_stem.into()),
            Binding::Columns(names, unit) => {
                let places = names.iter().map(|name| name.place(&header));
                Value::Places(places.collect::<Result<_, _>>()?, *unit)
            }
        };
        columns.members.push((member.clone(), value));
    }
    Ok(columns)
}

/// Delimited text.
#[derive(Debug)]
pub(super) struct DelimitedText;

impl Source for DelimitedText {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        // Only somebody who knows the columns can say so.
        let (First::Object(_) | First::Line(_)) = first;
        false
    }

    fn parser(&self, Head { path, first_line, columns }: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        let map = columns.ok_or(EventError::NoColumns)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        match resolved(map, first_line, &stem) {
            Ok(columns) => Ok(Box::new(columns)),
            Err(source) => Err(EventError::Columns { path: path.to_owned(), source }),
        }
    }
}

impl RecordParser for Columns {
    fn has_header(&self) -> bool {
        self.has_header
    }

    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        if text.bytes().all(|byte| matches!(byte, b'-' | b'=' | b'+' | b'|' | b'\t' | b' ')) {
            return Ok(Parsed::Skipped("ruled line"));
        }
        let row = self.delimiter.split(text);
        if row.len() < self.width {
            return Err(LineError::TooFewColumns { want: self.width, got: row.len() });
        }
        let (mut draft, mut label) = (Draft::default(), None);
        let site_id = self.members.iter().find(|(member, _)| member == "site_id").map(|(_, value)| value.text(&row));
        let site_id = site_id.unwrap_or_else(|| normalizer.site_id().to_owned());
        for (member, value) in &self.members {
            let text = value.text(&row);
            if text.is_empty() {
                continue;
            }
            match MEMBERS.iter().find(|known| *known == member).copied() {
                Some("label") => label = Some(text),
                Some(field @ ("time" | "end_time")) => {
                    let time = value.time(field, &text, &site_id, normalizer)?;
                    *(if field == "time" { &mut draft.time } else { &mut draft.end_time }) = Some(time);
                }
                Some(field) => set(&mut draft, field, text)?,
                None => {
                    let number = text.parse::<f64>().ok();
                    let value = number.map_or_else(|| DraftValue::Text(text.into()), DraftValue::Number);
                    draft.attrs.push((member.clone().into(), value));
                }
            }
        }
        let event = draft.take_event(normalizer)?;
        let mark = label.map(|activity| ActivityMark { activity, edge: MarkEdge::Within, time: event.time });
        Ok(Parsed::Record(Record { event, mark }))
    }
}

fn set(draft: &mut Draft<'_>, field: &'static str, text: String) -> Result<(), LineError> {
    let number = |text: &str| {
        let wrong = || LineError::Number { field, want: "a finite number", got: text.into() };
        text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(wrong)
    };
    match field {
        "x" => draft.x = Some(number(&text)?),
        "y" => draft.y = Some(number(&text)?),
        "z" => draft.z = Some(number(&text)?),
        "confidence" => draft.confidence = Some(number(&text)?),
        "id" => draft.id = Some(text.into()),
        "type" => draft.kind = Some(text.into()),
        "site_id" => draft.site_id = Some(text.into()),
        "zone" => draft.zone = Some(text.into()),
        "sensor" => draft.sensor = Some(text.into()),
        "entity_id" => draft.entity_id = Some(text.into()),
        "severity" => draft.severity = Some(text.into()),
        other => unreachable!("`{other}` is handled by the caller"),
    }
    Ok(())
}

impl Value {
    fn text(&self, row: &[String]) -> String {
        match self {
            Self::Constant(text) => text.clone(),
            Self::Places(places, _) => {
                let columns: Vec<&str> = places.iter().map(|place| row[*place].as_str()).collect();
                columns.join(" ")
            }
        }
    }

    fn time(
        &self,
        field: &'static str,
        text: &str,
        site_id: &str,
        normalizer: &Normalizer,
    ) -> Result<DateTime<Utc>, LineError> {
        let unit = match self {
            Self::Places(_, unit) => *unit,
            Self::Constant(_) => None,
        };
        let Some(unit) = unit else {
            if let Some(time) = parse_rfc3339(text) {
                return Ok(time);
            }
            let wall = text.split_once([' ', 'T']).and_then(|(date, time)| parse_local(date, time.trim()));
            let wall = wall.or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok());
            let wall = wall.ok_or_else(|| LineError::ColumnTime { field, got: text.into() })?;
            return normalizer.wall_time(site_id, wall);
        };
        counted(text, unit).ok_or_else(|| LineError::CountedTime { field, unit: unit.to_string(), got: text.into() })
    }
}

/// 1970 in ticks of 100 ns since the year 1.
const TICKS_TO_1970: i64 = 621_355_968_000_000_000;

fn counted(text: &str, unit: TimeUnit) -> Option<DateTime<Utc>> {
    let nanos = match unit {
        TimeUnit::Ticks => text.parse::<i64>().ok()?.checked_sub(TICKS_TO_1970)?.checked_mul(100)?,
        TimeUnit::Nanos(unit) => {
            let of_fraction = || {
                let nanos = text.parse::<f64>().ok()? * unit as f64;
                #[expect(clippy::cast_possible_truncation, reason = "in the range of an i64")]
                (nanos.abs() < 9.2e18).then(|| nanos.round() as i64)
            };
            // Whole counts stay exact.
            text.parse::<i64>().map_or_else(|_| of_fraction(), |count| count.checked_mul(unit))?
        }
    };
    (nanos >= 0).then(|| DateTime::from_timestamp_nanos(nanos))
}
