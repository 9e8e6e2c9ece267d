//! What is in the store?

use chrono::DateTime;

use super::answers::StoreDescription;
use super::state::{self, Desk};
use crate::error::ServeError;

/// Names of a kind that are listed at most.
const MAX_NAMES: usize = 200;

impl Desk {
    /// Sites, zones, types, the span of time and the clocks.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn describe(&self) -> Result<StoreDescription, ServeError> {
        let store = self.store();
        let zones = store.time_zones()?;
        let names = store.names()?;
        let mut first: Option<(i64, &str)> = None;
        let mut last = None;
        for site in &names.sites {
            let Some([from, to]) = store.span(site)? else { continue };
            first = Some(first.map_or((from, site.as_str()), |first| first.min((from, site))));
            last = last.max(Some((to, site.as_str())));
        }
        let local = |end: Option<(i64, &str)>| match end {
            Some((ns, site)) => state::local(zones.get(site), DateTime::from_timestamp_nanos(ns)),
            None => String::new(),
        };
        let (first, last) = (local(first), local(last));
        let some = |names: Vec<String>| names.into_iter().take(MAX_NAMES).collect();
        Ok(StoreDescription {
            events: store.stats()?.n_vectors,
            first,
            last,
            sites: some(names.sites),
            types: some(names.types),
            zones: some(names.zones),
            zone_kinds: self.names.zone_kinds.keys().cloned().collect(),
            attributes: some(names.attributes),
            time_zones: zones.into_iter().map(|(site, zone)| format!("{site}: {zone}")).collect(),
            provenance: self.provenance(),
        })
    }
}
