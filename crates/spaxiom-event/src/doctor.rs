//! The doctor: what is wrong with a stream of events, and what to do about it.

mod alike;
mod finding;
mod options;
mod sensor;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

pub use self::finding::Finding;
pub use self::options::DoctorOptions;
pub use self::sensor::SensorHealth;
use self::sensor::{SensorClock, Sensors};
use crate::attrs::AttrValue;
use crate::event::Event;
use crate::order::Deduplicator;
use crate::registry::Registry;
use crate::site_map::SiteMap;

/// Ids that are remembered to tell duplicates.
const N_REMEMBERED: usize = 1 << 20;

/// Looks at events in the order in which they come; memory grows with types, zones and sites only.
#[derive(Debug)]
pub struct Doctor {
    options: DoctorOptions,
    registry: Registry,
    site_map: SiteMap,
    n_events: u64,
    types: BTreeMap<String, u64>,
    zones: BTreeMap<String, u64>,
    sites: BTreeMap<String, u64>,
    clocks: BTreeMap<String, SiteClock>,
    unknown_types: BTreeMap<String, u64>,
    unknown_attributes: BTreeMap<String, u64>,
    out_of_range: BTreeMap<String, Outliers>,
    sensors: Sensors,
    ids: Deduplicator,
    n_out_of_order: u64,
    n_late: u64,
    n_clock_jumps: u64,
    gaps: Vec<Gap>,
    n_gaps: u64,
}

/// The times of a site.
#[derive(Debug)]
struct SiteClock {
    first: DateTime<Utc>,
    last: DateTime<Utc>,
    /// The newest time since the clock was last set.
    newest: DateTime<Utc>,
}

/// Values outside the declared range.
#[derive(Debug, Default)]
struct Outliers {
    n: u64,
    min: f64,
    max: f64,
}

/// A long silence of a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Gap {
    site_id: String,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// Gaps that are named; all are counted.
const N_GAPS_NAMED: usize = 10;

/// What a stream of events holds, and what is odd about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    /// Events that were seen.
    pub events: u64,
    /// Events of each type.
    pub types: BTreeMap<String, u64>,
    /// Events in each zone.
    pub zones: BTreeMap<String, u64>,
    /// Events of each site.
    pub sites: BTreeMap<String, u64>,
    /// The earliest time.
    pub first: Option<DateTime<Utc>>,
    /// The latest time, ends of intervals included.
    pub last: Option<DateTime<Utc>>,
    /// What is odd, and what to do about it.
    pub findings: Vec<Finding>,
}

impl Doctor {
    /// Knows what `registry` declares, and which sensors `site_map` expects.
    #[must_use]
    pub fn new(options: DoctorOptions, registry: Registry, site_map: SiteMap) -> Self {
        Self {
            options,
            registry,
            site_map,
            n_events: 0,
            types: BTreeMap::new(),
            zones: BTreeMap::new(),
            sites: BTreeMap::new(),
            clocks: BTreeMap::new(),
            unknown_types: BTreeMap::new(),
            unknown_attributes: BTreeMap::new(),
            out_of_range: BTreeMap::new(),
            sensors: Sensors::default(),
            ids: Deduplicator::new(N_REMEMBERED),
            n_out_of_order: 0,
            n_late: 0,
            n_clock_jumps: 0,
            gaps: Vec::new(),
            n_gaps: 0,
        }
    }

    /// Looks at the next event.
    pub fn observe(&mut self, event: &Event) {
        self.n_events += 1;
        count(&mut self.types, event.kind.as_str());
        count(&mut self.sites, event.site_id.as_str());
        if let Some(zone) = &event.zone {
            count(&mut self.zones, zone.as_str());
            self.sensors.observe(event.site_id.as_str(), zone.as_str(), event.time, self.options.chatter_per_min);
        }
        self.ids.is_duplicate(event);
        self.look_at_time(event);
        self.look_at_attributes(event);
    }

    fn look_at_time(&mut self, event: &Event) {
        let Some(clock) = self.clocks.get_mut(event.site_id.as_str()) else {
            let clock = SiteClock { first: event.time, last: event.end(), newest: event.time };
            self.clocks.insert(event.site_id.to_string(), clock);
            return;
        };
        clock.first = clock.first.min(event.time);
        clock.last = clock.last.max(event.end());
        let behind = (clock.newest - event.time).as_seconds_f64();
        if behind > 0.0 {
            self.n_out_of_order += 1;
            self.n_late += u64::from(behind > self.options.allowed_lateness_secs);
            if behind < self.options.clock_jump_secs {
                return;
            }
            self.n_clock_jumps += 1;
        } else if -behind > self.options.gap_secs {
            self.n_gaps += 1;
            if self.gaps.len() < N_GAPS_NAMED {
                self.gaps.push(Gap { site_id: event.site_id.to_string(), from: clock.newest, to: event.time });
            }
        }
        clock.newest = event.time;
    }

