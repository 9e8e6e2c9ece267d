//! How a column writes times: as counts of a unit, or by a pattern.

use std::fmt;
use std::str::FromStr;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::error::{ColumnMapError, LineError};
use crate::normalizer::Normalizer;
use crate::time::likely_unit;

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// A count of so many nanoseconds since 1970.
    Nanos(i64),
    /// A count of 100 ns since the year 1.
    Ticks,
    /// As `strftime` writes it.
    Pattern(TimePattern),
}

/// A pattern of `strftime`, as chrono reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimePattern {
    written: String,
    /// With a point before the fraction.
    pattern: String,
    has_comma: bool,
    zone: PatternZone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PatternZone {
    /// An offset stands in the text.
    Offset,
    /// `Z`, `UTC` or `GMT` stands in the pattern.
    Utc,
    Local,
}

impl FromStr for TimeFormat {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        Ok(Self::Nanos(match text {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "ticks" => return Ok(Self::Ticks),
            pattern if pattern.contains('%') => return TimePattern::new(pattern).map(Self::Pattern),
            other => return Err(ColumnMapError::TimeUnit { got: other.into() }),
        }))
    }
}

impl TimePattern {
    fn new(written: &str) -> Result<Self, ColumnMapError> {
        // In chrono only `%.f` is a fraction of any length; logs of Python write it behind a comma.
        let has_comma = written.contains(",%f");
        let pattern = written.replace(",%f", "%.f");
        let mut zone = PatternZone::Local;
        for item in StrftimeItems::new(&pattern) {
            match item {
                Item::Error => return Err(ColumnMapError::Pattern { got: written.into() }),
                Item::Fixed(fixed) => {
                    use chrono::format::Fixed::{
                        RFC2822, RFC3339, TimezoneOffset, TimezoneOffsetColon, TimezoneOffsetColonZ, TimezoneOffsetZ,
                    };
                    if matches!(
                        fixed,
                        TimezoneOffset
                            | TimezoneOffsetColon
                            | TimezoneOffsetColonZ
                            | TimezoneOffsetZ
                            | RFC2822
                            | RFC3339
                    ) {
                        zone = PatternZone::Offset;
                    }
                }
                Item::Literal(text) if text.contains('Z') || text.contains("UTC") || text.contains("GMT") => {
                    zone = PatternZone::Utc;
                }
                _ => {}
            }
        }
        // `%z` and the like beyond those above are numeric items of an offset.
        if ["%z", "%:z", "%::z", "%#z", "%+"].iter().any(|offset| pattern.contains(offset)) {
            zone = PatternZone::Offset;
        }
        Ok(Self { written: written.into(), pattern, has_comma, zone })
    }

    fn read(&self, text: &str, site: &str, normalizer: &Normalizer) -> Option<Result<DateTime<Utc>, LineError>> {
        let text = if self.has_comma { text.replacen(',', ".", text.matches(',').count()) } else { text.to_owned() };
        if self.zone == PatternZone::Offset {
            return DateTime::parse_from_str(&text, &self.pattern).ok().map(|time| Ok(time.to_utc()));
        }
        let wall = NaiveDateTime::parse_from_str(&text, &self.pattern)
            .or_else(|_| {
                NaiveDate::parse_from_str(&text, &self.pattern).map(|day| day.and_time(chrono::NaiveTime::MIN))
            })
            .ok()?;
        Some(if self.zone == PatternZone::Utc { Ok(wall.and_utc()) } else { normalizer.wall_time(site, wall) })
    }
}

impl TimeFormat {
    /// Reads a time that is text.
    pub(crate) fn read(
        &self,
        field: &'static str,
        text: &str,
        site: &str,
        normalizer: &Normalizer,
    ) -> Result<DateTime<Utc>, LineError> {
        match self {
            Self::Pattern(pattern) => pattern.read(text, site, normalizer).unwrap_or_else(|| {
                Err(LineError::PatternTime { field, pattern: pattern.written.clone(), got: text.into() })
            }),
            unit => unit.counted(text).ok_or_else(|| unit.wrong(field, text)),
        }
    }

    fn wrong(&self, field: &'static str, text: &str) -> LineError {
        let likely = text.parse().ok().and_then(|count: f64| likely_unit(count));
        match (likely, self) {
            (Some(unit), Self::Nanos(_)) => LineError::OtherUnit { field, name: "COLUMN", got: text.into(), unit },
            _ => LineError::CountedTime { field, unit: self.to_string(), got: text.into() },
        }
    }

    /// The instant of a count in this unit, where nanoseconds in 64 bits hold it.
    fn counted(&self, text: &str) -> Option<DateTime<Utc>> {
        // 1970 in ticks of 100 ns since the year 1.
        const TICKS_TO_1970: i64 = 621_355_968_000_000_000;
        let nanos = match self {
            Self::Ticks => text.parse::<i64>().ok()?.checked_sub(TICKS_TO_1970)?.checked_mul(100)?,
            Self::Nanos(unit) => {
                let of_fraction = || {
                    let nanos = text.parse::<f64>().ok()? * *unit as f64;
                    #[expect(clippy::cast_possible_truncation, reason = "in the range of an i64")]
                    (nanos.abs() < 9.2e18).then(|| nanos.round() as i64)
                };
                // Whole counts stay exact.
                text.parse::<i64>().map_or_else(|_| of_fraction(), |count| count.checked_mul(*unit))?
            }
            Self::Pattern(_) => return None,
        };
        Some(DateTime::from_timestamp_nanos(nanos))
    }

    /// Whether it counts since 1970.
    pub(super) fn is_count(&self) -> bool {
        matches!(self, Self::Nanos(_))
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nanos(nanos) => write!(f, "a count of {nanos} ns"),
            Self::Ticks => f.write_str("a count of 100 ns since the year 1"),
            Self::Pattern(pattern) => f.write_str(&pattern.written),
        }
    }
}
