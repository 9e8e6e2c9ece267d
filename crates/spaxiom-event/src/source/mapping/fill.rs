//! A row to the draft of an event.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::cell::{Cell, Row};
use super::map::{Kind, Origin};
use super::moment::TimeFormat;
use super::resolve::{Bound, Mapping, Member, is_code};
use crate::draft::{Draft, DraftValue, whole};
use crate::error::LineError;
use crate::json;
use crate::normalizer::Normalizer;
use crate::notes::{Note, NoteKind};
use crate::source::record::{ActivityMark, MarkEdge, Record};
use crate::time::{from_epoch_secs, parse_rfc3339, parse_wall};

/// Words that stand for a missing value.
const MISSING: [&str; 8] = ["NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "Null"];

/// Seconds of January 1970.
const JANUARY_SECS: i64 = 31 * 86_400;

/// What a row is besides its columns.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Here<'a> {
    /// What stands before the object on its line.
    pub(crate) topic: Option<&'a str>,
}

/// A row as a draft, and what is no part of the event.
#[derive(Debug, Default)]
pub(crate) struct Filled<'a> {
    pub(crate) draft: Draft<'a>,
    label: Option<String>,
    has_line_id: bool,
    /// Whether the row begins an interval, or ends one.
    pub(super) edge: Option<bool>,
}

impl Filled<'_> {
    pub(crate) fn into_record(mut self, normalizer: &Normalizer) -> Result<Record, LineError> {
        let mut record = self.draft.take_record(normalizer)?;
        let time = record.event.time;
        record.mark = self.label.map(|activity| ActivityMark { activity, edge: MarkEdge::Within, time });
        if self.has_line_id {
            record.want_line_id();
        }
        Ok(record)
    }
}

/// What fills the members of one row.
struct Filler<'m, 'a, R: Row<'a>> {
    mapping: &'m Mapping<R::Place>,
    row: &'m R,
    here: Here<'a>,
    /// The column that makes an event of its own.
    column: Option<(&'a str, &'a R::Place)>,
    normalizer: &'m Normalizer,
    notes: Vec<Note>,
}

impl<P> Mapping<P> {
    /// The draft of a row, or of one column of it; `base` has what the row says beyond the map.
    pub(super) fn fill_one<'a, R: Row<'a, Place = P>>(
        &self,
        row: &R,
        here: Here<'a>,
        base: Draft<'a>,
        column: Option<(&'a str, &'a P)>,
        normalizer: &Normalizer,
    ) -> Result<Filled<'a>, LineError> {
        let mut filler = Filler { mapping: self, row, here, column, normalizer, notes: Vec::new() };
        let mut filled = Filled { draft: base, has_line_id: self.has_line_id, ..Filled::default() };
        if let (true, Some((name, _))) = (self.has_line_id, column) {
            filled.draft.id = Some(name.into());
        }
        if let Some(site) = self.bound.iter().find(|bound| bound.member == Member::SiteId) {
            filled.draft.site_id = filler.text(site, "site_id");
        }
        for bound in &self.bound {
            filler.set(bound, &mut filled)?;
        }
        let rule =
            self.rules.iter().find(|(place, value, _)| row.cell(place).into_text().as_deref() == Some(value.as_str()));
        if let Some((_, _, kind)) = rule {
            filled.draft.kind = Some(kind.clone().into());
        }
        if let Some((place, start, end)) = &self.edge {
            let word = row.cell(place).into_text().unwrap_or_default();
            let is = |edge: &str| word.eq_ignore_ascii_case(edge);
            filled.edge = is(start).then_some(true).or(is(end).then_some(false));
        }
        filled.draft.notes.append(&mut filler.notes);
        Ok(filled)
    }
}

impl<'a, R: Row<'a>> Filler<'_, 'a, R> {
    fn set(&mut self, bound: &Bound<R::Place>, filled: &mut Filled<'a>) -> Result<(), LineError> {
        let draft = &mut filled.draft;
        match &bound.member {
            Member::Id => draft.id = self.text(bound, "id"),
            Member::Type => draft.kind = self.text(bound, "type"),
            Member::Time => draft.time = self.time(bound, "time", draft.site_id.as_deref())?,
            Member::EndTime => draft.end_time = self.time(bound, "end_time", draft.site_id.as_deref())?,
            Member::DurationSecs => draft.duration_secs = self.number(bound, "duration_s")?,
            // Filled in before the times, whose zone it tells.
            Member::SiteId => {}
            Member::Zone => draft.zone = self.text(bound, "zone"),
            Member::ZonePath => draft.zone_path = self.texts(bound).into_iter().map(Into::into).collect(),
            Member::CausedBy => draft.caused_by = self.texts(bound).into_iter().map(Into::into).collect(),
            Member::Sensor => draft.sensor = self.text(bound, "sensor"),
            Member::X => draft.x = self.number(bound, "x")?,
            Member::Y => draft.y = self.number(bound, "y")?,
            Member::Z => draft.z = self.number(bound, "z")?,
            Member::EntityId => draft.entity_id = self.text(bound, "entity_id"),
            Member::Confidence => draft.confidence = self.number(bound, "confidence")?,
            Member::Severity => draft.severity = self.text(bound, "severity"),
            Member::Label => {
                let label = self.text(bound, "label").filter(|label| !ActivityMark::means_none(label));
                filled.label = label.map(Cow::into_owned);
            }
            Member::Attrs => self.attrs(bound, draft)?,
            Member::Attr(name) => {
                if let Some(value) = self.attribute(bound, name)? {
                    draft.attrs.push((Cow::Owned(name.clone()), value));
                }
            }
        }
        Ok(())
    }

