//! The text of the CASAS smart homes: `date time sensor value [activity begin|end]`.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use crate::error::LineError;
use crate::event::{AttrValue, Event};
use crate::ids::ZoneId;
use crate::source::{ActivityMark, MarkEdge, Record};

/// The site of a home whose files do not name it.
const SITE: &str = "default";

pub(super) fn looks_like(line: &str) -> bool {
    let mut columns = line.split_whitespace();
    let (Some(date), Some(time)) = (columns.next(), columns.next()) else { return false };
    parse_time(date, time).is_some() && columns.next().is_some()
}

pub(super) fn parse(text: &str) -> Result<Record, LineError> {
    let columns: Vec<&str> = text.split_whitespace().collect();
    let (date, time, sensor, value, marks) = match columns.as_slice() {
        [date, time, sensor, value, marks @ ..] => (*date, *time, *sensor, *value, marks),
        _ => return Err(LineError::Columns { got: columns.len() }),
    };
    let time =
        parse_time(date, time).ok_or_else(|| LineError::Time { field: "date time", got: format!("{date} {time}") })?;
    let event = event(sensor, value, time)?;
    Ok(Record { mark: mark(marks, time, columns.len())?, event })
}

fn parse_time(date: &str, time: &str) -> Option<DateTime<Utc>> {
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f").ok()?;
    Some(date.and_time(time).and_utc())
}

/// A sensor's first letter says its kind: `M` motion, `D` door, `T` temperature, others are items and switches.
fn event(sensor: &str, value: &str, time: DateTime<Utc>) -> Result<Event, LineError> {
    let number = value.parse::<f64>().ok().filter(|n| n.is_finite());
    let kind = match (value, number) {
        ("ON", _) if sensor.starts_with('M') => "MotionDetected",
        ("OFF", _) if sensor.starts_with('M') => "MotionCleared",
        ("OPEN", _) => "DoorOpened",
        ("CLOSE", _) => "DoorClosed",
        ("ON" | "PRESENT", _) => "SensorOn",
        ("OFF" | "ABSENT", _) => "SensorOff",
        (_, Some(_)) => "MeasurementChanged",
        _ => return Err(LineError::SensorValue { sensor: sensor.into(), got: value.into() }),
    };
    let mut event = Event::new(kind, SITE, time);
    event.zone = Some(ZoneId::from(sensor));
    if let Some(number) = number {
        let name = if sensor.starts_with('T') { "value_cel" } else { "value" };
        event.attrs.insert(name.into(), AttrValue::Number(number));
    }
    Ok(event.with_derived_id())
}

fn mark(columns: &[&str], time: DateTime<Utc>, n_columns: usize) -> Result<Option<ActivityMark>, LineError> {
    let edge = match columns {
        [] => return Ok(None),
        [_, edge] => *edge,
        _ => return Err(LineError::Columns { got: n_columns }),
    };
    let edge = match edge.to_ascii_lowercase().as_str() {
        "begin" => MarkEdge::Begin,
        "end" => MarkEdge::End,
        _ => return Err(LineError::Columns { got: n_columns }),
    };
    Ok(Some(ActivityMark { activity: columns[0].into(), edge, time }))
}
