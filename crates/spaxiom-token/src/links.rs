//! Edges between the events of a sequence: where, when and why.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use spaxiom_event::{Event, EventId, ZoneId};

use crate::clock::secs_between;
use crate::error::TokenError;
use crate::sites::SiteContext;

/// Why two events are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeType {
    /// They lie in the same zone, or in zones next to each other.
    Spatial,
    /// Little time lies between them.
    Temporal,
    /// The earlier one is among the causes that the later one names.
    Causal,
}

impl EdgeType {
    /// All types, in the order of the relations of a graph encoder.
    pub const ALL: [Self; 3] = [Self::Spatial, Self::Temporal, Self::Causal];
}

/// Joins an earlier position of a window to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The earlier one, counted from the start of the window.
    pub from: usize,
    /// The later one.
    pub to: usize,
    /// Why they are joined.
    pub kind: EdgeType,
}

/// Which events are joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LinkOptions {
    /// Seconds up to which two events are joined by time; 30 as in the seed.
    pub within_secs: f64,
    /// Earlier events to which one event is joined, the latest first, for each type of edge; 8.
    pub max_degree: usize,
    /// How many events back the earlier one may lie; 128.
    pub look_back: usize,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self { within_secs: 30.0, max_degree: 8, look_back: 128 }
    }
}

impl LinkOptions {
    /// Numbers of a row: distances to earlier rows, by type of edge.
    pub(crate) fn width(&self) -> usize {
        EdgeType::ALL.len() * self.max_degree
    }

    pub(crate) fn check(&self) -> Result<(), TokenError> {
        let setting = |name, want, got: String| Err(TokenError::Setting { name, want, got });
        if !(self.within_secs >= 0.0 && self.within_secs.is_finite()) {
            return setting("within-secs", "0 or more", self.within_secs.to_string());
        }
        if !(1..=64).contains(&self.max_degree) {
            return setting("max-degree", "from 1 to 64", self.max_degree.to_string());
        }
        if !(1..=4096).contains(&self.look_back) {
            return setting("look-back", "from 1 to 4096", self.look_back.to_string());
        }
        Ok(())
    }
}

/// The last events of a sequence, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<Known>);

/// What an edge needs to know of an earlier event.
#[derive(Debug)]
struct Known {
    nanos: i64,
    zone: Option<ZoneId>,
    id: EventId,
}

impl Recent {
    /// Fills in the distances from an event to the earlier ones that it is joined to, and remembers it; 0 stands for none.
    pub(crate) fn link(
        &mut self,
        options: &LinkOptions,
        event: &Event,
        nanos: i64,
        site: Option<&SiteContext>,
        distances: &mut [u16],
    ) {
        let mut n = [0; EdgeType::ALL.len()];
        let mut join = |kind: EdgeType, distance: usize| {
            let n = &mut n[kind as usize];
            if *n < options.max_degree {
                distances[kind as usize * options.max_degree + *n] =
                    u16::try_from(distance).expect("events are looked for 4096 back at most");
                *n += 1;
            }
        };
        for (before, known) in self.0.iter().enumerate() {
            let distance = before + 1;
            if are_near(site, event.zone.as_ref(), known.zone.as_ref()) {
                join(EdgeType::Spatial, distance);
            }
            if secs_between(known.nanos, nanos) <= options.within_secs {
                join(EdgeType::Temporal, distance);
            }
            if event.caused_by.contains(&known.id) {
                join(EdgeType::Causal, distance);
            }
        }
        self.0.truncate(options.look_back - 1);
        self.0.push_front(Known { nanos, zone: event.zone.clone(), id: event.id.clone() });
    }
}

/// Whether two zones are one, or neighbors on the site map.
fn are_near(site: Option<&SiteContext>, zone: Option<&ZoneId>, other: Option<&ZoneId>) -> bool {
    let (Some(zone), Some(other)) = (zone, other) else { return false };
    zone == other
        || site
            .and_then(|site| site.zone(zone.as_str()))
            .is_some_and(|context| context.neighbors.contains(other.as_str()))
}