    fn look_at_attributes(&mut self, event: &Event) {
        let kind = event.kind.as_str();
        let spec = self.registry.get(kind);
        if spec.is_none() {
            count(&mut self.unknown_types, kind);
        }
        for (name, value) in event.attrs.iter() {
            let Some(declared) = self.registry.attribute(kind, name) else {
                // Of a type that nobody declared no attribute is: naming the type says it all.
                if spec.is_some() {
                    count(&mut self.unknown_attributes, &format!("{kind}.{name}"));
                }
                continue;
            };
            if let AttrValue::Number(number) = value
                && !declared.allows(*number)
            {
                let outliers = self.out_of_range.entry(format!("{kind}.{name}")).or_default();
                outliers.min = if outliers.n == 0 { *number } else { outliers.min.min(*number) };
                outliers.max = if outliers.n == 0 { *number } else { outliers.max.max(*number) };
                outliers.n += 1;
            }
        }
    }

    /// What was seen, and what to do about it.
    #[must_use]
    pub fn finish(self) -> Health {
        let findings = self.findings();
        Health {
            events: self.n_events,
            first: self.clocks.values().map(|clock| clock.first).min(),
            last: self.clocks.values().map(|clock| clock.last).max(),
            sites: self.sites,
            types: self.types,
            zones: self.zones,
            findings,
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let options = &self.options;
        let mut findings = vec![
            Finding::duplicates(self.ids.n_duplicates()),
            Finding::out_of_order(self.n_out_of_order),
            Finding::late(self.n_late, options.allowed_lateness_secs),
            Finding::clock_jumps(self.n_clock_jumps, options.clock_jump_secs),
        ];
        let named = self.gaps.iter().map(|gap| format!("{} from {} to {}", gap.site_id, gap.from, gap.to));
        findings.push(Finding::gaps(self.n_gaps, options.gap_secs, &named.collect::<Vec<_>>()));
        findings.push(Finding::unknown_types(&self.unknown_types));
        findings.push(Finding::unknown_attributes(&self.unknown_attributes));
        for (name, Outliers { n, min, max }) in &self.out_of_range {
            let (kind, attribute) = name.split_once('.').unwrap_or((name, ""));
            let declared = self.registry.attribute(kind, attribute);
            findings.push(Finding::out_of_range(name, *n, (*min, *max), declared));
        }
        let chattering = self.sensors.iter().filter(|(_, _, sensor)| sensor.n_chatter_mins > 0);
        findings.extend(chattering.map(|(site, zone, sensor)| Finding::chatters(&health(site, zone, sensor), options)));
        let dead = self.sensors.iter().filter(|(site, _, sensor)| {
            self.clocks.get(*site).is_some_and(|clock| sensor.is_dead(clock.last, options.dead_after_secs))
        });
        findings.extend(dead.map(|(site, zone, sensor)| Finding::dead(&health(site, zone, sensor))));
        findings.extend(self.never_heard());
        for (what, names) in [("site", &self.sites), ("zone", &self.zones), ("type", &self.types)] {
            findings.extend(alike::groups(names).iter().map(|names| Finding::alike(what, names)));
        }
        findings.retain(|finding| finding.count > 0);
        findings
    }

    /// Sensors that the map expects and that never said anything.
    fn never_heard(&self) -> impl Iterator<Item = Finding> {
        let sites = self.sites.keys().filter_map(|id| Some((id, self.site_map.get(id)?)));
        sites.flat_map(|(id, site)| {
            let silent = site.sensors().filter(|(name, sensor)| {
                let zone = sensor.zone.as_deref().unwrap_or(name);
                !self.sensors.knows(id, zone) && !self.sensors.knows(id, name)
            });
            silent.map(|(name, _)| Finding::never_heard(id, name)).collect::<Vec<_>>()
        })
    }
}

fn health(site_id: &str, zone: &str, sensor: &SensorClock) -> SensorHealth {
    SensorHealth {
        site_id: site_id.into(),
        zone: zone.into(),
        n_events: sensor.n_events,
        last: sensor.last,
        n_chatter_mins: sensor.n_chatter_mins,
        max_per_min: sensor.max_per_min,
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(n) => *n += 1,
        None => {
            counts.insert(name.into(), 1);
        }
    }
}
