//! The table of formats.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::interface::{First, Source};
use super::{casas, cloud_events, columns, home_assistant, jsonl, parquet, spaxiom};

macro_rules! formats {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal: $source:expr;)*) => {
        /// The formats that events are read from.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
        pub enum Format {
            $(
                $(#[doc = $doc])*
                #[serde(rename = $text)]
                #[cfg_attr(feature = "clap", value(name = $text))]
                $name,
            )*
        }

        impl Format {
            /// All formats.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// How inputs of this format are read.
            #[must_use]
            pub fn source(self) -> &'static dyn Source {
                match self {
                    $(Self::$name => &$source,)*
                }
            }
        }
    };
}

// A row per format. An input has the first format that it looks like; canonical JSON is what is left.
formats! {
    /// One canonical event per line, or one JSON array of them
    Jsonl = "jsonl": jsonl::Jsonl;
    /// CloudEvents 1.0 in JSON: one per line, a batch in an array, or a single one
    CloudEvents = "cloudevents": cloud_events::CloudEvents;
    /// `state_changed` events of Home Assistant, bare or in websocket frames
    HomeAssistant = "home-assistant": home_assistant::HomeAssistant;
    /// Output of the spaxiom package: pattern events, edge records, event bus frames
    Spaxiom = "spaxiom": spaxiom::Spaxiom;
    /// Text or CSV of the CASAS smart homes: date, time, sensor, value and, on some lines, an activity
    ///
    /// The text names no time zone: without one from the site map or the options its times are taken
    /// as they stand, so that the hour of the day is the one on the wall of that home.
    Casas = "casas": casas::Casas;
    /// Delimited text, with a column map
    Columns = "columns": columns::DelimitedText;
    /// Apache Parquet with the columns that convert writes
    Parquet = "parquet": parquet::Parquet;
}

impl Format {
    /// The name in commands and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.source().name()
    }

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The format of an input whose first line, or first JSON object, this is.
    #[must_use]
    pub fn detect(first: &str) -> Option<Self> {
        let first = first.trim_start_matches('\u{feff}').trim();
        let object = serde_json::from_str::<Value>(first.trim_start_matches("data:").trim_start());
        let first = match object {
            Ok(Value::Object(members)) => First::Object(members),
            _ => First::Line(first),
        };
        let (canonical, others) = Self::ALL.split_first()?;
        others.iter().chain([canonical]).copied().find(|format| format.source().looks_like(&first))
    }
}
