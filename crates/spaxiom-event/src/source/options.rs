//! How an input is to be read.

use std::sync::Arc;

use chrono_tz::Tz;

use super::column_map::ColumnMap;
use super::format::Format;
use super::interface::Source;
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
    /// What the columns of delimited text mean; needed for [`Format::Columns`].
    pub columns: Option<ColumnMap>,
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

    pub(super) fn threads(&self) -> usize {
        self.threads.unwrap_or(1).max(1)
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
        }
    }
}
