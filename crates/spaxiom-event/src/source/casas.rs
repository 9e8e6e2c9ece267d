//! The text and CSV of the CASAS smart homes.
//!
//! - `date time sensor value [activity begin|end]`, separated by blanks, tabs or commas (Aruba, Kyoto, Milan, ...);
//! - `date time area location value activity`, where sensors have the names of places and every event an activity.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::{ActivityMark, MarkEdge, Parsed, Record};
use crate::draft::{Draft, DraftValue};
use crate::error::{EventError, LineError};
use crate::ids::ZoneId;
use crate::normalizer::Normalizer;
use crate::time::parse_local;

/// Text and CSV of the CASAS smart homes.
#[derive(Debug)]
pub(super) struct Casas;

impl Source for Casas {
    fn name(&self) -> &'static str {
        "casas"
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        matches!(first, First::Line(line) if looks_like(line))
    }

    fn parser(&self, _: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Ok(Box::new(parse))
    }
}

fn looks_like(line: &str) -> bool {
    let columns = split(line);
    is_header(&columns) || matches!(columns.as_slice(), [date, time, _, _, ..] if wall_time(date, time).is_some())
}

fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    let columns = split(text);
    if is_header(&columns) {
        return Ok(Parsed::Skipped("header"));
    }
    let (date, clock, area, sensor, value, marks) = match columns.as_slice() {
        [date, time, area, sensor, value, activity] if !is_edge(activity) => {
            (*date, *time, Some(*area), *sensor, *value, Marks::Within(activity))
        }
        [date, time, sensor, value] => (*date, *time, None, *sensor, *value, Marks::None),
        [date, time, sensor, value, activity, edge] => {
            (*date, *time, None, *sensor, *value, Marks::Edge(activity, edge))
        }
        _ => return Err(LineError::Columns { got: columns.len() }),
    };
    let wrong_time = || LineError::Time { field: "date time", got: format!("{date} {clock}") };
    let wall = wall_time(date, clock).ok_or_else(wrong_time)?;
    let time = normalizer.wall_time(normalizer.site_id(), wall)?;
    let kind = kind(sensor, value)?;
    let mut draft =
        Draft { kind: Some(kind.into()), time: Some(time), sensor: Some(sensor.into()), ..Draft::default() };
    draft.zone_path.extend(area.filter(|area| *area != sensor).map(ZoneId::from));
    match kind {
        "MeasurementChanged" => {
            let name = if is_numbered(sensor, 'T') { "value_cel" } else { "value" };
            let number = value.parse().expect("it was told to be a measurement because it parses");
            draft.attrs.push((name.into(), DraftValue::Number(number)));
        }
        "StateChanged" => draft.attrs.push(("state".into(), DraftValue::Text(value.into()))),
        _ => {}
    }
    let mark = marks.mark(time);
    Ok(Parsed::Record(Record { event: draft.take_event(normalizer)?, mark }))
}

/// Commas separate where there are any, and blanks elsewhere; empty columns at the end mean nothing.
fn split(line: &str) -> Vec<&str> {
    if line.contains(',') {
        let mut columns: Vec<&str> = line.split(',').map(str::trim).collect();
        while columns.last().is_some_and(|last| last.is_empty()) {
            columns.pop();
        }
        return columns;
    }
    line.split_whitespace().collect()
}

fn is_header(columns: &[&str]) -> bool {
    matches!(columns, [date, time, sensor, ..] if
        date.eq_ignore_ascii_case("date") && time.eq_ignore_ascii_case("time") && sensor.eq_ignore_ascii_case("sensor"))
}

/// `2010-11-04 00:03:50.209589`, and `2/1/2009 8:00:38 AM` in old files.
fn wall_time(date: &str, time: &str) -> Option<NaiveDateTime> {
    parse_local(date, time).or_else(|| {
        let date = NaiveDate::parse_from_str(date, "%m/%d/%Y").ok()?;
        let time = NaiveTime::parse_from_str(time, "%I:%M:%S %p")
            .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M:%S%.f"))
            .ok()?;
        Some(date.and_time(time))
    })
}

/// The type of an event, from the kind of the sensor and its value.
///
/// The first letter of a numbered sensor says its kind: `M` motion, `D` door, `T` temperature, others are items,
/// switches and meters. Sensors without a number have the name of the place where they watch for motion.
fn kind(sensor: &str, value: &str) -> Result<&'static str, LineError> {
    let is_motion = is_numbered(sensor, 'M') || !sensor.contains(|c: char| c.is_ascii_digit());
    let is_door = is_numbered(sensor, 'D');
    let is_word = !value.is_empty() && value.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    match value {
        "ON" if is_motion => Ok("MotionDetected"),
        "OFF" if is_motion => Ok("MotionCleared"),
        "OPEN" => Ok("DoorOpened"),
        "CLOSE" => Ok("DoorClosed"),
        "ON" | "PRESENT" => Ok("SensorOn"),
        "OFF" | "ABSENT" => Ok("SensorOff"),
        _ if value.parse::<f64>().is_ok_and(f64::is_finite) => Ok("MeasurementChanged"),
        // Instructions to the participants of a scripted session: START, END, STOP_INSTRUCT.
        _ if is_word && !is_numbered(sensor, 'M') && !is_door => Ok("StateChanged"),
        _ => Err(LineError::SensorValue { sensor: sensor.into(), got: value.into() }),
    }
}

/// Whether the name is `letter` and a number: `M003`.
fn is_numbered(sensor: &str, letter: char) -> bool {
    sensor.strip_prefix(letter).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// What an annotator wrote on a line.
enum Marks<'a> {
    None,
    Edge(&'a str, &'a str),
    Within(&'a str),
}

impl Marks<'_> {
    fn mark(&self, time: chrono::DateTime<chrono::Utc>) -> Option<ActivityMark> {
        let (activity, edge) = match *self {
            Self::None => return None,
            Self::Edge(activity, edge) if edge.eq_ignore_ascii_case("begin") => (activity, MarkEdge::Begin),
            Self::Edge(activity, _) => (activity, MarkEdge::End),
            Self::Within(activity) => (activity, MarkEdge::Within),
        };
        Some(ActivityMark { activity: activity.into(), edge, time })
    }
}

fn is_edge(word: &str) -> bool {
    word.eq_ignore_ascii_case("begin") || word.eq_ignore_ascii_case("end")
}
