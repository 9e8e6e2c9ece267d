//! Sequences: the events of one site in order, from which contexts are cut.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::ids::SiteId;

/// Events of one site in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSequence {
    site_id: SiteId,
    events: Vec<Event>,
}

impl EventSequence {
    /// The site.
    #[must_use]
    pub fn site_id(&self) -> &SiteId {
        &self.site_id
    }

    /// The events, in order of time.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Only the events that `keep` wants, still in order.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Event) -> bool) -> Self {
        let events = self.events.iter().filter(|event| keep(event)).cloned().collect();
        Self { site_id: self.site_id.clone(), events }
    }
}

/// One sequence per site, sites in order of their ids, events in order of time (stable for equal times).
#[must_use]
pub fn group_by_site(events: impl IntoIterator<Item = Event>) -> Vec<EventSequence> {
    let mut sites: BTreeMap<SiteId, Vec<Event>> = BTreeMap::new();
    for event in events {
        sites.entry(event.site_id.clone()).or_default().push(event);
    }
    sites
        .into_iter()
        .map(|(site_id, mut events)| {
            events.sort_by_key(|event| event.time);
            EventSequence { site_id, events }
        })
        .collect()
}
