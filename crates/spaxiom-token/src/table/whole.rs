//! Whole events back from a table.

use std::collections::HashMap;

use chrono::DateTime;
use compact_str::CompactString;
use rustc_hash::FxBuildHasher;
use spaxiom_event::{AttrValue, Event, EventId, Position, Severity, ZoneId};

use super::columns::{AttributeColumn, Cursor, Words};

/// What a tokenizer does not read of events: one entry per row, or entries of the rows that have something.
#[derive(Debug, Clone, Default)]
pub(super) struct Rest {
    ids: Vec<CompactString>,
    entities: Words,
    entity_codes: Vec<(u32, u32)>,
    /// Nanoseconds since 1970.
    ends: Vec<(u32, i64)>,
    /// Meters.
    heights: Vec<(u32, f64)>,
    paths: Paths,
    path_codes: Vec<(u32, u32)>,
    confidences: Vec<(u32, f64)>,
    severities: Vec<(u32, Severity)>,
    causes: Vec<(u32, Vec<EventId>)>,
}

/// Paths of zones and their codes.
#[derive(Debug, Clone, Default)]
struct Paths {
    codes: HashMap<Vec<ZoneId>, u32, FxBuildHasher>,
    paths: Vec<Vec<ZoneId>>,
}

impl Paths {
    fn code(&mut self, path: &[ZoneId]) -> u32 {
        if let Some(code) = self.codes.get(path) {
            return *code;
        }
        let code = u32::try_from(self.paths.len()).expect("a table has fewer than 2^32 rows");
        self.codes.insert(path.to_vec(), code);
        self.paths.push(path.to_vec());
        code
    }
}

impl Rest {
    pub(super) fn push(&mut self, row: u32, event: &Event) {
        // Columns of the table itself: type, time, site, zone, position, attributes.
        let Event { id, end_time, zone_path, position, entity_id, confidence, severity, caused_by, .. } = event;
        self.ids.push(id.as_str().into());
        if let Some(entity) = entity_id {
            self.entity_codes.push((row, self.entities.code(entity.as_str())));
        }
        let end = end_time.map(|end| end.timestamp_nanos_opt().expect("events have times between 1677 and 2262"));
        self.ends.extend(end.map(|end| (row, end)));
        self.heights.extend(position.and_then(|at| at.z).map(|z| (row, z)));
        if !zone_path.is_empty() {
            self.path_codes.push((row, self.paths.code(zone_path)));
        }
        self.confidences.extend(confidence.map(|confidence| (row, confidence)));
        self.severities.extend(severity.map(|severity| (row, severity)));
        if !caused_by.is_empty() {
            self.causes.push((row, caused_by.clone()));
        }
    }

    pub(super) fn append(&mut self, other: &Self, first: u32) {
        let entities = self.entities.codes_of(&other.entities);
        let paths: Vec<u32> = other.paths.paths.iter().map(|path| self.paths.code(path)).collect();
        let moved = |codes: &[(u32, u32)], to: &[u32]| -> Vec<(u32, u32)> {
            codes.iter().map(|&(row, code)| (first + row, to[code as usize])).collect()
        };
        self.ids.extend_from_slice(&other.ids);
        self.entity_codes.extend(moved(&other.entity_codes, &entities));
        self.ends.extend(other.ends.iter().map(|&(row, end)| (first + row, end)));
        self.heights.extend(other.heights.iter().map(|&(row, z)| (first + row, z)));
        self.path_codes.extend(moved(&other.path_codes, &paths));
        self.confidences.extend(other.confidences.iter().map(|&(row, confidence)| (first + row, confidence)));
        self.severities.extend(other.severities.iter().map(|&(row, severity)| (first + row, severity)));
        self.causes.extend(other.causes.iter().map(|(row, causes)| (first + row, causes.clone())));
    }
}

