//! Filters from text, by recursive descent.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

use super::expression::{Comparison, Field, Filter, Moment, Value};
use crate::error::IndexError;

/// Formats of a time without an offset.
const LOCAL_TIMES: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];

const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

const MINUTES_PER_DAY: u32 = 24 * 60;

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`IndexError::FilterSyntax`] with the place that cannot be read.
    pub fn parse(text: &str) -> Result<Self, IndexError> {
        let mut parser = Parser { text, at: 0 };
        parser.skip_blanks();
        if parser.is_at_end() {
            return Ok(Self::All);
        }
        let filter = parser.any_of()?;
        if parser.is_at_end() { Ok(filter) } else { parser.fail("`and`, `or` or the end") }
    }
}

impl Moment {
    /// Reads an RFC 3339 time, or a date or time without an offset, which is one on a site's clock.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return time.timestamp_nanos_opt().map(Self::Utc);
        }
        let date = text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN));
        let time = || LOCAL_TIMES.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        date.or_else(time).map(Self::Local)
    }
}

struct Parser<'t> {
    text: &'t str,
    /// In bytes.
    at: usize,
}

/// A value as it was written.
struct Written<'t> {
    text: &'t str,
    is_quoted: bool,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn fail<T>(&self, want: &'static str) -> Result<T, IndexError> {
        Err(self.error(self.at, want))
    }

    fn error(&self, at: usize, want: &'static str) -> IndexError {
        let before = &self.text[..at];
        IndexError::FilterSyntax { text: self.text.into(), column: before.chars().count() + 1, want }
    }

    /// Takes a sign such as `(`, and the blanks after it.
    fn takes(&mut self, sign: &str) -> bool {
        let is_there = self.rest().starts_with(sign);
        if is_there {
            self.at += sign.len();
            self.skip_blanks();
        }
        is_there
    }

    /// The word at this place: letters, digits and underscores, with dots between words of a path.
    fn word(&self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == '-')).unwrap_or(rest.len());
        &rest[..end]
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_there = self.word().eq_ignore_ascii_case(word);
        if is_there {
            self.at += word.len();
            self.skip_blanks();
        }
        is_there
    }

    fn any_of(&mut self) -> Result<Filter, IndexError> {
        let mut parts = vec![self.all_of()?];
        while self.takes_word("or") {
            parts.push(self.all_of()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
    }

    fn all_of(&mut self) -> Result<Filter, IndexError> {
        let mut parts = vec![self.one()?];
        while self.takes_word("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    fn one(&mut self) -> Result<Filter, IndexError> {
        if self.takes_word("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.takes("(") {
            let inner = self.any_of()?;
            return if self.takes(")") { Ok(inner) } else { self.fail("`)`") };
        }
        let name = self.word();
        if name.is_empty() {
            return self.fail("a condition such as `type = QueueFormed`");
        }
        self.at += name.len();
        self.skip_blanks();
        let is_negated = self.takes("!=");
        let sign = if is_negated { Sign::Equal } else { self.sign()? };
        let condition = match name {
            "type" => self.names(Field::Type, sign)?,
            "zone" => self.names(Field::Zone, sign)?,
            "site" => self.names(Field::Site, sign)?,
            "time" => self.times(sign)?,
            "hour" => self.hours(sign)?,
            "weekday" => self.weekdays(sign)?,
            other => self.attribute(other.strip_prefix("attribute.").unwrap_or(other), sign)?,
        };
        Ok(if is_negated { Filter::Not(Box::new(condition)) } else { condition })
    }

    fn sign(&mut self) -> Result<Sign, IndexError> {
        let signs = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        if let Some((_, comparison)) = signs.into_iter().find(|(sign, _)| self.takes(sign)) {
            return Ok(Sign::Ordered(comparison));
        }
        if self.takes("==") || self.takes("=") {
            return Ok(Sign::Equal);
        }
        if self.takes_word("in") {
            return Ok(Sign::In);
        }
        self.fail("one of `=`, `!=`, `<`, `<=`, `>`, `>=` and `in`")
    }

    /// A value in quotes, or all up to a blank, a comma, a parenthesis or two dots.
    fn value(&mut self) -> Result<Written<'t>, IndexError> {
        let at = self.at;
        let rest = self.rest();
        for quote in ['"', '\''] {
            if let Some(inside) = rest.strip_prefix(quote) {
                let Some(end) = inside.find(quote) else { return self.fail("the end of the quotes") };
                self.at += end + 2;
                self.skip_blanks();
                return Ok(Written { text: &inside[..end], is_quoted: true, at });
            }
        }
        let end = rest.find(|c: char| c.is_whitespace() || ",()<>=!".contains(c)).unwrap_or(rest.len());
        let end = rest[..end].find("..").unwrap_or(end);
        if end == 0 {
            return self.fail("a value");
        }
        self.at += end;
        self.skip_blanks();
        Ok(Written { text: &rest[..end], is_quoted: false, at })
    }

    /// The values of a list in parentheses.
    fn list(&mut self) -> Result<Vec<Written<'t>>, IndexError> {
        let mut values = vec![self.value()?];
        while self.takes(",") {
            values.push(self.value()?);
        }
        if self.takes(")") { Ok(values) } else { self.fail("`,` or `)`") }
    }

    /// The values of `= VALUE` or `in (VALUES)`.
    fn values(&mut self, sign: Sign) -> Result<Vec<Written<'t>>, IndexError> {
        match sign {
            Sign::Equal => Ok(vec![self.value()?]),
            Sign::In if self.takes("(") => self.list(),
            Sign::In => self.fail("a list such as `(a, b)`"),
            Sign::Ordered(_) => self.fail("`=`, `!=` or `in` for names"),
        }
    }

    /// Both ends of `in FROM..TO`.
    fn span(&mut self) -> Result<(Written<'t>, Written<'t>), IndexError> {
        let from = self.value()?;
        if !self.takes("..") {
            return self.fail("`..` and the end of the span");
        }
        Ok((from, self.value()?))
    }

    fn names(&mut self, field: Field, sign: Sign) -> Result<Filter, IndexError> {
        Ok(Filter::Is { field, values: self.values(sign)?.into_iter().map(|value| value.text.into()).collect() })
    }

    fn times(&mut self, sign: Sign) -> Result<Filter, IndexError> {
        let (from, before) = match sign {
            Sign::In => {
                let (from, before) = self.span()?;
                (Some(self.moment(&from)?), Some(self.moment(&before)?))
            }
            Sign::Equal => {
                let value = self.value()?;
                let start = self.moment(&value)?;
                (Some(start), Some(self.after(start, &value)))
            }
            Sign::Ordered(comparison) => {
                let value = self.value()?;
                let start = self.moment(&value)?;
                match comparison {
                    Comparison::Less => (None, Some(start)),
                    Comparison::AtMost => (None, Some(self.after(start, &value))),
                    Comparison::Greater => (Some(self.after(start, &value)), None),
                    Comparison::AtLeast | Comparison::Equal => (Some(start), None),
                }
            }
        };
        Ok(Filter::Time { from, before })
    }

    /// The end of what a time names: a date is a whole day, and any other time a moment.
    #[expect(clippy::unused_self, reason = "a step of the parser")]
    fn after(&self, start: Moment, written: &Written<'_>) -> Moment {
        match start {
            Moment::Utc(ns) => Moment::Utc(ns.saturating_add(1)),
            Moment::Local(time) if written.text.len() == "2025-01-06".len() => {
                Moment::Local(time.checked_add_days(chrono::Days::new(1)).unwrap_or(time))
            }
            Moment::Local(time) => Moment::Local(time + chrono::TimeDelta::nanoseconds(1)),
        }
    }

    fn moment(&self, written: &Written<'_>) -> Result<Moment, IndexError> {
        Moment::parse(written.text).ok_or_else(|| {
            self.error(written.at, "a time such as `2025-01-06`, `2025-01-06T07:30` or `2025-01-06T07:30:00Z`")
        })
    }

    fn hours(&mut self, sign: Sign) -> Result<Filter, IndexError> {
        let (from_minute, before_minute) = match sign {
            Sign::In => {
                let (from, before) = self.span()?;
                (self.minute(&from)?, self.minute(&before)?)
            }
            Sign::Equal => {
                let value = self.value()?;
                let minute = self.minute(&value)?;
                (minute, minute + if value.text.contains(':') { 1 } else { 60 })
            }
            Sign::Ordered(comparison) => {
                let value = self.value()?;
                let minute = self.minute(&value)?;
                let after = minute + if value.text.contains(':') { 1 } else { 60 };
                match comparison {
                    Comparison::Less => (0, minute),
                    Comparison::AtMost => (0, after),
                    Comparison::Greater => (after, MINUTES_PER_DAY),
                    Comparison::AtLeast | Comparison::Equal => (minute, MINUTES_PER_DAY),
                }
            }
        };
        Ok(Filter::TimeOfDay { from_minute, before_minute })
    }

    /// Minutes of the day of `7`, `7:30` or `24`.
    fn minute(&self, written: &Written<'_>) -> Result<u32, IndexError> {
        let (hour, minute) = written.text.split_once(':').unwrap_or((written.text, "0"));
        let read = hour.parse::<u32>().ok().zip(minute.parse::<u32>().ok());
        let minutes = read.filter(|(_, minute)| *minute < 60).map(|(hour, minute)| 60 * hour + minute);
        minutes
            .filter(|minutes| *minutes <= MINUTES_PER_DAY)
            .ok_or_else(|| self.error(written.at, "a time of day such as `7` or `7:30`"))
    }

    fn weekdays(&mut self, sign: Sign) -> Result<Filter, IndexError> {
        let is_list = sign == Sign::Equal || self.rest().starts_with('(');
        if is_list {
            let values = self.values(sign)?;
            return Ok(Filter::Weekday(values.iter().map(|value| self.weekday(value)).collect::<Result<_, _>>()?));
        }
        if sign != Sign::In {
            return self.fail("`=`, `!=` or `in` for days");
        }
        let (from, to) = self.span()?;
        let (from, to) = (self.weekday(&from)?, self.weekday(&to)?);
        let n_days = to.days_since(from) as usize + 1;
        let first = from.num_days_from_monday() as usize;
        Ok(Filter::Weekday((0..n_days).map(|day| DAYS[(first + day) % 7]).collect()))
    }

    fn weekday(&self, written: &Written<'_>) -> Result<Weekday, IndexError> {
        written.text.parse().map_err(|_| self.error(written.at, "a day such as `mon`"))
    }

    fn attribute(&mut self, name: &str, sign: Sign) -> Result<Filter, IndexError> {
        let compared = |comparison, value| Filter::Attribute { name: name.into(), comparison, value };
        match sign {
            Sign::Ordered(comparison) => Ok(compared(comparison, scalar(&self.value()?))),
            Sign::In if !self.rest().starts_with('(') => {
                let (from, to) = self.span()?;
                let from = compared(Comparison::AtLeast, scalar(&from));
                Ok(Filter::And(vec![from, compared(Comparison::AtMost, scalar(&to))]))
            }
            _ => {
                let values = self.values(sign)?;
                let mut parts: Vec<Filter> =
                    values.iter().map(|value| compared(Comparison::Equal, scalar(value))).collect();
                Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equal,
    Ordered(Comparison),
    In,
}

fn scalar(written: &Written<'_>) -> Value {
    match written.text.parse::<f64>() {
        Ok(value) if !written.is_quoted && value.is_finite() => Value::Number { value, text: written.text.into() },
        _ => Value::Text(written.text.into()),
    }
}
