//! The table of formats.

use super::head;
use super::interface::{First, Source};
use super::{casas, cloud_events, columns, home_assistant, json_path, jsonl, parquet, spaxiom};
use serde::{Deserialize, Serialize};

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
    /// Home Assistant: its recorder database, `state_changed` events, histories and the CSV of "Download data"
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
    /// JSON of any shape, with a column map whose columns are paths such as `device.name`
    MappedJson = "json": json_path::MappedJson;
    /// Apache Parquet, with a column map where its columns have other names than those that convert writes
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
        Self::of_text(head::without_marks(first))
    }

    /// The format of an input that begins with this text: that of the first object which some format knows.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let (canonical, others) = Self::ALL.split_first()?;
        let json = text.trim_start_matches("data:").trim_start();
        if !head::is_json(json) {
            let line = First::Line(text.lines().next().unwrap_or_default().trim());
            return others.iter().chain([canonical]).copied().find(|format| format.source().looks_like(&line));
        }
        let known = head::objects(json).into_iter().find_map(|members| {
            let is_event = head::is_event(&members);
            let object = First::Object(members);
            let other = others.iter().copied().find(|format| format.source().looks_like(&object));
            other.or(is_event.then_some(*canonical))
        });
        // Damaged JSON is for the reader to complain about.
        known.or(Some(*canonical))
    }
}
