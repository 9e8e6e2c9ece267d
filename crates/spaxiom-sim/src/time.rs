//! Times of a simulation: seconds since its first midnight.

use chrono::{DateTime, TimeDelta, Utc};

pub(crate) const MINUTE: f64 = 60.0;
pub(crate) const HOUR: f64 = 3600.0;
pub(crate) const DAY: f64 = 86_400.0;

/// The instant so many seconds after `start`, to the millisecond as a sensor would send it.
#[expect(clippy::cast_possible_truncation, reason = "a simulation lasts far less than 2^63 ms")]
pub(crate) fn instant(start: DateTime<Utc>, secs: f64) -> DateTime<Utc> {
    start + TimeDelta::milliseconds(libm::round(secs * 1000.0) as i64)
}

/// The hour of the day, 0 to below 24; a simulation begins at midnight.
pub(crate) fn hour_of_day(secs: f64) -> f64 {
    let days = secs / DAY;
    (days - libm::floor(days)) * 24.0
}

/// The hour of the day as a place in a profile of 24.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour of the day")]
pub(crate) fn hour_index(secs: f64) -> usize {
    (hour_of_day(secs) as usize).min(23)
}

/// The day of the week, 0 for the first day of the simulation, which is a Monday.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number from 0 on")]
pub(crate) fn day_of_week(secs: f64) -> usize {
    libm::floor(secs / DAY) as usize % 7
}
