//! What the sensors of a room report of a walk, a visit or a spill.

use chrono::{DateTime, Utc};
use spaxiom_event::{AttrValue, EntityId, Event, EventId, Position, SiteId, ZoneId};

use super::building::{Room, Spot, Ward};
use crate::ids::Ids;
use crate::time::instant;

/// Collects the events of a room.
pub(super) struct Reports<'a> {
    pub(super) site_id: &'a SiteId,
    pub(super) start: DateTime<Utc>,
    /// Seconds by which the site's clock is fast.
    pub(super) clock_secs: f64,
    /// The kind of event that this site has no sensor for.
    pub(super) lacks: Option<&'static str>,
    pub(super) room: &'a Room,
    pub(super) ward: &'a Ward,
    pub(super) ids: &'a mut Ids,
    pub(super) events: &'a mut Vec<Event>,
}

/// An event that was reported.
pub(super) struct Reported {
    pub(super) id: EventId,
    pub(super) kind: &'static str,
    pub(super) time: DateTime<Utc>,
}

impl Reports<'_> {
    /// The instant that the site's clock shows.
    pub(super) fn instant(&self, secs: f64) -> DateTime<Utc> {
        instant(self.start, secs + self.clock_secs)
    }

    /// Reports something at a point of a spot of the room (see [`Room::point`]); nothing where the sensor is missing.
    pub(super) fn push(
        &mut self,
        kind: &'static str,
        secs: f64,
        (spot, at): (Spot, [f64; 2]),
        entity: Option<&EntityId>,
        attrs: &[(&'static str, AttrValue)],
    ) -> Option<Reported> {
        let (zone, position) = (self.room.zone(spot).clone(), self.room.point(spot, at));
        let path = self.room.path.clone();
        self.put(kind, secs, (zone, path, position), entity, attrs)
    }

    /// Reports something in the hall of the ward, so far along it.
    pub(super) fn push_hall(&mut self, kind: &'static str, secs: f64, along: f64, entity: Option<&EntityId>) {
        let place = (self.ward.hall.clone(), vec![self.ward.id.clone()], self.ward.point(along));
        self.put(kind, secs, place, entity, &[]);
    }

    fn put(
        &mut self,
        kind: &'static str,
        secs: f64,
        (zone, zone_path, position): (ZoneId, Vec<ZoneId>, Position),
        entity: Option<&EntityId>,
        attrs: &[(&'static str, AttrValue)],
    ) -> Option<Reported> {
        if self.lacks == Some(kind) || secs < 0.0 {
            return None;
        }
        let time = self.instant(secs);
        let mut event = Event::new(kind, self.site_id.clone(), time);
        event.id = EventId::from(self.ids.next());
        event.zone = Some(zone);
        event.zone_path = zone_path;
        event.position = Some(position);
        event.entity_id = entity.cloned();
        event.attrs = attrs.iter().map(|(name, value)| (*name, value.clone())).collect();
        let reported = Reported { id: event.id.clone(), kind, time };
        self.events.push(event);
        Some(reported)
    }
}
