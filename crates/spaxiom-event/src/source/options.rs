//! How an input is to be read.

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use super::format::Format;
use super::head;
use super::input::TextEncoding;
use super::interface::Source;
use super::mapping::ColumnMap;
use crate::error::EventError;
use crate::ids::SiteId;
use crate::normalizer::Normalizer;
use crate::pseudonym::Pseudonymizer;
use crate::registry::Registry;
use crate::site_map::SiteMap;

/// A longer line is no event: an event has some hundred bytes.
const MAX_LINE_BYTES: usize = 1 << 20;

/// How an input is to be read; the default reads every format that can be told by itself.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The format of the input; detected from its first line by default.
    pub format: Option<Format>,
    /// A format of your own, instead of one of [`Format`].
    pub source: Option<Arc<dyn Source>>,
    /// The site of events that name none; `default`.
    pub site_id: Option<SiteId>,
    /// The zone of times that name none, unless the site map says it; UTC.
    pub time_zone: Option<Tz>,
    /// What is known of types and attributes; the built-in registry.
    pub registry: Option<Registry>,
    /// What is known of zones and sensors; nothing.
    pub site_map: Option<SiteMap>,
    /// Replaces entity ids on the way in; they stay as they are.
    pub pseudonymizer: Option<Pseudonymizer>,
    /// What the columns of delimited text and Parquet, or the members of JSON, mean; needed for [`Format::Columns`].
    pub columns: Option<ColumnMap>,
    /// The encoding of text that is not UTF-8; UTF-16 is told by its first bytes.
    pub encoding: Option<TextEncoding>,
    /// Longer lines are rejected; 1 MiB.
    pub max_line_bytes: Option<usize>,
    /// Threads that parse; 1. Order and result do not depend on it.
    pub threads: Option<usize>,
}

impl ReadOptions {
    /// Fingerprint of the registry that is used.
    #[must_use]
    pub fn registry_fingerprint(&self) -> String {
        self.registry.as_ref().unwrap_or(Registry::built_in()).fingerprint()
    }

    pub(super) fn max_line_bytes(&self) -> usize {
        self.max_line_bytes.unwrap_or(MAX_LINE_BYTES)
    }

    /// Lines before the header, as the user says.
    pub(super) fn n_lines_before(&self) -> usize {
        self.columns.as_ref().map_or(0, |columns| columns.layout.n_skipped)
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.unwrap_or(1).max(1)
    }

    /// The format of an input that begins with this text.
    pub(super) fn format_of(&self, text: &str, path: &Path) -> Result<&'static dyn Source, EventError> {
        let mapped = || match (&self.columns, head::is_mapped_json(text)) {
            (Some(_), true) => Some(Format::MappedJson),
            (Some(_), false) => Some(Format::Columns),
            (None, _) => None,
        };
        let named = match self.format {
            // The canonical members are what a column map is for.
            Some(Format::Jsonl | Format::Columns) if self.columns.is_some() => mapped(),
            named => named,
        };
        let format = named.or_else(mapped).or_else(|| Format::of_text(text)).map(Format::source);
        format.ok_or_else(|| EventError::UnknownFormat {
            path: path.to_owned(),
            hint: head::hint(text),
            wanted: Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join("|"),
        })
    }

    /// An option that would change nothing is an error: the user thinks that it does.
    pub(super) fn check_columns_fit(&self, source: &dyn Source, path: &Path) -> Result<(), EventError> {
        if self.columns.is_some() && !source.takes_columns() {
            return Err(EventError::ColumnsNotUsed { path: path.to_owned(), format: source.name() });
        }
        Ok(())
    }

    /// What completes the events of the file with this stem.
    pub(super) fn normalizer(&self) -> Normalizer {
        let default = Normalizer::default();
        let only_site = self.site_map.as_ref().and_then(|map| {
            let mut ids = map.site_ids();
            ids.next().filter(|_| ids.next().is_none()).map(SiteId::from)
        });
        Normalizer {
            registry: self.registry.clone().unwrap_or(default.registry),
            // The map of a single site says whose events these are.
            site_id: self.site_id.clone().or(only_site).unwrap_or(default.site_id),
            time_zone: self.time_zone,
            site_map: self.site_map.clone().unwrap_or_default(),
            pseudonymizer: self.pseudonymizer.clone(),
            walls: default.walls,
        }
    }
}