impl Rest {
    pub(super) fn entities<'t>(&'t self, rows: &'t [u32]) -> impl Iterator<Item = Option<&'t str>> + 't {
        let mut codes = Cursor::new(&self.entity_codes);
        rows.iter().map(move |row| codes.get(*row).map(|code| self.entities.word(*code)))
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.ids.shrink_to_fit();
        self.entity_codes.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.heights.shrink_to_fit();
        self.path_codes.shrink_to_fit();
        self.confidences.shrink_to_fit();
        self.severities.shrink_to_fit();
        self.causes.shrink_to_fit();
    }
}

/// What the table itself knows of one row.
pub(super) struct Known<'a> {
    pub(super) kind: &'a str,
    pub(super) site: &'a str,
    pub(super) zone: Option<&'a str>,
    pub(super) time_ns: i64,
    /// Not a number where there is no position.
    pub(super) position: [f64; 2],
}

/// Puts the columns of rows together again.
pub(super) struct Events<'a> {
    rest: &'a Rest,
    entities: Cursor<'a, u32>,
    ends: Cursor<'a, i64>,
    heights: Cursor<'a, f64>,
    paths: Cursor<'a, u32>,
    confidences: Cursor<'a, f64>,
    severities: Cursor<'a, Severity>,
    causes: Cursor<'a, Vec<EventId>>,
    /// In order of their names, as events have them.
    attributes: Vec<Attribute<'a>>,
}

struct Attribute<'a> {
    name: &'a str,
    words: &'a Words,
    numbers: Cursor<'a, f64>,
    word_codes: Cursor<'a, u32>,
    flags: &'a [u32],
}

impl Attribute<'_> {
    fn value(&mut self, row: u32) -> Option<AttrValue> {
        if let Some(number) = self.numbers.get(row) {
            return Some(AttrValue::Number(*number));
        }
        let word = self.words.word(*self.word_codes.get(row)?);
        let is_flag = !self.flags.is_empty() && self.flags.binary_search(&row).is_ok();
        Some(if is_flag { AttrValue::Flag(word == "true") } else { AttrValue::Text(word.to_owned()) })
    }
}

impl<'a> Events<'a> {
    pub(super) fn new(rest: &'a Rest, names: &'a Words, attributes: &'a [AttributeColumn]) -> Self {
        let attribute = |(name, column): (&'a str, &'a AttributeColumn)| Attribute {
            name,
            words: &column.words,
            numbers: Cursor::new(&column.numbers),
            word_codes: Cursor::new(&column.word_codes),
            flags: &column.flags,
        };
        let mut attributes: Vec<Attribute<'a>> = names.iter().zip(attributes).map(attribute).collect();
        attributes.sort_unstable_by_key(|attribute| attribute.name);
        Self {
            rest,
            entities: Cursor::new(&rest.entity_codes),
            ends: Cursor::new(&rest.ends),
            heights: Cursor::new(&rest.heights),
            paths: Cursor::new(&rest.path_codes),
            confidences: Cursor::new(&rest.confidences),
            severities: Cursor::new(&rest.severities),
            causes: Cursor::new(&rest.causes),
            attributes,
        }
    }

    pub(super) fn event(&mut self, row: u32, known: &Known<'_>) -> Event {
        let Known { kind, site, zone, time_ns, position: [x, y] } = *known;
        let mut event = Event::new(kind, site, DateTime::from_timestamp_nanos(time_ns));
        event.id = self.rest.ids[row as usize].as_str().into();
        event.end_time = self.ends.get(row).map(|end| DateTime::from_timestamp_nanos(*end));
        event.zone = zone.map(Into::into);
        event.zone_path =
            self.paths.get(row).map(|code| self.rest.paths.paths[*code as usize].clone()).unwrap_or_default();
        let z = self.heights.get(row).copied();
        event.position = (!x.is_nan()).then_some(Position { x, y, z });
        event.entity_id = self.entities.get(row).map(|code| self.rest.entities.word(*code).into());
        event.confidence = self.confidences.get(row).copied();
        event.severity = self.severities.get(row).copied();
        event.caused_by = self.causes.get(row).cloned().unwrap_or_default();
        for attribute in &mut self.attributes {
            if let Some(value) = attribute.value(row) {
                event.attrs.insert(attribute.name, value);
            }
        }
        event
    }
}
