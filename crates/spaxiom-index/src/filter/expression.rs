//! Conditions as a tree.

use chrono::{NaiveDateTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;

/// A condition on records.
///
/// # Syntax
///
/// [`Filter::parse`] reads what `--where` of the command line takes:
///
/// | condition | meaning |
/// | --- | --- |
/// | `type = "QueueFormed"`, `zone in (dock_1, dock_2)`, `site != "dc-4"` | one of these names |
/// | `time >= 2025-01-06`, `time < 2025-01-06T10:00:00Z` | a time; without an offset on the clock of the record's site |
/// | `hour in 7..9`, `hour in 22:30..6`, `hour = 7` | from 7:00 to before 9:00 on the site's clock; `22..6` spans midnight |
/// | `weekday in mon..fri`, `weekday = sun` | days on the site's clock, both ends included |
/// | `length > 5`, `reason = "late"`, `box.width in 2..4` | an attribute of the event, both ends included |
///
/// They are joined by `and`, `or`, `not` and parentheses; `and` binds before `or`.
/// `a != b` is `not a = b`, so that records without `a` pass.
///
/// ```
/// use spaxiom_index::Filter;
///
/// let filter = Filter::parse("type = QueueFormed and length > 5 and hour in 7..9")?;
/// assert_eq!(filter, Filter::parse("type in (\"QueueFormed\") and (length > 5) and hour in 7:00..9:00")?);
/// let error = Filter::parse("type = QueueFormed length > 5").unwrap_err().to_string();
/// assert!(error.contains("column 20"), "{error}");
/// # Ok::<(), spaxiom_index::IndexError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// Every record passes.
    #[default]
    All,
    /// All of these hold.
    And(Vec<Self>),
    /// One of these holds.
    Or(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// The field is one of these.
    Is {
        /// The field.
        field: Field,
        /// Names.
        values: Vec<String>,
    },
    /// The time of the event lies in a span.
    Time {
        /// The earliest time, inclusive.
        from: Option<Moment>,
        /// The end, exclusive.
        before: Option<Moment>,
    },
    /// The time of day on the site's clock lies in a span; one that ends before it begins spans midnight.
    TimeOfDay {
        /// The first minute of the day.
        from_minute: u32,
        /// The end in minutes of the day, exclusive.
        before_minute: u32,
    },
    /// The day on the site's clock is one of these.
    Weekday(Vec<Weekday>),
    /// An attribute of the event compares so: a member of its metadata, or of the object `attrs` in it.
    Attribute {
        /// Its name; a path of names with dots for one inside another.
        name: String,
        /// How it compares.
        comparison: Comparison,
        /// With what.
        value: Value,
    },
}

/// A field that every record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Type of the event.
    Type,
    /// Zone of the event.
    Zone,
    /// Site of the event.
    Site,
}

impl Field {
    /// The name in a filter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Zone => "zone",
            Self::Site => "site",
        }
    }
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nanoseconds since 1970, UTC.
    Utc(i64),
    /// What the clock of a site shows.
    Local(NaiveDateTime),
}

impl Moment {
    /// Nanoseconds since 1970, UTC, where clocks show this zone.
    ///
    /// A time that the clock shows twice is the first, and one that it leaps over is an hour later.
    #[must_use]
    pub fn nanoseconds(self, clock: Tz) -> i64 {
        match self {
            Self::Utc(ns) => ns,
            Self::Local(time) => {
                let found = clock.from_local_datetime(&time).earliest();
                let found = found.or_else(|| clock.from_local_datetime(&(time + TimeDelta::hours(1))).earliest());
                found.map_or_else(|| time.and_utc(), |time| time.to_utc()).timestamp_nanos_opt().unwrap_or(i64::MAX)
            }
        }
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Equal,
    /// Below.
    Less,
    /// Below or equal.
    AtMost,
    /// Above.
    Greater,
    /// Above or equal.
    AtLeast,
}

/// The value of an attribute in a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; it is also equal to a text of the same digits.
    Number {
        /// Its value.
        value: f64,
        /// As it was written.
        text: String,
    },
    /// A text, or `true` or `false`.
    Text(String),
}

impl Filter {
    /// Only this type of event.
    #[must_use]
    pub fn kind(name: impl Into<String>) -> Self {
        Self::Is { field: Field::Type, values: vec![name.into()] }
    }

    /// Only this zone.
    #[must_use]
    pub fn zone(name: impl Into<String>) -> Self {
        Self::Is { field: Field::Zone, values: vec![name.into()] }
    }

    /// Only this site.
    #[must_use]
    pub fn site(name: impl Into<String>) -> Self {
        Self::Is { field: Field::Site, values: vec![name.into()] }
    }

    /// Only from a time on and before another, in nanoseconds since 1970, UTC.
    #[must_use]
    pub fn between(from_ns: Option<i64>, to_ns: Option<i64>) -> Self {
        if from_ns.is_none() && to_ns.is_none() {
            return Self::All;
        }
        Self::Time { from: from_ns.map(Moment::Utc), before: to_ns.map(Moment::Utc) }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, one) | (one, Self::All) => one,
            (Self::And(mut all), Self::And(others)) => {
                all.extend(others);
                Self::And(all)
            }
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (one, Self::And(mut others)) => {
                others.insert(0, one);
                Self::And(others)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// Whether every record passes.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// The conditions that are not made of others.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Self> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Not(part) => part.leaves(),
            leaf => vec![leaf],
        }
    }

    /// Names of the attributes that it compares.
    pub(crate) fn attributes(&self) -> Vec<&str> {
        self.leaves()
            .into_iter()
            .filter_map(|leaf| if let Self::Attribute { name, .. } = leaf { Some(name.as_str()) } else { None })
            .collect()
    }
}
