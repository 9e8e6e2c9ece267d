//! What a reader knows beside the lines: the registry, the site, its map, and the key for subjects.

use std::sync::OnceLock;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::error::LineError;
use crate::event::Event;
use crate::ids::{EntityId, SiteId};
use crate::pseudonym::Pseudonymizer;
use crate::registry::Registry;
use crate::site_map::SiteMap;

/// The site of events that name none.
const DEFAULT_SITE: &str = "default";

/// Completes and checks the events of a source: registry, site map, time zone and pseudonyms of [`ReadOptions`](crate::ReadOptions).
#[derive(Debug, Clone)]
pub struct Normalizer {
    pub(crate) registry: Registry,
    pub(crate) site_id: SiteId,
    pub(crate) time_zone: Option<Tz>,
    pub(crate) site_map: SiteMap,
    pub(crate) pseudonymizer: Option<Pseudonymizer>,
}

impl Default for Normalizer {
    fn default() -> Self {
        Self {
            registry: Registry::built_in().clone(),
            site_id: DEFAULT_SITE.into(),
            time_zone: None,
            site_map: SiteMap::default(),
            pseudonymizer: None,
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

    /// The instant of a time on the wall of the site.
    ///
    /// Where clocks go back an hour, the first of the two instants is meant.
    pub(crate) fn wall_time(&self, site_id: &str, wall: NaiveDateTime) -> Result<DateTime<Utc>, LineError> {
        let of_site = self.site_map.get(site_id).and_then(|site| site.time_zone);
        let Some(zone) = of_site.or(self.time_zone) else { return Ok(wall.and_utc()) };
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Ok(time.to_utc()),
            LocalResult::None => Err(LineError::NoSuchWallTime { wall, zone }),
        }
    }
}
