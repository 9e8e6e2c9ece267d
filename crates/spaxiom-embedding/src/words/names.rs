//! The names that a text may mean: those of a store.

use std::collections::{BTreeMap, BTreeSet};

use spaxiom_index::VectorStore;
use spaxiom_token::Sites;

use crate::error::EmbeddingError;

/// Members of an event that are no attributes that a text compares: `zones longer than 5` means no member `zone`.
const MEMBERS: [&str; 15] = [
    "id",
    "type",
    "time",
    "end_time",
    "site_id",
    "zone",
    "zone_path",
    "entity_id",
    "caused_by",
    "severity",
    "confidence",
    "x",
    "y",
    "z",
    "schema",
];

/// The names that a text may mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Types of events.
    pub types: Vec<String>,
    /// Zones.
    pub zones: Vec<String>,
    /// The zones of each purpose, as a site map says it.
    pub zone_kinds: BTreeMap<String, BTreeSet<String>>,
    /// Sites.
    pub sites: Vec<String>,
    /// Attributes.
    pub attributes: Vec<String>,
}

impl Names {
    /// The names of a store; `sites` says what zones are for.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn of_store(store: &dyn VectorStore, sites: &Sites) -> Result<Self, EmbeddingError> {
        let names = store.names()?;
        let known: BTreeSet<&str> = names.zones.iter().map(String::as_str).collect();
        let mut zone_kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (zone, kind) in sites.zone_kinds().filter(|(zone, _)| known.contains(zone)) {
            zone_kinds.entry(kind.to_owned()).or_default().insert(zone.to_owned());
        }
        let attributes = names.attributes.into_iter().filter(|name| !MEMBERS.contains(&name.as_str())).collect();
        Ok(Self { types: names.types, zones: names.zones, zone_kinds, sites: names.sites, attributes })
    }
}
