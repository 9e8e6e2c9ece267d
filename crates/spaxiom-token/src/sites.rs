//! What a tokenizer knows of sites: their clocks, and what their zones are for.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use spaxiom_event::{Site, SiteMap};
use xxhash_rust::xxh64::xxh64;

/// Stands between the kinds of a zone's neighbors.
const AND: &str = "+";

/// The sites that are known, and the clock of all others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sites {
    /// The time zone of sites without one of their own; UTC where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<Tz>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sites: BTreeMap<String, SiteContext>,
}

/// One site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SiteContext {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<Tz>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    zones: BTreeMap<String, ZoneContext>,
}

/// One zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ZoneContext {
    /// What it is for.
    pub(crate) kind: String,
    /// The floor it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<String>,
    /// The kinds of its neighbors, `bathroom+hall`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) near: Option<String>,
    /// Its neighbors, by the name that they have in all formats of the artifact.
    #[serde(default, rename = "neighbours", skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) neighbors: BTreeSet<String>,
}

impl Sites {
    /// What a site map says, and the time zone of sites that it does not know.
    #[must_use]
    pub fn new(map: &SiteMap, time_zone: Option<Tz>) -> Self {
        let site = |id: &str| map.get(id).map(|site| (id.to_owned(), context(site)));
        Self { time_zone, sites: map.site_ids().filter_map(site).collect() }
    }

    /// These sites and those of `other`, which counts where both know a site.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut sites = self.sites.clone();
        sites.extend(other.sites.clone());
        Self { time_zone: other.time_zone.or(self.time_zone), sites }
    }

    /// A short hash of everything that is known.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let text = serde_json::to_string(self).expect("sites are plain data");
        format!("{:016x}", xxh64(text.as_bytes(), 0))
    }

    pub(crate) fn get(&self, site: &str) -> Option<&SiteContext> {
        self.sites.get(site)
    }

    /// The time zone of a site; UTC where none is known.
    #[must_use]
    pub fn time_zone(&self, site: &str) -> Option<Tz> {
        self.get(site).and_then(|site| site.time_zone).or(self.time_zone)
    }

    /// The zones of a site and their kinds, in order of their names.
    pub(crate) fn zones_of(&self, site: &str) -> impl Iterator<Item = (&str, &str)> {
        let zones = self.get(site).into_iter().flat_map(|site| &site.zones);
        zones.map(|(name, zone)| (name.as_str(), zone.kind.as_str()))
    }

    /// Every zone of every site with what it is for.
    pub fn zone_kinds(&self) -> impl Iterator<Item = (&str, &str)> {
        let zones = self.sites.values().flat_map(|site| &site.zones);
        zones.map(|(name, zone)| (name.as_str(), zone.kind.as_str()))
    }

    pub(crate) fn zones(&self) -> impl Iterator<Item = &ZoneContext> {
        self.sites.values().flat_map(|site| site.zones.values())
    }
}

impl SiteContext {
    pub(crate) fn zone(&self, zone: &str) -> Option<&ZoneContext> {
        self.zones.get(zone)
    }
}

fn context(site: &Site) -> SiteContext {
    let graph = site.zone_graph();
    let neighbors = |id: &str| -> BTreeSet<String> {
        let others = graph.iter().filter_map(|&(a, b)| match (a == id, b == id) {
            (true, _) => Some(b),
            (_, true) => Some(a),
            _ => None,
        });
        others.map(str::to_owned).collect()
    };
    let near = |neighbors: &BTreeSet<String>| {
        let mut kinds: Vec<&str> = neighbors.iter().filter_map(|other| Some(site.zone(other)?.kind.as_str())).collect();
        kinds.sort_unstable();
        kinds.dedup();
        (!kinds.is_empty()).then(|| kinds.join(AND))
    };
    let zones = site.zones().map(|(id, zone)| {
        let neighbors = neighbors(id);
        let near = near(&neighbors);
        (id.to_owned(), ZoneContext { kind: zone.kind.clone(), floor: zone.floor.clone(), near, neighbors })
    });
    SiteContext { time_zone: site.time_zone, zones: zones.collect() }
}
