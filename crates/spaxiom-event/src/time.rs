//! Times as sources write them, to instants on the UTC axis.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// Seconds since 1970 above this are outside the range of nanoseconds in an `i64` (the year 2262).
const MAX_EPOCH_SECS: f64 = 9.2e9;

/// RFC 3339 with an offset; also with an offset as ISO 8601 has it: `+0200`, `+05`.
///
/// The usual form `2025-01-06T10:23:45.123Z` is read by hand, ten times as fast as by the general parser.
pub(crate) fn parse_rfc3339(text: &str) -> Option<DateTime<Utc>> {
    parse_plain_utc(text.as_bytes()).or_else(|| {
        let time = DateTime::parse_from_rfc3339(text).ok();
        Some(time.or_else(|| DateTime::parse_from_rfc3339(&with_colon(text)?).ok())?.with_timezone(&Utc))
    })
}

/// `...+0200` and `...+02` as `...+02:00`.
fn with_colon(text: &str) -> Option<String> {
    let at = text.rfind(['+', '-']).filter(|at| *at > "2025-01-06T10:23".len())?;
    let digits = &text[at + 1..];
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.len() {
        2 if is_number => Some(format!("{text}:00")),
        4 if is_number => Some(format!("{}:{}", &text[..at + 3], &digits[2..])),
        _ => None,
    }
}

/// A date with a time of day and no zone: `2025-01-06 10:23:45.5`, or with `T` between them.
pub(crate) fn parse_wall(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    parse_local(date, time.trim())
}

/// Seconds since 1970, to the microsecond: beyond that an `f64` of today's size has no digits.
pub(crate) fn from_epoch_secs(secs: f64) -> Option<DateTime<Utc>> {
    if !(-MAX_EPOCH_SECS..MAX_EPOCH_SECS).contains(&secs) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 9.2e15")]
    DateTime::from_timestamp_micros((secs * 1e6).round() as i64)
}

/// The unit in which a count of today's size since 1970 would be a time between 2001 and 2033, where it is not seconds.
pub(crate) fn likely_unit(count: f64) -> Option<&'static str> {
    [("ms", 1e3), ("us", 1e6), ("ns", 1e9)]
        .into_iter()
        .find_map(|(unit, per_sec)| (1e9..2e9).contains(&(count / per_sec)).then_some(unit))
}

/// A date and a time of day without a zone: `2010-11-04`, `00:03:50.209589`.
pub(crate) fn parse_local(date: &str, time: &str) -> Option<NaiveDateTime> {
    let days = parse_date(date.as_bytes())?;
    let (secs, nanos) = parse_clock(time.as_bytes())?;
    let midnight = NaiveDate::from_num_days_from_ce_opt(days)?;
    Some(midnight.and_time(chrono::NaiveTime::from_num_seconds_from_midnight_opt(secs, nanos)?))
}

fn parse_plain_utc(text: &[u8]) -> Option<DateTime<Utc>> {
    let (b'Z', rest) = text.split_last()? else { return None };
    let (date, clock) = (rest.get(..10)?, rest.get(11..)?);
    if rest[10] != b'T' {
        return None;
    }
    let days = parse_date(date)?;
    let (secs, nanos) = parse_clock(clock)?;
    let midnight = i64::from(days - DAYS_TO_1970) * 86_400;
    DateTime::from_timestamp(midnight + i64::from(secs), nanos)
}

/// Days from year 1 to 1970-01-01, the first day being 1.
const DAYS_TO_1970: i32 = 719_163;

/// Days since year 1 of `YYYY-MM-DD`.
fn parse_date(text: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(chrono::Datelike::num_days_from_ce(&date))
}

/// Seconds since midnight and nanoseconds of `HH:MM:SS[.fraction]`.
fn parse_clock(text: &[u8]) -> Option<(u32, u32)> {
    let (&[h1, h2, b':', m1, m2, b':', s1, s2], fraction) = text.split_first_chunk::<8>()? else { return None };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    Some((hour * 3600 + minute * 60 + second, nanos))
}

/// At most nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}
