//! Filters as text, which [`Filter::parse`] reads back.

use std::fmt;

use chrono::DateTime;

use super::expression::{Comparison, Filter, Moment, Value};

impl fmt::Display for Filter {
    /// The condition as [`Filter::parse`] takes it; nothing for [`Filter::All`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::And(parts) | Self::Or(parts) if parts.len() == 1 => write!(f, "{}", parts[0]),
            Self::And(parts) => joined(f, parts, " and "),
            Self::Or(parts) => {
                f.write_str("(")?;
                joined(f, parts, " or ")?;
                f.write_str(")")
            }
            Self::Not(part) => write!(f, "not ({part})"),
            Self::Is { field, values } => match values.as_slice() {
                [value] => write!(f, "{} = {}", field.as_str(), Quoted(value)),
                values => {
                    write!(f, "{} in (", field.as_str())?;
                    for (at, value) in values.iter().enumerate() {
                        let comma = if at == 0 { "" } else { ", " };
                        write!(f, "{comma}{}", Quoted(value))?;
                    }
                    f.write_str(")")
                }
            },
            Self::Time { from: Some(from), before: Some(before) } => write!(f, "time in {from}..{before}"),
            Self::Time { from: Some(from), before: None } => write!(f, "time >= {from}"),
            Self::Time { from: None, before: Some(before) } => write!(f, "time < {before}"),
            Self::Time { from: None, before: None } => f.write_str("hour in 0..24"),
            Self::TimeOfDay { from_minute, before_minute } => {
                write!(f, "hour in {}..{}", Clock(*from_minute), Clock(*before_minute))
            }
            Self::Weekday(days) => {
                f.write_str("weekday in (")?;
                for (at, day) in days.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", day.to_string().to_lowercase())?;
                }
                f.write_str(")")
            }
            Self::Attribute { name, comparison, value } => {
                let is_field = ["type", "zone", "site", "time", "hour", "weekday"].contains(&name.as_str());
                let prefix = if is_field { "attribute." } else { "" };
                let sign = match comparison {
                    Comparison::Equal => "=",
                    Comparison::Less => "<",
                    Comparison::AtMost => "<=",
                    Comparison::Greater => ">",
                    Comparison::AtLeast => ">=",
                };
                match value {
                    Value::Number { text, .. } => write!(f, "{prefix}{name} {sign} {text}"),
                    Value::Text(text) => write!(f, "{prefix}{name} {sign} {}", Quoted(text)),
                }
            }
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Filter], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        match part {
            Filter::And(parts) if parts.len() > 1 => write!(f, "({part})")?,
            part => write!(f, "{part}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Moment {
    /// As [`Moment::parse`] takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc(ns) => {
                let time = DateTime::from_timestamp_nanos(*ns);
                f.write_str(&time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
            }
            Self::Local(time) if time.time() == chrono::NaiveTime::MIN => write!(f, "{}", time.date()),
            Self::Local(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.f")),
        }
    }
}

/// A name, in quotes where it is no single word.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = |text: &str| {
            let is_plain = text.chars().all(|c| c.is_alphanumeric() || "_-.:/@".contains(c));
            let is_number = text.parse::<f64>().is_ok();
            !text.is_empty() && is_plain && !text.contains("..") && !is_number
        };
        match self.0 {
            text if is_word(text) => f.write_str(text),
            text if text.contains('"') => write!(f, "'{text}'"),
            text => write!(f, "\"{text}\""),
        }
    }
}

/// Minutes of the day as `7` or `7:30`.
struct Clock(u32);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 60, self.0 % 60) {
            (hour, 0) => write!(f, "{hour}"),
            (hour, minute) => write!(f, "{hour}:{minute:02}"),
        }
    }
}
