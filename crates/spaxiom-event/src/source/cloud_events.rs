//! CloudEvents 1.0 (cloudevents/spec, `spec.md` and `formats/json-format.md`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::interface::{First, Framing, Head, RecordParser, Source};
use super::record::{Parsed, Record};
use crate::draft::Draft;
use crate::error::{EventError, LineError};
use crate::json;
use crate::normalizer::Normalizer;

/// The one version there is.
pub(crate) const SPEC_VERSION: &str = "1.0";

/// What `source` starts with in the events that this project writes.
pub(crate) const SOURCE_PREFIX: &str = "/sites/";

/// The attributes of the specification, and the extension `siteid`.
#[derive(Deserialize)]
struct CloudEvent {
    specversion: Option<String>,
    id: Option<String>,
    source: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    time: Option<Value>,
    subject: Option<String>,
    siteid: Option<String>,
    data: Option<Value>,
    data_base64: Option<String>,
}

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
    let CloudEvent { specversion, id, source, kind, time, subject, siteid, data, data_base64 } =
        serde_json::from_str(text).map_err(LineError::Json)?;
    let missing = |field| LineError::Missing { field };
    let version = specversion.ok_or_else(|| missing("specversion"))?;
    if version != SPEC_VERSION {
        return Err(LineError::SpecVersion { got: version });
    }
    let (id, source) = (id.ok_or_else(|| missing("id"))?, source.ok_or_else(|| missing("source"))?);
    let kind = kind.ok_or_else(|| missing("type"))?;
    let data = match (data, data_base64) {
        (Some(_), Some(_)) => return Err(LineError::Twice { field: "data".into() }),
        (data, None) => data.unwrap_or(Value::Null),
        (None, Some(encoded)) => decode(&encoded)?,
    };
    let mut draft = payload(&data)?;
    draft.id = Some(id.into());
    draft.kind = Some(short_type(&kind).into());
    draft.time = match time {
        Some(time) => Some(json::time("time", &time)?),
        None => draft.time,
    };
    draft.zone = draft.zone.or_else(|| subject.map(Into::into));
    let site = siteid.unwrap_or_else(|| source.strip_prefix(SOURCE_PREFIX).unwrap_or(&source).to_owned());
    draft.site_id = draft.site_id.or_else(|| Some(site.into()));
    let event = draft.take_event(normalizer)?;
    Ok(Parsed::Record(Record { event, mark: None }))
}

/// An object has the members of an event; anything else is the attribute `value`.
fn payload(data: &Value) -> Result<Draft<'_>, LineError> {
    match data {
        Value::Null => Ok(Draft::default()),
        Value::Object(_) => json::draft_of(data),
        other => {
            let mut draft = Draft::default();
            draft.push("value", other.clone());
            Ok(draft)
        }
    }
}

fn decode(encoded: &str) -> Result<Value, LineError> {
    let bytes = STANDARD.decode(encoded).map_err(|_| LineError::Base64)?;
    serde_json::from_slice(&bytes).map_err(LineError::Json)
}

/// `org.example.spaxiom.FallEvent.v2` is a `FallEvent`.
fn short_type(kind: &str) -> &str {
    let is_version = |last: &str| {
        last.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let kind = match kind.rsplit_once('.') {
        Some((stem, last)) if is_version(last) => stem,
        _ => kind,
    };
    kind.rsplit_once('.').map_or(kind, |(_, last)| last)
}
