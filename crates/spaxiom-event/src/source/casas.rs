//! The text and CSV of the CASAS smart homes.
//!
//! - `date time sensor value [activity begin|end]`, separated by blanks, tabs or commas (Aruba, Kyoto, Milan, ...);
//! - `date time area location value activity`, where sensors have the names of places and every event an activity.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::{ActivityMark, MarkEdge, Parsed};
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
        Ok(Box::new(Lines))
    }
}

fn looks_like(line: &str) -> bool {
    let columns = split(line);
    is_header(&columns) || matches!(columns.as_slice(), [date, time, _, _, ..] if wall_time(date, time).is_some())
}

/// The columns of a line.
struct Line<'a> {
    date: &'a str,
    clock: &'a str,
    area: Option<&'a str>,
    sensor: &'a str,
    value: &'a str,
    mark: &'a [&'a str],
}

impl<'a> Line<'a> {
    /// A sensor may stand behind its area; what follows the value is an annotation of any length.
    fn of(columns: &'a [&'a str]) -> Option<Self> {
        match columns {
            [date, clock, sensor, value, mark @ ..] if mark.is_empty() || is_value(value) => {
                Some(Self { date, clock, area: None, sensor, value, mark })
            }
            [date, clock, area, sensor, value, mark @ ..] if is_value(value) => {
                Some(Self { date, clock, area: Some(area), sensor, value, mark })
            }
            [date, clock, sensor, value, mark @ ..] => Some(Self { date, clock, area: None, sensor, value, mark }),
            _ => None,
        }
    }
}

/// Parses one line; sites whose clocks go back are told apart by the order of the lines.
struct Lines;

impl RecordParser for Lines {
    fn has_wall_times(&self) -> bool {
        true
    }

    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let columns = split(text);
        if is_header(&columns) {
            return Ok(Parsed::Skipped("header"));
        }
        let wrong = || LineError::Columns { got: columns.len() };
        let Line { date, clock, area, sensor, value, mark } = Line::of(&columns).ok_or_else(wrong)?;
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
        let mut record = draft.take_record(normalizer)?;
        record.mark = mark_of(mark, time);
        Ok(Parsed::Record(record))
    }
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

/// Words that sensors say; what else stands there belongs to another column.
const VALUES: [&str; 6] = ["ON", "OFF", "OPEN", "CLOSE", "PRESENT", "ABSENT"];

fn is_value(word: &str) -> bool {
    VALUES.contains(&word) || word.parse::<f64>().is_ok() || is_instruction(word)
}

/// Instructions to the participants of a scripted session: `START`, `END`, `STOP_INSTRUCT`.
fn is_instruction(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// Things with a switch of their own, by the end of their name.
const ITEMS: [&str; 22] = [
    "fridge",
    "freezer",
    "cupboard",
    "cabinet",
    "drawer",
    "microwave",
    "oven",
    "stove",
    "burner",
    "dishwasher",
    "washer",
    "dryer",
    "machine",
    "kettle",
    "toaster",
    "flush",
    "light",
    "lamp",
    "tv",
    "phone",
    "radio",
    "book",
];

/// Rooms that begin the names of places: `KitchenAStove` watches for motion at the stove.
const ROOMS: [&str; 14] = [
    "kitchen", "bed", "bath", "living", "dining", "hall", "office", "work", "entry", "lounge", "laundry", "guest",
    "outside", "master",
];

/// What a sensor is, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sensor {
    Motion,
    Door,
    Item,
}

impl Sensor {
    /// The first letter of a numbered sensor says its kind: `M` motion, `D` door, others are items, switches and meters.
    ///
    /// Sensors without a number have the name of a thing (`Fridge`, `Frontdoor`), or that of the place where they watch
    /// for motion.
    fn of(name: &str) -> Self {
        if name.contains(|c: char| c.is_ascii_digit()) {
            return match name {
                _ if is_numbered(name, 'M') => Self::Motion,
                _ if is_numbered(name, 'D') => Self::Door,
                _ => Self::Item,
            };
        }
        let name = name.to_lowercase();
        let is_in_room = ROOMS.iter().any(|room| name.starts_with(room));
        let ends_with = |things: &[&str]| things.iter().any(|thing| name.ends_with(thing));
        if ends_with(&["light", "lamp", "flush"]) || (!is_in_room && ends_with(&ITEMS)) {
            return Self::Item;
        }
        if !is_in_room && ends_with(&["door", "window"]) { Self::Door } else { Self::Motion }
    }
}

/// The type of an event, from the kind of the sensor and its value.
fn kind(name: &str, value: &str) -> Result<&'static str, LineError> {
    let sensor = Sensor::of(name);
    match value {
        "ON" if sensor == Sensor::Motion => Ok("MotionDetected"),
        "OFF" if sensor == Sensor::Motion => Ok("MotionCleared"),
        "OPEN" => Ok("DoorOpened"),
        "CLOSE" => Ok("DoorClosed"),
        "ON" if sensor == Sensor::Door && !is_numbered(name, 'D') => Ok("DoorOpened"),
        "OFF" if sensor == Sensor::Door && !is_numbered(name, 'D') => Ok("DoorClosed"),
        "ON" | "PRESENT" => Ok("SensorOn"),
        "OFF" | "ABSENT" => Ok("SensorOff"),
        _ if value.parse::<f64>().is_ok_and(f64::is_finite) => Ok("MeasurementChanged"),
        _ if is_instruction(value) && !is_numbered(name, 'M') && !is_numbered(name, 'D') => Ok("StateChanged"),
        _ => Err(LineError::SensorValue { sensor: name.into(), got: value.into() }),
    }
}

/// Whether the name is `letter` and a number: `M003`.
fn is_numbered(sensor: &str, letter: char) -> bool {
    sensor.strip_prefix(letter).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// What an annotator wrote behind the value: the words of an activity, and whether it begins or ends here.
fn mark_of(words: &[&str], time: DateTime<Utc>) -> Option<ActivityMark> {
    let (last, first) = words.split_last()?;
    let (words, edge) = match *last {
        edge if edge.eq_ignore_ascii_case("begin") => (first, MarkEdge::Begin),
        edge if edge.eq_ignore_ascii_case("end") => (first, MarkEdge::End),
        _ => (words, MarkEdge::Within),
    };
    let activity = words.join(" ");
    (!activity.is_empty() && !ActivityMark::means_none(&activity)).then_some(ActivityMark { activity, edge, time })
}
