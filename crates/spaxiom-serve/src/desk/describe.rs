//! What is in the store?

use chrono::DateTime;
use spaxiom_embedding::{Field, Filter};

use super::answers::StoreDescription;
use super::state::{self, Desk, Limits};
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
        let sites: Vec<String> = names.sites.into_iter().filter(|site| self.knows(site)).collect();
        for site in &sites {
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
        // Somebody who may know of some sites alone learns the names of those.
        let passing = self.filter(&Limits::default())?;
        let own = |field: Field, names: Vec<String>| -> Result<Vec<String>, ServeError> {
            if !self.is_limited() {
                return Ok(names);
            }
            let mut own = Vec::new();
            for name in names {
                let is_own = passing.clone().and(Filter::Is { field, values: vec![name.clone()] });
                if store.sample(0, &is_own)?.n_passing > 0 {
                    own.push(name);
                }
            }
            Ok(own)
        };
        let events = if self.is_limited() { store.sample(0, &passing)?.n_passing } else { store.stats()?.n_vectors };
        Ok(StoreDescription {
            events,
            first,
            last,
            sites: some(sites),
            types: some(own(Field::Type, names.types)?),
            zones: some(own(Field::Zone, names.zones)?),
            zone_kinds: self.overview()?.names.zone_kinds.keys().cloned().collect(),
            attributes: some(names.attributes),
            time_zones: zones
                .iter()
                .filter(|(site, _)| self.knows(site))
                .map(|(site, zone)| format!("{site}: {zone}"))
                .collect(),
            provenance: self.provenance()?,
        })
    }
}
