//! The site map: zones with their shapes and neighbors, and where the sensors are.

use std::collections::BTreeMap;
use std::path::Path;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::error::EventError;
use crate::event::{Event, Position};
use crate::ids::ZoneId;

/// What is known of the buildings that events come from, by their ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SiteMap {
    sites: BTreeMap<String, Site>,
}

/// One building: its zones, its sensors and its time zone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Site {
    /// The zone of its clocks, for sources that write local times.
    pub time_zone: Option<Tz>,
    zones: BTreeMap<String, Zone>,
    sensors: BTreeMap<String, Sensor>,
}

/// A zone of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Zone {
    /// What it is for: `bed`, `bathroom`, `hall`, `dock`.
    pub kind: String,
    /// The floor it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<String>,
    /// The zone around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Zones that can be reached from it in one step; `neighbors` or `neighbours` in files.
    #[serde(default, rename = "neighbours", alias = "neighbors", skip_serializing_if = "Vec::is_empty")]
    pub neighbors: Vec<String>,
    /// Its outline in meters of the site's frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
}

/// The outline of a zone, in meters of the site's frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Shape {
    /// From the corner with the smallest coordinates on; its far edges belong to its neighbors.
    Rectangle {
        /// Smallest first coordinate.
        x: f64,
        /// Smallest second coordinate.
        y: f64,
        /// Meters along the first axis.
        width: f64,
        /// Meters along the second axis.
        height: f64,
    },
    /// Its edge belongs to it.
    Circle {
        /// First coordinate of the center.
        x: f64,
        /// Second coordinate of the center.
        y: f64,
        /// Meters.
        radius: f64,
    },
    /// Corners in order; the last is joined to the first.
    Polygon {
        /// At least three.
        points: Vec<[f64; 2]>,
    },
}

/// Where a sensor is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sensor {
    /// The zone that it watches.
    pub zone: Option<String>,
    /// Meters along the first axis.
    pub x: Option<f64>,
    /// Meters along the second axis.
    pub y: Option<f64>,
    /// Meters above the floor.
    pub z: Option<f64>,
}

/// The file as it is written by hand.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SiteMapFile {
    /// The format of this file; 1.
    format: u32,
    sites: BTreeMap<String, SiteFile>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SiteFile {
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    #[serde(default)]
    zones: BTreeMap<String, Zone>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sensors: BTreeMap<String, Sensor>,
}

impl SiteMap {
    /// Reads a site map (TOML).
    ///
    /// # Errors
    /// [`EventError::Settings`] says which member is wrong: an unknown zone, a shape without extent, a sensor with half a place.
    pub fn load(path: &Path) -> Result<Self, EventError> {
        let text = fs_err::read_to_string(path)?;
        Self::parse(&text).map_err(|source| EventError::Settings { path: path.to_owned(), source })
    }

    /// Reads a site map from its text.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let SiteMapFile { format, sites } = toml::from_str(text)?;
        if format != 1 {
            return Err(wrong(format_args!("`format`: wanted 1, got {format}")));
        }
        let checked = sites.into_iter().map(|(id, site)| Ok((id.clone(), site.check(&id)?)));
        Ok(Self { sites: checked.collect::<Result<_, _>>()? })
    }

    /// A map of sites whose clocks show UTC, from their zones.
    ///
    /// # Errors
    /// As for a map that is read: a zone that names no zone of its site, or a shape without extent.
    pub fn from_zones(sites: impl IntoIterator<Item = (String, Vec<(String, Zone)>)>) -> Result<Self, toml::de::Error> {
        let checked = sites.into_iter().map(|(id, zones)| {
            let file = SiteFile { time_zone: None, zones: zones.into_iter().collect(), sensors: BTreeMap::new() };
            let site = file.check(&id)?;
            Ok((id, site))
        });
        Ok(Self { sites: checked.collect::<Result<_, _>>()? })
    }

    /// The map as it is read again.
    ///
    /// # Panics
    /// Never: names, numbers and lists can all be written as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let file = |site: &Site| SiteFile {
            time_zone: site.time_zone.map(|zone| zone.name().to_owned()),
            zones: site.zones.clone(),
            sensors: site.sensors.clone(),
        };
        let sites = self.sites.iter().map(|(id, site)| (id.clone(), file(site))).collect();
        toml::to_string(&SiteMapFile { format: 1, sites }).expect("names, numbers and lists")
    }

    /// A site by its id.
    #[must_use]
    pub fn get(&self, site_id: &str) -> Option<&Site> {
        self.sites.get(site_id)
    }

    /// The ids of its sites in order.
    pub fn site_ids(&self) -> impl Iterator<Item = &str> {
        self.sites.keys().map(String::as_str)
    }
}

