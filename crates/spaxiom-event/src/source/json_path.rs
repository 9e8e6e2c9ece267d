//! JSON objects of any shape, whose paths a [`ColumnMap`](super::ColumnMap) names.

use serde_json::{Map, Value};

use super::head;
use super::interface::{First, Framing, Head, RecordParser, Source};
use super::mapping::{Cell, Column, Here, Mapping, Names, Pairs, Row};
use super::record::{Parsed, Record};
use crate::error::{ColumnMapError, EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;
use crate::notes::{Note, NoteKind};

/// JSON objects of any shape.
#[derive(Debug)]
pub(super) struct MappedJson;

impl Source for MappedJson {
    fn name(&self) -> &'static str {
        "json"
    }

    fn framing(&self) -> Framing {
        Framing::Json
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        // Only somebody who knows the members can say so.
        let (First::Object(_) | First::Line(_)) = first;
        false
    }

    fn takes_columns(&self) -> bool {
        true
    }

    fn parser(&self, Head { path, columns, .. }: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        let map = columns.ok_or(EventError::NoColumns)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        match Mapping::new(map, &Paths, &stem) {
            Ok(mapping) => {
                let pairs = mapping.has_edge().then(Pairs::default);
                Ok(Box::new(Objects { mapping, pairs }))
            }
            Err(source) => Err(EventError::Columns { path: path.to_owned(), source }),
        }
    }
}

/// Every name is the path of a member that may be there.
struct Paths;

impl Names for Paths {
    type Place = String;

    fn place(&self, column: &Column) -> Result<String, ColumnMapError> {
        Ok(column.to_string())
    }

    fn all(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// A column map for objects.
#[derive(Debug)]
struct Objects {
    mapping: Mapping<String>,
    pairs: Option<Pairs>,
}

/// An object, of whose lists one place is meant.
struct Object<'a> {
    members: &'a Map<String, Value>,
    index: Option<(usize, usize)>,
}

impl<'a> Row<'a> for Object<'a> {
    type Place = String;

    fn cell(&self, path: &String) -> Cell<'a> {
        let Some(value) = at(self.members, path) else { return Cell::Missing };
        match (value, self.index) {
            (Value::Array(items), Some((index, len))) if items.len() == len => Cell::from(&items[index]),
            (value, _) => Cell::from(value),
        }
    }
}

/// The value at a path: a member of this very name, or one step after the other.
fn at<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = members.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    match members.get(first)? {
        Value::Object(members) => at(members, rest),
        Value::Array(items) => {
            let (index, rest) = rest.split_once('.').map_or((rest, None), |(index, rest)| (index, Some(rest)));
            let item = items.get(index.parse::<usize>().ok()?)?;
            match (item, rest) {
                (item, None) => Some(item),
                (Value::Object(members), Some(rest)) => at(members, rest),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Takes the value at a path out, so that it is not read twice.
fn remove(members: &mut Map<String, Value>, path: &str) {
    if members.remove(path).is_some() {
        return;
    }
    let Some((first, rest)) = path.split_once('.') else { return };
    let is_empty = match members.get_mut(first) {
        Some(Value::Object(inner)) => {
            remove(inner, rest);
            inner.is_empty()
        }
        // Of a longer list the other items are left, and noted as left out.
        Some(Value::Array(items)) => items.len() == 1,
        _ => false,
    };
    if is_empty {
        members.remove(first);
    }
}

impl RecordParser for Objects {
    fn has_wall_times(&self) -> bool {
        true
    }

    fn is_ordered(&self) -> bool {
        self.pairs.is_some()
    }

    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let (topic, text) = match head::topic_of(text) {
            Some((topic, object)) if !text.starts_with('{') => (Some(topic), object),
            _ => (None, text),
        };
        let (members, mut notes) = json::object(text)?;
        let mut rest = Map::new();
        if self.mapping.takes_rest {
            rest.clone_from(&members);
            self.mapping.places().for_each(|path| remove(&mut rest, path));
        } else {
            self.note_unnamed(&members, &mut notes);
        }
        let rest = Value::Object(rest);
        let mut base = json::draft_of(&rest, normalizer)?;
        base.notes.append(&mut notes);
        let here = Here { topic };
        let Some(len) = self.n_items(&members) else {
            let object = Object { members: &members, index: None };
            return self.mapping.parsed(&object, here, base, self.pairs.as_ref(), normalizer);
        };
        let mut records = Vec::with_capacity(len);
        for index in 0..len {
            let object = Object { members: &members, index: Some((index, len)) };
            records.push(self.mapping.parsed(&object, here, base.clone(), self.pairs.as_ref(), normalizer));
        }
        Ok(Parsed::Several(records))
    }

    fn finish(&self, _: &Normalizer) -> Vec<Result<Record, LineError>> {
        self.pairs.iter().flat_map(Pairs::finish).map(Ok).collect()
    }
}

impl Objects {
    /// How many events an object of lists holds, by that of its times.
    fn n_items(&self, members: &Map<String, Value>) -> Option<usize> {
        let (path, _) = self.mapping.time()?;
        at(members, path)?.as_array().map(Vec::len)
    }

    fn note_unnamed(&self, members: &Map<String, Value>, notes: &mut Vec<Note>) {
        for name in members.keys() {
            let is_named = self.mapping.places().any(|path| path.split('.').next() == Some(name) || path == name);
            if !is_named {
                notes.push(Note::new(NoteKind::NotMapped, name.as_str(), ""));
            }
        }
    }
}