    /// What a member is made of; several columns are joined by a blank.
    fn cell(&self, bound: &Bound<R::Place>) -> Cell<'a> {
        match &bound.origin {
            Origin::Constant(text) => Cell::Text(Cow::Owned(text.clone())),
            Origin::Topic => self.here.topic.map_or(Cell::Missing, |topic| Cell::Text(topic.into())),
            Origin::ColumnName => self.column.map_or(Cell::Missing, |(name, _)| Cell::Text(name.into())),
            Origin::ColumnValue => self.column.map_or(Cell::Missing, |(_, place)| self.row.cell(place)),
            Origin::FileName | Origin::LineNumber => Cell::Missing,
            Origin::Places(places) => match places.as_slice() {
                [place] => self.row.cell(place),
                places => {
                    let texts: Vec<Cow<'a, str>> =
                        places.iter().filter_map(|place| self.row.cell(place).into_text()).collect();
                    if texts.is_empty() { Cell::Missing } else { Cell::Text(texts.join(" ").into()) }
                }
            },
        }
    }

    fn text(&mut self, bound: &Bound<R::Place>, field: &str) -> Option<Cow<'a, str>> {
        match self.cell(bound) {
            Cell::Other(value) => {
                // A list of one value is that value.
                if let Value::Array(items) = &*value
                    && let [item] = items.as_slice()
                {
                    return Cell::from(item).into_text().map(|text| Cow::Owned(text.into_owned()));
                }
                self.notes.push(Note::new(NoteKind::NotOneValue, field, json::kind_of(&value)));
                None
            }
            cell => cell.into_text(),
        }
    }

    fn texts(&self, bound: &Bound<R::Place>) -> Vec<String> {
        match self.cell(bound) {
            Cell::Other(value) => match &*value {
                Value::Array(items) => {
                    items.iter().filter_map(|item| Cell::from(item).into_text()).map(Cow::into_owned).collect()
                }
                _ => Vec::new(),
            },
            cell => cell.into_text().map(Cow::into_owned).into_iter().collect(),
        }
    }

    fn number(&mut self, bound: &Bound<R::Place>, field: &'static str) -> Result<Option<f64>, LineError> {
        let number = match self.cell(bound) {
            Cell::Number(number) => Some(number),
            Cell::Whole(number) => number.as_f64(),
            Cell::Missing => return Ok(None),
            Cell::Other(value) => {
                self.notes.push(Note::new(NoteKind::NotOneValue, field, json::kind_of(&value)));
                return Ok(None);
            }
            cell => {
                let Some(text) = cell.into_text() else { return Ok(None) };
                if self.is_missing(field, &text) {
                    return Ok(None);
                }
                let wrong = || LineError::Number { field, want: "a finite number", got: text.to_string() };
                Some(self.parsed(&text).ok_or_else(wrong)?)
            }
        };
        if let Some(wrong) = number.filter(|number| !number.is_finite()) {
            self.notes.push(Note::new(NoteKind::NotFinite, field, wrong.to_string()));
        }
        Ok(number.filter(|number| number.is_finite()))
    }

    /// A word as a number, with the point or comma that the map says.
    fn parsed(&self, text: &str) -> Option<f64> {
        if self.mapping.has_decimal_comma { text.replace(',', ".").parse().ok() } else { text.parse().ok() }
    }

    fn is_missing(&mut self, member: &str, text: &str) -> bool {
        let is_missing = MISSING.contains(&text);
        if is_missing {
            self.notes.push(Note::new(NoteKind::MissingMark, member, text));
        }
        is_missing
    }

    fn time(
        &mut self,
        bound: &Bound<R::Place>,
        field: &'static str,
        site: Option<&str>,
    ) -> Result<Option<DateTime<Utc>>, LineError> {
        let normalizer = self.normalizer;
        let site = site.unwrap_or(normalizer.site_id());
        let cell = self.cell(bound);
        let wall = match (&cell, &bound.time) {
            (Cell::Missing, _) => return Ok(None),
            (Cell::Time(time), _) => return Ok(Some(*time)),
            (Cell::Wall(wall), _) => *wall,
            (Cell::Other(value), _) => return json::time(field, value, normalizer).map(Some),
            (Cell::Number(secs), None) => {
                let time = from_epoch_secs(*secs);
                return time
                    .ok_or_else(|| LineError::count_of_secs(field, "COLUMN", secs.to_string(), *secs))
                    .map(Some);
            }
            (_, format) => {
                let Some(text) = cell.into_text() else { return Ok(None) };
                match format {
                    Some(format) => return self.counted(field, &text, format, site).map(Some),
                    None => match parse_rfc3339(&text) {
                        Some(time) => return Ok(Some(time)),
                        None => parse_wall(&text)
                            .or_else(|| chrono::NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M").ok())
                            .ok_or_else(|| LineError::ColumnTime { field, got: text.to_string() })?,
                    },
                }
            }
        };
        if normalizer.zone(site).is_none() {
            self.notes.push(Note::new(NoteKind::LocalTime, field, wall.to_string()));
        }
        normalizer.wall_time(site, wall).map(Some)
    }

    fn counted(
        &mut self,
        field: &'static str,
        text: &str,
        format: &TimeFormat,
        site: &str,
    ) -> Result<DateTime<Utc>, LineError> {
        let time = format.read(field, text, site, self.normalizer)?;
        if format.is_count() && (0..JANUARY_SECS).contains(&time.timestamp()) {
            self.notes.push(Note::new(NoteKind::January1970, field, time.to_rfc3339()));
        }
        Ok(time)
    }

    fn attrs(&mut self, bound: &Bound<R::Place>, draft: &mut Draft<'a>) -> Result<(), LineError> {
        let members = match self.cell(bound) {
            Cell::Missing => return Ok(()),
            Cell::Other(value) => match value.into_owned() {
                Value::Object(members) => members,
                other => {
                    self.notes.push(Note::new(NoteKind::NotOneValue, "attrs", json::kind_of(&other)));
                    return Ok(());
                }
            },
            cell => {
                return match cell.into_text() {
                    None => Ok(()),
                    Some(Cow::Borrowed(text)) => json::read_attributes(text, draft),
                    Some(Cow::Owned(text)) => json::copy_attributes(&text, draft),
                };
            }
        };
        draft.attrs.extend(members.into_iter().map(|(name, value)| (Cow::Owned(name), value.into())));
        Ok(())
    }

    fn attribute(&mut self, bound: &Bound<R::Place>, name: &str) -> Result<Option<DraftValue<'a>>, LineError> {
        let cell = self.cell(bound);
        let value = match (cell, bound.kind) {
            (Cell::Missing, _) => return Ok(None),
            (cell @ (Cell::Word(_) | Cell::Text(_)), Some(Kind::Number)) => {
                let Some(text) = cell.into_text().filter(|text| !self.is_missing(name, text)) else { return Ok(None) };
                let wrong = || LineError::Typed { name: name.into(), want: "a number", got: text.to_string() };
                DraftValue::Number(self.parsed(&text).ok_or_else(wrong)?)
            }
            (cell, Some(Kind::Flag)) if !matches!(cell, Cell::Flag(_)) => {
                let Some(text) = cell.into_text().filter(|text| !self.is_missing(name, text)) else { return Ok(None) };
                let wrong = || LineError::Typed { name: name.into(), want: "a flag", got: text.to_string() };
                DraftValue::Flag(flag(&text).ok_or_else(wrong)?)
            }
            (Cell::Other(value), _) => DraftValue::Other(value.into_owned()),
            (cell, Some(Kind::Text)) => match cell.into_text() {
                Some(text) => DraftValue::Text(text),
                None => return Ok(None),
            },
            (Cell::Word(text), _) => return Ok(self.word(name, text)),
            (Cell::Number(number), _) => DraftValue::Number(number),
            (Cell::Whole(number), _) => DraftValue::Whole(number),
            (Cell::Flag(flag), _) => DraftValue::Flag(flag),
            (cell, _) => match cell.into_text() {
                Some(text) => DraftValue::Text(text),
                None => return Ok(None),
            },
        };
        Ok(Some(value))
    }

    /// A word of a text file: a number where it is written like one.
    fn word(&mut self, name: &str, text: Cow<'a, str>) -> Option<DraftValue<'a>> {
        if text.is_empty() || self.is_missing(name, &text) {
            return None;
        }
        if is_code(&text) {
            return Some(DraftValue::Text(text));
        }
        let n_digits = text.bytes().filter(u8::is_ascii_digit).count();
        if n_digits >= 16 && text.parse::<i128>().is_ok() {
            // Digits beyond 64 bits are kept as they are, too.
            return Some(match serde_json::from_str::<serde_json::Number>(&text) {
                Ok(number) if !number.is_f64() => whole(number),
                _ => {
                    self.notes.push(Note::new(NoteKind::LongInteger, name, &*text));
                    DraftValue::Text(text)
                }
            });
        }
        if let Some(number) = self.parsed(&text) {
            return Some(DraftValue::Number(number));
        }
        let halves = text.strip_prefix('-').unwrap_or(&text).split_once(',');
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if halves.is_some_and(|(whole, fraction)| is_digits(whole) && is_digits(fraction)) {
            self.notes.push(Note::new(NoteKind::DecimalComma, name, &*text));
        }
        Some(DraftValue::Text(text))
    }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "t" | "y" => Some(true),
        "false" | "no" | "off" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}