impl SiteFile {
    fn check(self, id: &str) -> Result<Site, toml::de::Error> {
        let Self { time_zone, zones, sensors } = self;
        let time_zone = time_zone
            .map(|name| {
                name.parse::<Tz>().map_err(|_| {
                    wrong(format_args!("site `{id}`: `{name}` is no time zone; wanted one like `Europe/Berlin`"))
                })
            })
            .transpose()?;
        for (name, zone) in &zones {
            check_zone(id, name, zone, &zones)?;
        }
        for (name, sensor) in &sensors {
            if let Some(zone) = sensor.zone.as_ref().filter(|zone| !zones.contains_key(*zone)) {
                return Err(wrong(format_args!("site `{id}`: sensor `{name}` is in `{zone}`, which is no zone of it")));
            }
            if sensor.x.is_some() != sensor.y.is_some() {
                return Err(wrong(format_args!("site `{id}`: sensor `{name}` needs both `x` and `y`, or neither")));
            }
        }
        Ok(Site { time_zone, zones, sensors })
    }
}

fn check_zone(site: &str, name: &str, zone: &Zone, zones: &BTreeMap<String, Zone>) -> Result<(), toml::de::Error> {
    let Zone { kind: _, floor: _, within, neighbors, shape } = zone;
    if let Some(unknown) = neighbors.iter().chain(within).find(|other| !zones.contains_key(*other)) {
        return Err(wrong(format_args!("site `{site}`: zone `{name}` names `{unknown}`, which is no zone of it")));
    }
    if shape.as_ref().is_some_and(|shape| !shape.has_extent()) {
        return Err(wrong(format_args!("site `{site}`: the shape of zone `{name}` has no extent")));
    }
    let mut outer = within.as_ref();
    for _ in 0..zones.len() {
        let Some(next) = outer else { return Ok(()) };
        outer = zones[next].within.as_ref();
    }
    match outer {
        None => Ok(()),
        Some(_) => Err(wrong(format_args!("site `{site}`: zone `{name}` is within itself"))),
    }
}

fn wrong(message: std::fmt::Arguments<'_>) -> toml::de::Error {
    serde::de::Error::custom(message)
}

impl Site {
    /// A zone by its id.
    #[must_use]
    pub fn zone(&self, zone: &str) -> Option<&Zone> {
        self.zones.get(zone)
    }

    /// The zones in order of their ids.
    pub fn zones(&self) -> impl Iterator<Item = (&str, &Zone)> {
        self.zones.iter().map(|(id, zone)| (id.as_str(), zone))
    }

    /// The sensors in order of their names.
    pub fn sensors(&self) -> impl Iterator<Item = (&str, &Sensor)> {
        self.sensors.iter().map(|(name, sensor)| (name.as_str(), sensor))
    }

    /// The smallest zone that holds a point.
    #[must_use]
    pub fn zone_at(&self, x: f64, y: f64) -> Option<&str> {
        let holding = self.zones.iter().filter_map(|(id, zone)| Some((id, zone.shape.as_ref()?)));
        let holding = holding.filter(|(_, shape)| shape.contains(x, y));
        holding.min_by(|(_, a), (_, b)| a.area().total_cmp(&b.area())).map(|(id, _)| id.as_str())
    }

