//! What a text may say of an event.

use std::collections::BTreeMap;

use chrono::{Datelike, TimeZone, Timelike, Weekday};
use spaxiom_event::{AttrValue, Event};
use spaxiom_token::Sites;

/// What a text may say of an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    pub(super) site: String,
    pub(super) kind: String,
    pub(super) zone: Option<String>,
    /// What the zone is for.
    pub(super) zone_kind: Option<String>,
    /// Of the day, on the site's clock.
    pub(super) minute: u32,
    pub(super) weekday: Weekday,
    pub(super) numbers: BTreeMap<String, f64>,
    /// What was really going on, where a label tells it.
    pub(super) cause: Option<String>,
}

impl Facts {
    pub(super) fn of(event: &Event, sites: &Sites, kinds: &BTreeMap<&str, &str>, cause: Option<&str>) -> Self {
        let time = event.time.naive_utc();
        let local = sites.time_zone(event.site_id.as_str()).map(|clock| clock.from_utc_datetime(&time).naive_local());
        let local = local.unwrap_or(time);
        let number = |(name, value): (&str, &AttrValue)| match value {
            AttrValue::Number(number) => Some((name.to_owned(), *number)),
            _ => None,
        };
        let zone = event.zone.as_ref().map(ToString::to_string);
        Self {
            site: event.site_id.to_string(),
            kind: event.kind.to_string(),
            zone_kind: zone.as_deref().and_then(|zone| kinds.get(zone)).map(ToString::to_string),
            zone,
            minute: local.num_seconds_from_midnight() / 60,
            weekday: local.weekday(),
            numbers: event.attrs.iter().filter_map(number).collect(),
            cause: cause.map(str::to_owned),
        }
    }
}
