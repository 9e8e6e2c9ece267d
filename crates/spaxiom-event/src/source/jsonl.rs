//! Canonical JSON lines.

use serde_json::{Map, Value};

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::Parsed;
use super::suggest::suggested;
use crate::error::{EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;

/// Canonical events.
#[derive(Debug)]
pub(super) struct Jsonl;

impl Source for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn framing(&self) -> Framing {
        Framing::Json
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        match first {
            First::Object(_) => true,
            // Damaged JSON is for the reader to complain about.
            First::Line(line) => line.starts_with(['{', '[']),
        }
    }

    fn parser(&self, _: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Ok(Box::new(parse))
    }
}

fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    json::record(text, normalizer).map(Parsed::Record).map_err(|reason| explained(reason, text))
}

/// Objects of another shape need a column map: what they hold is a start for one.
#[cold]
fn explained(reason: LineError, text: &str) -> LineError {
    let LineError::Missing { field: field @ ("type" | "time") } = reason else { return reason };
    let Ok((members, _)) = json::object(text) else { return reason };
    let (names, values): (Vec<String>, Vec<String>) = paths(&members).into_iter().unzip();
    match suggested(&names, &[values]) {
        // Without a hint of a time it is an event that lost a member.
        Some(map) if !(members.contains_key("time") && field == "time") => {
            let names: Vec<&str> = members.keys().map(String::as_str).collect();
            LineError::OtherShape { field, known: names.join("`, `"), map }
        }
        _ => reason,
    }
}

/// The members of an object and of those inside of it, with their values as text.
fn paths(members: &Map<String, Value>) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for (name, value) in members {
        match value {
            Value::Object(inner) => {
                paths.extend(self::paths(inner).into_iter().map(|(path, value)| (format!("{name}.{path}"), value)));
            }
            Value::String(text) => paths.push((name.clone(), text.clone())),
            other => paths.push((name.clone(), other.to_string())),
        }
    }
    paths
}
