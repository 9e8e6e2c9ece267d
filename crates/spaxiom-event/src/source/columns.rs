//! Delimited text whose columns somebody named: `time=date+time,type='TagRead',x=3,label=activity`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::{ActivityMark, MarkEdge, Parsed, Record};
use crate::draft::{Draft, DraftValue};
use crate::error::{ColumnMapError, LineError};
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

/// Says which column of delimited text is which member of an event.
///
/// Written as `member=column` with commas between them. A column is the name in the header line, or a number from 1 on
/// where there is none. `'text'` in quotes is a constant, `@file` the name of the file without its ending.
/// `date+time` joins two columns by a blank. A time may say in which unit it counts: `time=timestamp[ms]`, one of
/// `s`, `ms`, `us`, `ns`, `min`, `h`, `d` since 1970, and `ticks` (of 100 ns since the year 1).
/// `delimiter=` is `comma`, `semicolon`, `tab`, `tabs` (any number of them) or `blanks`; told from the first line otherwise.
/// Members are those of an event (`site` and `entity` for short), `label` for what was going on,
/// and any other name for an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap {
    members: Vec<(String, Source)>,
    delimiter: Option<Delimiter>,
}

/// Where the value of a member comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// Columns joined by a blank, and the unit of a time that counts.
    Columns(Vec<Column>, Option<TimeUnit>),
    Constant(String),
    FileName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Name(String),
    /// From 0.
    Index(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeUnit {
    /// So many nanoseconds.
    Nanos(i64),
    /// 100 ns since the year 1.
    Ticks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Byte(u8),
    Tabs,
    Blanks,
}

impl FromStr for ColumnMap {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        let mut map = Self { members: Vec::new(), delimiter: None };
        for entry in text.split(',').map(str::trim) {
            let (member, source) = entry.split_once('=').ok_or_else(|| ColumnMapError::NoPair { got: entry.into() })?;
            match member.trim() {
                "delimiter" => map.delimiter = Some(source.trim().parse()?),
                "site" => map.add("site_id", source)?,
                "entity" => map.add("entity_id", source)?,
                member => map.add(member, source)?,
            }
        }
        for needed in ["time", "type"] {
            if !map.members.iter().any(|(member, _)| member == needed) {
                return Err(ColumnMapError::Missing { member: needed });
            }
        }
        Ok(map)
    }
}

impl ColumnMap {
    fn add(&mut self, member: &str, source: &str) -> Result<(), ColumnMapError> {
        if self.members.iter().any(|(known, _)| known == member) {
            return Err(ColumnMapError::Twice { member: member.into() });
        }
        self.members.push((member.into(), source.trim().parse()?));
        Ok(())
    }

    /// Whether a header line is needed to find the columns.
    pub(super) fn has_header(&self) -> bool {
        self.members.iter().any(|(_, source)| match source {
            Source::Columns(columns, _) => columns.iter().any(|column| matches!(column, Column::Name(_))),
            Source::Constant(_) | Source::FileName => false,
        })
    }

    /// Fixes names to places with the first line of the input.
    pub(super) fn resolve(&self, first_line: &str, file_stem: &str) -> Result<Columns, ColumnMapError> {
        let delimiter = self.delimiter.unwrap_or_else(|| Delimiter::of(first_line));
        let header = delimiter.split(first_line);
        let mut columns = Columns { members: Vec::new(), delimiter, width: header.len() };
        for (member, source) in &self.members {
            let value = match source {
                Source::Constant(text) => Value::Constant(text.clone()),
                Source::FileName => Value::Constant(file_stem.into()),
                Source::Columns(names, unit) => {
                    let places = names.iter().map(|name| name.place(&header));
                    Value::Places(places.collect::<Result<_, _>>()?, *unit)
                }
            };
            columns.members.push((member.clone(), value));
        }
        Ok(columns)
    }
}

impl FromStr for Source {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        if text == "@file" {
            return Ok(Self::FileName);
        }
        if let Some(constant) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            return Ok(Self::Constant(constant.into()));
        }
        let (names, unit) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((names, unit)) => (names, Some(unit.parse()?)),
            None => (text, None),
        };
        let column = |name: &str| match name.trim().parse::<usize>() {
            Ok(0) => Err(ColumnMapError::ZeroColumn),
            Ok(number) => Ok(Column::Index(number - 1)),
            Err(_) if name.trim().is_empty() => Err(ColumnMapError::NoPair { got: text.into() }),
            Err(_) => Ok(Column::Name(name.trim().into())),
        };
        Ok(Self::Columns(names.split('+').map(column).collect::<Result<_, _>>()?, unit))
    }
}

impl FromStr for TimeUnit {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        let nanos = match text {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "ticks" => return Ok(Self::Ticks),
            other => return Err(ColumnMapError::TimeUnit { got: other.into() }),
        };
        Ok(Self::Nanos(nanos))
    }
}

impl FromStr for Delimiter {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        match text {
            "comma" => Ok(Self::Byte(b',')),
            "semicolon" => Ok(Self::Byte(b';')),
            "tab" => Ok(Self::Byte(b'\t')),
            "tabs" => Ok(Self::Tabs),
            "blanks" => Ok(Self::Blanks),
            other => Err(ColumnMapError::Delimiter { got: other.into() }),
        }
    }
}

impl Delimiter {
    /// What separates the columns of a line, by what it holds.
    fn of(line: &str) -> Self {
        let most = [b',', b';', b'\t'].into_iter().max_by_key(|byte| line.bytes().filter(|b| b == byte).count());
        match most.filter(|byte| line.as_bytes().contains(byte)) {
            Some(byte) => Self::Byte(byte),
            None => Self::Blanks,
        }
    }

    fn split(self, line: &str) -> Vec<String> {
        match self {
            Self::Blanks => line.split_whitespace().map(String::from).collect(),
            Self::Tabs => {
                line.split('\t').map(|column| column.trim().to_owned()).filter(|column| !column.is_empty()).collect()
            }
            Self::Byte(delimiter) => {
                let mut reader = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .delimiter(delimiter)
                    .trim(csv::Trim::All)
                    .from_reader(line.as_bytes());
                let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
                record.iter().map(String::from).collect()
            }
        }
    }
}

impl Column {
    fn place(&self, header: &[String]) -> Result<usize, ColumnMapError> {
        match self {
            Self::Index(index) if *index < header.len() => Ok(*index),
            Self::Index(index) => Err(ColumnMapError::TooFew { wanted: index + 1, got: header.len() }),
            Self::Name(name) => header
                .iter()
                .position(|column| column == name)
                .ok_or_else(|| ColumnMapError::NoColumn { name: name.clone(), known: header.join("`, `") }),
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nanos(nanos) => write!(f, "a count of {nanos} ns"),
            Self::Ticks => f.write_str("a count of 100 ns since the year 1"),
        }
    }
}

/// A column map for one input.
#[derive(Debug)]
pub(super) struct Columns {
    members: Vec<(String, Value)>,
    delimiter: Delimiter,
    width: usize,
}

#[derive(Debug)]
enum Value {
    Constant(String),
    Places(Vec<usize>, Option<TimeUnit>),
}

impl Columns {
    pub(super) fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
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
