//! Members of an event out of the topic of its message.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::error::StreamError;

/// A pattern such as `building/{zone}/{sensor}`: what stands in braces becomes a member of the message.
///
/// `+` passes any part over, `#` at the end all that are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
    Any,
    Rest,
}

impl FromStr for TopicPattern {
    type Err = StreamError;

    fn from_str(text: &str) -> Result<Self, StreamError> {
        let wrong = || StreamError::Topic { got: text.to_owned() };
        let part = |part: &str| match part {
            "+" => Some(Part::Any),
            "#" => Some(Part::Rest),
            _ => match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some("") => None,
                Some(name) => Some(Part::Name(name.to_owned())),
                None if part.contains(['{', '}', '+', '#']) => None,
                None => Some(Part::Text(part.to_owned())),
            },
        };
        let parts = text.split('/').map(part).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        let is_rest_last = parts.iter().rev().skip(1).all(|part| *part != Part::Rest);
        if text.is_empty() || !is_rest_last { Err(wrong()) } else { Ok(Self(parts)) }
    }
}

impl TopicPattern {
    /// The members that a topic gives; none for one that the pattern does not fit.
    fn members(&self, topic: &str) -> Option<Vec<(String, String)>> {
        let mut members = Vec::new();
        let mut parts = topic.split('/');
        for wanted in &self.0 {
            if *wanted == Part::Rest {
                return Some(members);
            }
            let part = parts.next()?;
            match wanted {
                Part::Text(text) if text != part => return None,
                Part::Name(name) => members.push((name.clone(), part.to_owned())),
                Part::Text(_) | Part::Any | Part::Rest => {}
            }
        }
        parts.next().is_none().then_some(members)
    }
}

/// One line of JSON for a message: the payload with the members of its topic, which take nothing's place.
///
/// A payload that is no object becomes the member `value`. Without a pattern the payload stays as it is.
pub(super) fn line(topic: &str, payload: &[u8], pattern: Option<&TopicPattern>) -> Vec<u8> {
    let members = pattern.and_then(|pattern| pattern.members(topic));
    let Some(members) = members else {
        return one_line(payload);
    };
    let mut object = match serde_json::from_slice(payload) {
        Ok(Value::Object(object)) => object,
        Ok(value) => Map::from_iter([("value".to_owned(), value)]),
        Err(_) => Map::from_iter([("value".to_owned(), Value::String(String::from_utf8_lossy(payload).into()))]),
    };
    for (name, value) in members {
        object.entry(name).or_insert(Value::String(value));
    }
    one_line(Value::Object(object).to_string().as_bytes())
}

/// The bytes on a line of their own: ends of lines in JSON are spaces, and nothing else may have them.
fn one_line(payload: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> =
        payload.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::{TopicPattern, line};

    fn check(pattern: &str, topic: &str, payload: &str, want: &str) {
        let pattern: TopicPattern = pattern.parse().unwrap();
        assert_eq!(String::from_utf8(line(topic, payload.as_bytes(), Some(&pattern))).unwrap(), format!("{want}\n"));
    }

    #[test]
    fn parts_of_a_topic_become_members() {
        check("b/{zone}/{sensor}", "b/dock/cam-1", r#"{"type":"A"}"#, r#"{"sensor":"cam-1","type":"A","zone":"dock"}"#);
        check("+/{zone}/#", "x/dock/a/b", r#"{"type":"A"}"#, r#"{"type":"A","zone":"dock"}"#);
        check("b/{zone}", "b/dock", r#"{"zone":"own"}"#, r#"{"zone":"own"}"#);
        check("b/{zone}", "b/dock", "21.5", r#"{"value":21.5,"zone":"dock"}"#);
        check("b/{zone}", "b/dock", "ON", r#"{"value":"ON","zone":"dock"}"#);
    }

    #[test]
    fn a_topic_that_does_not_fit_leaves_the_payload_on_one_line() {
        check("b/{zone}", "c/dock", "{\n\"type\":\"A\"}", "{ \"type\":\"A\"}");
        check("b/{zone}", "b/dock/more", "{}", "{}");
    }

    #[test]
    fn a_pattern_that_says_nothing_is_refused() {
        for wrong in ["", "a/{}", "a/#/b", "a/x{zone}", "a/b+"] {
            assert!(wrong.parse::<TopicPattern>().is_err(), "{wrong}");
        }
    }
}
