//! Why a line is no event.

use std::io;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use crate::time::likely_unit;
use crate::unit::Unit;

/// A line that was not read; all other lines of the file were.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Rejected {
    /// Counted from 1; in Parquet the row.
    pub line: u64,
    /// Bytes before the line, after decompression.
    pub offset: u64,
    /// What was wanted and what was found.
    pub reason: LineError,
    /// The line, with bytes that are not UTF-8 replaced; of a line that is too long its beginning.
    pub raw: String,
}

/// Why one line is no event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not a JSON object, or a member of another type than wanted.
    #[error("{}", told(.0))]
    Json(serde_json::Error),
    /// A list, a text or a number where an event should be.
    #[error("wanted one JSON object with the members of an event, got {got}")]
    NoObject {
        /// What it was.
        got: &'static str,
    },
    /// A member that has to be text.
    #[error("`{field}`: wanted a text, got {got}")]
    NotText {
        /// The member.
        field: &'static str,
        /// What it was.
        got: &'static str,
    },
    /// A member that every event has.
    #[error("`{field}` is missing")]
    Missing {
        /// The member.
        field: &'static str,
    },
    /// An object of some other program.
    #[error("`{field}` is missing; there are `{known}`: say what they mean, as in `--columns \"{map}\"`")]
    OtherShape {
        /// The member.
        field: &'static str,
        /// The members that are there.
        known: String,
        /// A column map that may fit.
        map: String,
    },
    /// Two values where there can be one; nobody knows which is right.
    #[error("`{field}` is given twice with different values")]
    Twice {
        /// The member or attribute.
        field: String,
    },
    /// A time that cannot be placed on the UTC axis.
    #[error(
        "`{field}`: wanted RFC 3339 with an offset (2025-01-06T10:23:45Z) or seconds since 1970, between 1677 and 2262, got `{got}`"
    )]
    Time {
        /// The member.
        field: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// A time on the wall, and nobody says of which place.
    #[error("`{field}`: `{got}` names no time zone; say `--time-zone UTC`, or a zone like `Europe/Berlin`")]
    LocalTime {
        /// The member.
        field: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// A count that makes sense in another unit.
    #[error("`{field}`: {got} looks like `[{unit}]`; say so, as in `--columns \"time={name}[{unit}],type=type,*\"`")]
    OtherUnit {
        /// The member.
        field: &'static str,
        /// Its name in the input.
        name: &'static str,
        /// As it stands in the line.
        got: String,
        /// The unit in which it is a time of our days.
        unit: &'static str,
    },
    /// A time that is written otherwise than the map says.
    #[error("`{field}`: wanted a time like `{pattern}`, got `{got}`")]
    PatternTime {
        /// The member.
        field: &'static str,
        /// The pattern of the map.
        pattern: String,
        /// As it stands in the line.
        got: String,
    },
    /// A time in a column.
    #[error(
        "`{field}`: wanted RFC 3339 or `2025-01-06 10:23:45`, got `{got}`; a count needs its unit, as in `time=1[s]`, another form a pattern, as in `time=1[%d.%m.%Y %H:%M]`"
    )]
    ColumnTime {
        /// The member.
        field: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// A count that is no time.
    #[error("`{field}`: wanted {unit} between 1677 and 2262, got `{got}`")]
    CountedTime {
        /// The member.
        field: &'static str,
        /// The unit that was declared.
        unit: String,
        /// As it stands in the line.
        got: String,
    },
    /// Clocks jumped over it.
    #[error("there was no {wall} in {zone}: clocks jumped over it")]
    NoSuchWallTime {
        /// The time on the wall.
        wall: NaiveDateTime,
        /// The zone of the site.
        zone: Tz,
    },
    /// An interval that runs backwards.
    #[error("`end_time` {end} is before `time` {start}")]
    EndsBeforeStart {
        /// `time`.
        start: DateTime<Utc>,
        /// `end_time`.
        end: DateTime<Utc>,
    },
    /// A member that is a number of some range.
    #[error("`{field}`: wanted {want}, got `{got}`")]
    Number {
        /// The member.
        field: &'static str,
        /// The range.
        want: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// Severities are few.
    #[error("`severity`: wanted info, warn or alert, got `{got}`")]
    Severity {
        /// As it stands in the line.
        got: String,
    },
    /// A value of another type than the column map declares.
    #[error("attribute `{name}`: wanted {want}, got `{got}`")]
    Typed {
        /// The attribute.
        name: String,
        /// The declared type.
        want: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// A word where the registry declares a number.
    #[error("attribute `{name}`: wanted a number in {unit}, got `{got}`")]
    NotANumber {
        /// The attribute.
        name: String,
        /// The declared unit.
        unit: Unit,
        /// As it stands in the line.
        got: String,
    },
    /// Never guessed: 0.5 of either is a sensible value.
    #[error(
        "attribute `{name}` = {got} could be a percentage (0 to 100) or a fraction (0 to 1); name it `{name}_pct` or `{name}_fraction`, or declare it in a registry"
    )]
    PercentOrFraction {
        /// The attribute.
        name: String,
        /// Its value.
        got: f64,
    },
    /// The unit beside the number is of another dimension than the declared one.
    #[error("attribute `{name}`: wanted a unit that can become {want}, got {got}")]
    Unit {
        /// The attribute.
        name: String,
        /// The declared unit.
        want: Unit,
        /// The unit in the line.
        got: Unit,
    },
    /// A unit that is not known.
    #[error("attribute `{name}`: unknown unit `{got}`")]
    UnknownUnit {
        /// The attribute.
        name: String,
        /// As it stands in the line.
        got: String,
    },
    /// CloudEvents of another version.
    #[error("`specversion`: wanted 1.0, got `{got}`")]
    SpecVersion {
        /// As it stands in the line.
        got: String,
    },
    /// `data_base64` that is not.
    #[error(
        "`data_base64` holds no JSON: wanted base64 of a JSON document, or of text with a `datacontenttype` that says so, got `{media_type}`"
    )]
    Base64 {
        /// What the event says of its data.
        media_type: String,
    },
    /// The line has other columns than CASAS text has.
    #[error("wanted `date time sensor value [activity begin|end]`, got {got} columns")]
    Columns {
        /// How many there are.
        got: usize,
    },
    /// The line has fewer columns than the first one.
    #[error("wanted {want} columns, got {got}")]
    TooFewColumns {
        /// Columns of the first line.
        want: usize,
        /// Columns of this one.
        got: usize,
    },
    /// The line has more columns than the first one; which of them is which nobody knows.
    #[error("wanted {want} columns, got {got}; a delimiter inside of a field needs quotes around the field")]
    TooManyColumns {
        /// Columns of the first line.
        want: usize,
        /// Columns of this one.
        got: usize,
    },
    /// The end of an interval that never began.
    #[error("an end of `{kind}` without a start")]
    EndWithoutStart {
        /// The type.
        kind: String,
    },
    /// A CASAS reading that stands for no event.
    #[error("sensor `{sensor}`: wanted ON, OFF, OPEN, CLOSE, PRESENT, ABSENT or a number, got `{got}`")]
    SensorValue {
        /// The sensor.
        sensor: String,
        /// Its value.
        got: String,
    },
    /// Text is UTF-8 here.
    #[error("wanted UTF-8, got other bytes; name the encoding, as in `--encoding latin1`")]
    Encoding,
    /// An event has some hundred bytes.
    #[error("wanted {limit} bytes at most, got {n_bytes}")]
    TooLong {
        /// How long it is.
        n_bytes: u64,
        /// How long it may be.
        limit: usize,
    },
    /// Everything before it was read.
    #[error("the input breaks off here ({0}); all lines before were read")]
    BreaksOff(io::Error),
}

impl LineError {
    /// A count of seconds that is out of range: perhaps it counts something else.
    pub(crate) fn count_of_secs(field: &'static str, name: &'static str, got: String, secs: f64) -> Self {
        match likely_unit(secs) {
            Some(unit) => Self::OtherUnit { field, name, got, unit },
            None => Self::Time { field, got },
        }
    }
}

/// What serde says, with the column and without the line, which the rejection has.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    if error.is_data() && !reason.starts_with("invalid type") {
        return reason.to_owned();
    }
    if error.is_data() {
        return format!("wanted one JSON object with the members of an event, got: {reason}");
    }
    format!(
        "wanted one JSON object with the members of an event, got broken JSON at column {}: {reason}",
        error.column()
    )
}
