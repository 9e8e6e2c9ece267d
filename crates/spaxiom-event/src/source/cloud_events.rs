//! CloudEvents 1.0 (cloudevents/spec, `spec.md` and `formats/json-format.md`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::Parsed;
use crate::draft::Draft;
use crate::error::{EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;
use crate::notes::Note;

/// The one version there is.
pub(crate) const SPEC_VERSION: &str = "1.0";

/// What `source` starts with in the events that this project writes.
pub(crate) const SOURCE_PREFIX: &str = "/sites/";

/// What the types of the events that this project writes begin with; what follows is the type as it is, dots included.
pub(crate) const TYPE_PREFIX: &str = "spaxiom.";

/// CloudEvents 1.0.
#[derive(Debug)]
pub(super) struct CloudEvents;

impl Source for CloudEvents {
    fn name(&self) -> &'static str {
        "cloudevents"
    }

    fn framing(&self) -> Framing {
        Framing::Json
    }

    fn looks_like(&self, first: &First<'_>) -> bool {
        matches!(first, First::Object(members) if members.contains_key("specversion"))
    }

    fn parser(&self, _: Head<'_>) -> Result<Box<dyn RecordParser>, EventError> {
        Ok(Box::new(parse))
    }
}

fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    let (mut members, mut notes) = json::object(text)?;
    let missing = |field| LineError::Missing { field };
    let version = take_text(&mut members, "specversion")?.ok_or_else(|| missing("specversion"))?;
    if version != SPEC_VERSION {
        return Err(LineError::SpecVersion { got: version });
    }
    let id = take_text(&mut members, "id")?.ok_or_else(|| missing("id"))?;
    let source = take_text(&mut members, "source")?.ok_or_else(|| missing("source"))?;
    let kind = take_text(&mut members, "type")?.ok_or_else(|| missing("type"))?;
    let subject = take_text(&mut members, "subject")?;
    let site = take_text(&mut members, "siteid")?;
    let media_type = take_text(&mut members, "datacontenttype")?.unwrap_or_default();
    // It describes `data` and says nothing of the event.
    members.remove("dataschema");
    let time = members.remove("time").filter(|time| !time.is_null());
    let data = payload(&mut members, &media_type, &mut notes)?;
    let mut draft = draft_of_payload(&data, normalizer)?;
    draft.notes.append(&mut notes);
    draft.id = Some(id.into());
    draft.kind = Some(short_type(&kind, &source).to_owned().into());
    let site = site.unwrap_or_else(|| source.strip_prefix(SOURCE_PREFIX).unwrap_or(&source).to_owned());
    draft.site_id = draft.site_id.or_else(|| Some(site.into()));
    draft.time = match time {
        Some(time) => Some(json::time("time", &time, normalizer)?),
        None => draft.time,
    };
    draft.zone = draft.zone.or_else(|| subject.map(Into::into));
    // What is left are extensions: they say more about the event.
    for (name, value) in members {
        if !draft.attrs.iter().any(|(known, _)| *known == name) {
            draft.push(name, value);
        }
    }
    draft.take_record(normalizer).map(Parsed::Record)
}

fn take_text(members: &mut Map<String, Value>, field: &'static str) -> Result<Option<String>, LineError> {
    match members.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(LineError::NotText { field, got: json::kind_of(&other) }),
    }
}

/// `data`, or what `data_base64` holds: JSON, or text where the media type says so.
fn payload(members: &mut Map<String, Value>, media_type: &str, notes: &mut Vec<Note>) -> Result<Value, LineError> {
    let (data, encoded) = (members.remove("data"), take_text(members, "data_base64")?);
    let Some(encoded) = encoded else { return Ok(data.unwrap_or(Value::Null)) };
    if data.is_some() {
        return Err(LineError::Twice { field: "data".into() });
    }
    let not_json = || LineError::Base64 { media_type: media_type.to_owned() };
    let bytes = STANDARD.decode(encoded).map_err(|_| not_json())?;
    let text = String::from_utf8(bytes).map_err(|_| not_json())?;
    if media_type.starts_with("text/") {
        return Ok(text.into());
    }
    let (value, mut more) = json::any(&text).map_err(|_| not_json())?;
    notes.append(&mut more);
    Ok(value)
}

/// An object has the members of an event; anything else is the attribute `value`.
fn draft_of_payload<'a>(data: &'a Value, normalizer: &Normalizer) -> Result<Draft<'a>, LineError> {
    match data {
        Value::Null => Ok(Draft::default()),
        Value::Object(_) => json::draft_of(data, normalizer),
        other => {
            let mut draft = Draft::default();
            draft.push("value", other.clone());
            Ok(draft)
        }
    }
}

/// `org.example.spaxiom.FallEvent.v2` is a `FallEvent`; what this project wrote loses nothing but its prefix.
fn short_type<'a>(kind: &'a str, source: &str) -> &'a str {
    if let (Some(kind), true) = (kind.strip_prefix(TYPE_PREFIX), source.starts_with(SOURCE_PREFIX)) {
        return kind;
    }
    let is_version = |last: &str| {
        last.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let kind = match kind.rsplit_once('.') {
        Some((stem, last)) if is_version(last) => stem,
        _ => kind,
    };
    kind.rsplit_once('.').map_or(kind, |(_, last)| last)
}
