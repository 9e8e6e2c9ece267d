//! Formats, and how one is told from the first line of an input.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::casas;

/// How events are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Format {
    /// One canonical event per line, or one JSON array of them
    Jsonl,
    /// CloudEvents 1.0 in JSON: one per line, a batch in an array, or a single one
    #[serde(rename = "cloudevents")]
    #[cfg_attr(feature = "clap", value(name = "cloudevents"))]
    CloudEvents,
    /// Output of the spaxiom package: pattern events, edge records, event bus frames
    Spaxiom,
    /// `state_changed` events of Home Assistant, bare or in websocket frames
    HomeAssistant,
    /// Text or CSV of the CASAS smart homes: date, time, sensor, value and, on some lines, an activity
    ///
    /// The text names no time zone: without one from the site map or the options its times are taken
    /// as they stand, so that the hour of the day is the one on the wall of that home.
    Casas,
    /// Delimited text, with a column map
    Columns,
    /// Apache Parquet with the columns that convert writes
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] =
        [Self::Jsonl, Self::CloudEvents, Self::Spaxiom, Self::HomeAssistant, Self::Casas, Self::Columns, Self::Parquet];

    /// The name in commands and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::CloudEvents => "cloudevents",
            Self::Spaxiom => "spaxiom",
            Self::HomeAssistant => "home-assistant",
            Self::Casas => "casas",
            Self::Columns => "columns",
            Self::Parquet => "parquet",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format of an input whose first line, or first JSON object, this is.
    #[must_use]
    pub fn detect(first: &str) -> Option<Self> {
        let first = first.trim_start_matches('\u{feff}').trim();
        match serde_json::from_str::<Value>(first.trim_start_matches("data:").trim_start()) {
            Ok(Value::Object(members)) => Some(of_object(&members)),
            _ if casas::looks_like(first) => Some(Self::Casas),
            // Damaged JSON is for the reader to complain about.
            _ => first.starts_with(['{', '[']).then_some(Self::Jsonl),
        }
    }
}

fn of_object(members: &serde_json::Map<String, Value>) -> Format {
    let has = |name| members.contains_key(name);
    let inner = |name| members.get("event").and_then(|event| event.get(name)).is_some();
    let is_bus = members.get("type").and_then(Value::as_str) == Some("pattern_event") && has("event");
    if has("specversion") {
        Format::CloudEvents
    } else if inner("time_fired") || inner("data") || (has("event_type") && (has("time_fired") || has("origin"))) {
        Format::HomeAssistant
    } else if is_bus || has("pattern_name") || (has("event_type") && has("data")) {
        Format::Spaxiom
    } else {
        Format::Jsonl
    }
}
