//! Findings in words: what is odd, how often, and what to do about it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::alike::Escaped;
use super::options::{DoctorOptions, human};
use super::sensor::SensorHealth;
use crate::registry::AttrSpec;

/// Names that a message lists; all are counted.
const N_LISTED: usize = 8;

/// Something odd about a stream of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What, as one word for scripts: `duplicates`, `dead-sensor`.
    pub kind: &'static str,
    /// How often.
    pub count: u64,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub advice: String,
}

impl Finding {
    fn new(kind: &'static str, count: u64, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind, count, detail: detail.into(), advice: advice.into() }
    }

    pub(super) fn duplicates(n: u64) -> Self {
        let advice = "`convert` drops them; give events ids of their own if they are different events";
        Self::new("duplicates", n, format!("{n} events with the site and id of an earlier one"), advice)
    }

    pub(super) fn out_of_order(n: u64) -> Self {
        let detail = format!("{n} events are older than one before them from the same site");
        Self::new("out-of-order", n, detail, "nothing for files, which are sorted; a stream needs `--allowed-lateness`")
    }

    pub(super) fn late(n: u64, secs: f64) -> Self {
        let detail = format!("{n} events came more than {} late", human(secs));
        Self::new("late", n, detail, "allow more lateness, or find out which gateway holds events back")
    }

    pub(super) fn clock_jumps(n: u64, secs: f64) -> Self {
        let detail = format!("the clock of a site went back by more than {} {n} times", human(secs));
        Self::new(
            "clock-jump",
            n,
            detail,
            "check time zone, daylight saving and NTP of the source; times in UTC do not jump",
        )
    }

    pub(super) fn gaps(n: u64, secs: f64, named: &[String]) -> Self {
        let detail = format!("{n} silences of more than {}: {}", human(secs), listed(named, n));
        Self::new(
            "gap",
            n,
            detail,
            "an outage, or an empty building: leave such days out of training if it was an outage",
        )
    }

    pub(super) fn unknown_types(counts: &BTreeMap<String, u64>) -> Self {
        let n = counts.values().sum();
        let detail = format!("{n} events of {} undeclared types: {}", counts.len(), counted(counts));
        Self::new(
            "unknown-type",
            n,
            detail,
            "they are kept; declare them in a registry (`--registry FILE`) to have units and ranges checked",
        )
    }

    pub(super) fn unknown_attributes(counts: &BTreeMap<String, u64>) -> Self {
        let n = counts.values().sum();
        let detail = format!("{n} values of {} undeclared attributes: {}", counts.len(), counted(counts));
        Self::new(
            "unknown-attribute",
            n,
            detail,
            "they are kept; declare them in a registry to have units and ranges checked",
        )
    }

    pub(super) fn out_of_range(name: &str, n: u64, (min, max): (f64, f64), declared: Option<&AttrSpec>) -> Self {
        let bound = |bound: Option<f64>| bound.map_or("any".to_owned(), |bound| bound.to_string());
        let (low, high) = (bound(declared.and_then(|spec| spec.min)), bound(declared.and_then(|spec| spec.max)));
        let detail = format!("{n} values of `{name}` between {min} and {max}, wanted {low} to {high}");
        Self::new(
            "out-of-range",
            n,
            detail,
            "the values are kept; correct the unit at the source, or the range in a registry",
        )
    }

    pub(super) fn chatters(sensor: &SensorHealth, options: &DoctorOptions) -> Self {
        let SensorHealth { site_id, zone, n_chatter_mins, max_per_min, .. } = sensor;
        let limit = options.chatter_per_min;
        let detail = format!(
            "`{zone}` of site `{site_id}` sent more than {limit} events in {n_chatter_mins} minutes, {max_per_min} in the worst"
        );
        Self::new("chattering-sensor", *n_chatter_mins, detail, "debounce it at the gateway, or replace it")
    }

    pub(super) fn dead(sensor: &SensorHealth) -> Self {
        let SensorHealth { site_id, zone, n_events, last, .. } = sensor;
        let detail = format!("`{zone}` of site `{site_id}` is silent since {last}, after {n_events} events");
        Self::new("dead-sensor", 1, detail, "check battery and connection; models take the silence for an empty place")
    }

    pub(super) fn alike(what: &str, names: &[(&str, u64)]) -> Self {
        let spelled: Vec<String> =
            names.iter().map(|(name, n)| format!("\"{}\" {n}", name.escape_unicode_marks())).collect();
        let detail = format!("{} {what}s look alike: {}", names.len(), spelled.join(", "));
        Self::new(
            "alike-names",
            names.len() as u64,
            detail,
            "they are kept apart; give one thing one name at the source",
        )
    }

    pub(super) fn never_heard(site_id: &str, sensor: &str) -> Self {
        let detail = format!("`{sensor}` of site `{site_id}` is on the map and never sent an event");
        Self::new("silent-sensor", 1, detail, "check that it is connected, or correct its name in the site map")
    }
}

fn counted(counts: &BTreeMap<String, u64>) -> String {
    let mut most: Vec<(&String, &u64)> = counts.iter().collect();
    most.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), *name));
    let names: Vec<String> = most.iter().take(N_LISTED).map(|(name, n)| format!("`{name}` {n}")).collect();
    listed(&names, counts.len() as u64)
}

fn listed(names: &[String], n_all: u64) -> String {
    let mut text = names.iter().take(N_LISTED).cloned().collect::<Vec<_>>().join(", ");
    if n_all > N_LISTED as u64 {
        text.push_str(", ...");
    }
    text
}