    /// The zone graph: pairs of neighbors, each once and in order.
    ///
    /// A neighborhood that one of the two declares holds for both.
    #[must_use]
    pub fn zone_graph(&self) -> Vec<(&str, &str)> {
        let declared = self.zones.iter().flat_map(|(id, zone)| {
            zone.neighbors.iter().map(move |other| if id <= other { (&**id, &**other) } else { (&**other, &**id) })
        });
        let mut pairs: Vec<(&str, &str)> = declared.collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The zones around a zone, the widest first.
    #[must_use]
    pub fn path_to(&self, zone: &str) -> Vec<ZoneId> {
        let mut path = Vec::new();
        let mut outer = self.zones.get(zone).and_then(|zone| zone.within.as_deref());
        while let Some(next) = outer {
            path.push(ZoneId::from(next));
            outer = self.zones.get(next).and_then(|zone| zone.within.as_deref());
        }
        path.reverse();
        path
    }

    /// Fills in what the event does not say itself: place from its sensor, zone from sensor or place, path from zone.
    pub(crate) fn place(&self, event: &mut Event, sensor: Option<&str>) {
        let known = sensor.and_then(|sensor| self.sensors.get(sensor));
        if let Some(&Sensor { x: Some(x), y: Some(y), z, .. }) = known.filter(|_| event.position.is_none()) {
            event.position = Some(Position { x, y, z });
        }
        if event.zone.is_none() {
            let of_sensor = known.and_then(|sensor| sensor.zone.as_deref());
            let of_place = || event.position.and_then(|at| self.zone_at(at.x, at.y));
            // A sensor that the map does not know is still the best name that its place has.
            event.zone = of_sensor.or_else(of_place).or(sensor).map(ZoneId::from);
        }
        if let Some(zone) = event.zone.as_ref().filter(|_| event.zone_path.is_empty()) {
            event.zone_path = self.path_to(zone.as_str());
        }
    }
}

impl Shape {
    /// Whether the point is in it.
    #[must_use]
    pub fn contains(&self, x: f64, y: f64) -> bool {
        match self {
            Self::Rectangle { x: left, y: low, width, height } => {
                (*left..left + width).contains(&x) && (*low..low + height).contains(&y)
            }
            Self::Circle { x: at_x, y: at_y, radius } => (x - at_x).hypot(y - at_y) <= *radius,
            Self::Polygon { points } => is_inside(points, x, y),
        }
    }

    /// Square meters.
    #[must_use]
    pub fn area(&self) -> f64 {
        match self {
            Self::Rectangle { width, height, .. } => width * height,
            Self::Circle { radius, .. } => std::f64::consts::PI * radius * radius,
            Self::Polygon { points } => {
                let twice: f64 = edges(points).map(|([x1, y1], [x2, y2])| x1 * y2 - x2 * y1).sum();
                twice.abs() / 2.0
            }
        }
    }

    fn has_extent(&self) -> bool {
        let is_positive = match self {
            Self::Rectangle { width, height, .. } => *width > 0.0 && *height > 0.0,
            Self::Circle { radius, .. } => *radius > 0.0,
            Self::Polygon { points } => points.len() >= 3,
        };
        let area = self.area();
        is_positive && area.is_finite() && area > 0.0
    }
}

fn edges(points: &[[f64; 2]]) -> impl Iterator<Item = ([f64; 2], [f64; 2])> {
    points.iter().zip(points.iter().cycle().skip(1)).map(|(from, to)| (*from, *to))
}

/// Counts how often a ray to the right crosses the outline (even-odd rule).
fn is_inside(points: &[[f64; 2]], x: f64, y: f64) -> bool {
    let crosses =
        |([x1, y1], [x2, y2]): ([f64; 2], [f64; 2])| (y1 > y) != (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1;
    edges(points).filter(|edge| crosses(*edge)).count() % 2 == 1
}
