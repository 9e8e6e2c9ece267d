//! The clock on the wall of a site.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

pub(crate) const NANOS_PER_SEC: i64 = 1_000_000_000;
pub(crate) const NANOS_PER_HOUR: i64 = 3600 * NANOS_PER_SEC;
pub(crate) const NANOS_PER_DAY: i64 = 24 * NANOS_PER_HOUR;

/// Clocks are changed at full quarters of an hour of UTC.
const NANOS_PER_QUARTER: i64 = NANOS_PER_HOUR / 4;

/// Days from Monday to the first day of 1970, a Thursday.
const EPOCH_WEEKDAY: i64 = 3;

/// The local time of instants that come mostly in order: the offset is looked up once a quarter of an hour.
#[derive(Debug, Clone)]
pub(crate) struct LocalClock {
    zone: Option<Tz>,
    quarter: i64,
    offset: i64,
}

impl LocalClock {
    /// A clock of this zone; UTC without one.
    pub(crate) fn new(zone: Option<Tz>) -> Self {
        Self { zone, quarter: i64::MIN, offset: 0 }
    }

    /// Nanoseconds on the wall since 1970, of nanoseconds of UTC.
    pub(crate) fn local(&mut self, nanos: i64) -> i64 {
        if let Some(zone) = self.zone {
            let quarter = nanos.div_euclid(NANOS_PER_QUARTER);
            if quarter != self.quarter {
                self.quarter = quarter;
                let time = DateTime::from_timestamp_nanos(nanos).naive_utc();
                let secs = zone.offset_from_utc_datetime(&time).fix().local_minus_utc();
                self.offset = i64::from(secs) * NANOS_PER_SEC;
            }
        }
        nanos.saturating_add(self.offset)
    }

    /// The first instant of the window in which an instant lies; windows are aligned to local midnight.
    ///
    /// A window that a change of the clock falls into is one window, an hour longer or shorter.
    pub(crate) fn window_start(&mut self, nanos: i64, window: i64) -> i64 {
        let local = self.local(nanos);
        let start = local - local.rem_euclid(NANOS_PER_DAY).rem_euclid(window);
        let guess = start - (local - nanos);
        let offset_there = self.local(guess) - guess;
        start - offset_there
    }
}

/// Hour of the day of a local time.
pub(crate) fn hour_of_day(local: i64) -> u32 {
    u32::try_from(local.rem_euclid(NANOS_PER_DAY) / NANOS_PER_HOUR).expect("below 24")
}

/// Day of the week of a local time, from 0 for Monday.
pub(crate) fn day_of_week(local: i64) -> u32 {
    u32::try_from((local.div_euclid(NANOS_PER_DAY) + EPOCH_WEEKDAY).rem_euclid(7)).expect("below 7")
}

/// The part of the day that has passed.
#[expect(clippy::cast_possible_truncation, reason = "a fraction of a day to some milliseconds")]
pub(crate) fn day_fraction(local: i64) -> f32 {
    (local.rem_euclid(NANOS_PER_DAY) as f64 / NANOS_PER_DAY as f64) as f32
}

/// The hour of a time of day as `10:23`, as a token (seed, "Type-based tokens"); none for what is no time of day.
///
/// ```
/// use spaxiom_token::time_bucket;
///
/// assert_eq!(time_bucket("10:23").as_deref(), Some("hour_10"));
/// assert_eq!(time_bucket("24:00"), None);
/// ```
#[must_use]
pub fn time_bucket(time: &str) -> Option<String> {
    let time = chrono::NaiveTime::parse_from_str(time, "%H:%M").ok()?;
    Some(format!("hour_{}", chrono::Timelike::hour(&time)))
}

/// Seconds from one time in nanoseconds to another.
pub(crate) fn secs_between(from: i64, to: i64) -> f64 {
    to.saturating_sub(from) as f64 / NANOS_PER_SEC as f64
}
