//! What the first bytes of an input tell.

use serde_json::{Map, Value};

use super::suggest;
use crate::json::end_of_text;

/// Objects that are looked at to tell a format: the first ones may be acknowledgements.
const N_OBJECTS: usize = 16;

/// Members of which an event has at least one.
const OF_EVENTS: [&str; 7] = ["type", "event_type", "time", "timestamp", "start_time", "specversion", "t"];

/// Text without byte order marks, record separators (RFC 7464) and blanks before it.
pub(super) fn without_marks(text: &str) -> &str {
    // Nearly every text begins with what it is about.
    if text.starts_with(|c: char| c.is_ascii_graphic()) {
        return text;
    }
    text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{1e}'))
}

/// Whether a text is JSON, in lines or not.
pub(super) fn is_json(text: &str) -> bool {
    let text = without_marks(text);
    text.starts_with('{') || (text.starts_with('[') && without_marks(&text[1..]).starts_with(['{', '[', ']']))
}

/// Whether a text is JSON that a column map can be used on, with or without a topic before each object.
pub(super) fn is_mapped_json(text: &str) -> bool {
    is_json(text) || topic_of(text.lines().next().unwrap_or_default()).is_some()
}

/// The topic before the object of a line, as `mosquitto_sub -v` writes it, and the object.
pub(super) fn topic_of(line: &str) -> Option<(&str, &str)> {
    let (topic, _) = line.split_once(" {")?;
    let is_topic = !topic.is_empty() && !topic.contains(['"', ',', ';', '\t', '{']) && line.trim_end().ends_with('}');
    is_topic.then(|| (topic.trim(), &line[topic.len() + 1..]))
}

/// What may help where a format cannot be told.
pub(super) fn hint(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if topic_of(line).is_some() {
        return "a topic stands before the JSON: `--mapping zigbee2mqtt`, or a map with `zone=@topic`".into();
    }
    suggest::suggestion(text).unwrap_or_else(|| format!("it begins with `{}`", suggest::shortened(line)))
}

/// An array of objects, objects over several lines or several on one, or objects in an envelope.
pub(super) fn is_document(text: &str) -> bool {
    let first_line = text.lines().next().unwrap_or_default().trim_end().trim_end_matches(',');
    text.starts_with('[')
        || (text.starts_with('{')
            && (serde_json::from_str::<serde::de::IgnoredAny>(first_line)
                .is_err_and(|error| error.is_eof() || is_followed(first_line))
                || envelope(text.as_bytes()).is_some()))
}

/// Whether another object stands behind the first one on this line.
fn is_followed(line: &str) -> bool {
    let mut objects = serde_json::Deserializer::from_str(line).into_iter::<serde::de::IgnoredAny>();
    let is_whole = objects.next().is_some_and(|object| object.is_ok());
    is_whole && line[objects.byte_offset()..].trim_start_matches([',', ' ', '\u{1e}']).starts_with('{')
}

/// The first objects of a text, as far as they are whole.
pub(super) fn objects(text: &str) -> Vec<Map<String, Value>> {
    let inside = envelope(text.as_bytes()).map_or(text, |at| &text[at..]);
    let mut rest = inside;
    let mut found = Vec::new();
    while found.len() < N_OBJECTS
        && let Some(start) = rest.find('{')
    {
        let mut values = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<serde::de::IgnoredAny>();
        let is_whole = values.next().is_some_and(|value| value.is_ok());
        let end = start + if is_whole { values.byte_offset() } else { 1 };
        if is_whole {
            // Not what reads records: a member that is there twice tells the format, too.
            found.extend(serde_json::from_str(&rest[start..end]).ok());
        } else if let Some(line_end) = rest[start..].find('\n').filter(|_| !is_document(inside)) {
            // A damaged line: the format is told by the next one.
            rest = &rest[start + line_end..];
            continue;
        } else {
            break;
        }
        rest = &rest[end..];
    }
    found
}

/// Whether an object has the members that every canonical event has.
pub(super) fn is_event(members: &Map<String, Value>) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| members.contains_key(*name));
    has(&["type", "event_type"]) && has(&["time", "timestamp", "start_time", "t"])
}

/// Where the events of an envelope begin: behind the bracket of `{"events": [`.
///
/// An envelope is an object that has no member of an event before its list of objects.
pub(super) fn envelope(bytes: &[u8]) -> Option<usize> {
    let text = bytes[..bytes.len().min(4096)].utf8_chunks().next()?.valid();
    let start = text.len() - without_marks(text).len();
    let mut at = start + text[start..].strip_prefix('{').map(|_| 1)?;
    loop {
        at += blanks(&text[at..]);
        let key_end = at + end_of_text(&text[at..])?;
        let key = text[at + 1..key_end - 1].to_owned();
        at = key_end + blanks(&text[key_end..]);
        at += text[at..].strip_prefix(':').map(|_| 1)?;
        at += blanks(&text[at..]);
        if OF_EVENTS.contains(&key.as_str()) {
            return None;
        }
        if let Some(list) = text[at..].strip_prefix('[') {
            return without_marks(list).starts_with('{').then_some(at + 1);
        }
        at += match text[at..].chars().next()? {
            '"' => end_of_text(&text[at..])?,
            '{' => return None,
            _ => text[at..].find([',', '}'])?,
        };
        at += blanks(&text[at..]);
        at += text[at..].strip_prefix(',').map(|_| 1)?;
    }
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
