//! What a reader knows beside the lines: the registry, the site, its map, and the key for subjects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::error::LineError;
use crate::event::Event;
use crate::ids::{EntityId, SiteId};
use crate::pseudonym::Pseudonymizer;
use crate::registry::Registry;
use crate::site_map::SiteMap;

/// The site of events that name none.
const DEFAULT_SITE: &str = "default";

/// Lines of a file may be this much out of order before the second hour of an autumn night is told by it.
const ALLOWED_DISORDER: TimeDelta = TimeDelta::minutes(1);

/// Completes and checks the events of a source: registry, site map, time zone and pseudonyms of [`ReadOptions`](crate::ReadOptions).
#[derive(Debug, Clone)]
pub struct Normalizer {
    pub(crate) registry: Registry,
    pub(crate) site_id: SiteId,
    pub(crate) time_zone: Option<Tz>,
    pub(crate) site_map: SiteMap,
    pub(crate) pseudonymizer: Option<Pseudonymizer>,
    /// The last time of each site that was read off a wall.
    pub(crate) walls: Arc<Mutex<BTreeMap<String, DateTime<Utc>>>>,
}

impl Default for Normalizer {
    fn default() -> Self {
        Self {
            registry: Registry::built_in().clone(),
            site_id: DEFAULT_SITE.into(),
            time_zone: None,
            site_map: SiteMap::default(),
            pseudonymizer: None,
            walls: Arc::default(),
        }
    }
}

impl Normalizer {
    /// What reads a single event without any setting.
    pub(crate) fn built_in() -> &'static Self {
        static NORMALIZER: OnceLock<Normalizer> = OnceLock::new();
        NORMALIZER.get_or_init(Self::default)
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The site of events that name none.
    pub(crate) fn site_id(&self) -> &str {
        self.site_id.as_str()
    }

    pub(crate) fn entity_id(&self, id: &str) -> EntityId {
        self.pseudonymizer.as_ref().map_or_else(|| id.into(), |key| key.pseudonym(id))
    }

    /// Gives an event the place of its sensor, and the zone in which it lies.
    pub(crate) fn place(&self, event: &mut Event, sensor: Option<&str>) {
        match self.site_map.get(event.site_id.as_str()) {
            Some(site) => site.place(event, sensor),
            // Without a map a sensor is the best name that its place has.
            None => event.zone = event.zone.take().or_else(|| sensor.map(Into::into)),
        }
    }

    /// Whether any site has clocks of its own.
    pub(crate) fn has_zone(&self) -> bool {
        self.time_zone.is_some() || self.site_map.site_ids().any(|site| self.zone(site).is_some())
    }

    /// The time zone of a site.
    pub(crate) fn zone(&self, site_id: &str) -> Option<Tz> {
        self.site_map.get(site_id).and_then(|site| site.time_zone).or(self.time_zone)
    }

    /// The instant of a time on the wall of the site, or UTC where nobody says its zone.
    ///
    /// Where clocks go back an hour, the first of the two instants is meant, unless a later one was read before.
    pub(crate) fn wall_time(&self, site_id: &str, wall: NaiveDateTime) -> Result<DateTime<Utc>, LineError> {
        let Some(zone) = self.zone(site_id) else { return Ok(wall.and_utc()) };
        let local = zone.from_local_datetime(&wall);
        let mut walls = self.walls.lock().unwrap_or_else(PoisonError::into_inner);
        let last = walls.get(site_id).copied();
        let time = match local {
            LocalResult::Single(time) => time.to_utc(),
            LocalResult::Ambiguous(first, second) => {
                let is_second = last.is_some_and(|last| last > first.to_utc() + ALLOWED_DISORDER);
                if is_second { second.to_utc() } else { first.to_utc() }
            }
            LocalResult::None => return Err(LineError::NoSuchWallTime { wall, zone }),
        };
        match walls.get_mut(site_id) {
            Some(last) => *last = time,
            None => drop(walls.insert(site_id.to_owned(), time)),
        }
        Ok(time)
    }
}
