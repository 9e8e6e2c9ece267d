//! The past of a site: what happened when, by type and zone, and the moments that are learned from.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeZone, Timelike};
use spaxiom_event::Event;
use spaxiom_token::Sites;

/// Types in zones at most that are told apart; all others are one.
const MAX_KINDS: usize = 48;

/// Fewer moments in a part say nothing.
pub(super) const MIN_MOMENTS: usize = 50;

const HOURS: f64 = 24.0;
const NS_PER_HOUR: f64 = 3.6e12;

/// Events whose kinds are features of a moment: a vector blurs which event was the very last.
const N_LAST: usize = 3;

/// Waves of a day in the features of a moment.
const N_WAVES: u8 = 3;

/// A type of event in a zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) kind: String,
    pub(super) zone: Option<String>,
}

impl Kind {
    fn of(event: &Event) -> Self {
        Self { kind: event.kind.to_string(), zone: event.zone.as_ref().map(ToString::to_string) }
    }
}

/// The events of a site up to now.
#[derive(Debug)]
pub(super) struct History {
    /// The most frequent first.
    pub(super) kinds: Vec<Kind>,
    /// Of every event; the number of kinds stands for all others.
    pub(super) ids: Vec<u32>,
    pub(super) times_ns: Vec<i64>,
    /// Hours of the day on the site's clock, 0 to 24.
    hours: Vec<f64>,
    horizon_ns: i64,
}

impl History {
    pub(super) fn new(events: &[Event], sites: &Sites, horizon_ns: i64) -> Self {
        let mut frequencies: BTreeMap<Kind, usize> = BTreeMap::new();
        for event in events {
            *frequencies.entry(Kind::of(event)).or_default() += 1;
        }
        let mut kinds: Vec<(Kind, usize)> = frequencies.into_iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kinds.truncate(MAX_KINDS);
        let kinds: Vec<Kind> = kinds.into_iter().map(|(kind, _)| kind).collect();
        let numbers: BTreeMap<&Kind, u32> = kinds.iter().zip(0..).collect();
        let other = u32::try_from(kinds.len()).expect("at most 48 kinds");
        let ids = events.iter().map(|event| numbers.get(&Kind::of(event)).copied().unwrap_or(other)).collect();
        let times_ns = events.iter().map(|event| event.time.timestamp_nanos_opt().unwrap_or(i64::MAX)).collect();
        let hours = events.iter().map(|event| hour(event, sites)).collect();
        Self { kinds, ids, times_ns, hours, horizon_ns }
    }

    /// What is counted: the kinds, and all others.
    pub(super) fn n_kinds(&self) -> usize {
        self.kinds.len() + 1
    }

    /// Events whose horizon has passed and after which another came, at most `limit`, evenly spread.
    pub(super) fn moments(&self, limit: usize) -> Vec<usize> {
        let end = self.times_ns.last().map_or(0, |last| last - self.horizon_ns);
        let n = self.times_ns.partition_point(|&time| time <= end).min(self.times_ns.len().saturating_sub(1));
        let limit = limit.min(n);
        (0..limit).map(|at| at * n / limit).collect()
    }

    /// How many of each kind come after an event until the horizon.
    pub(super) fn after(&self, event: usize) -> Vec<f32> {
        let end = self.times_ns[event] + self.horizon_ns;
        self.counted(event + 1..self.times_ns.partition_point(|&time| time <= end).max(event + 1))
    }

    /// How many of each kind came as long before it, itself included.
    pub(super) fn before(&self, event: usize) -> Vec<f32> {
        let start = self.times_ns[event] - self.horizon_ns;
        self.counted(self.times_ns.partition_point(|&time| time <= start).min(event)..event + 1)
    }

    fn counted(&self, events: std::ops::Range<usize>) -> Vec<f32> {
        let mut counts = vec![0.0; self.n_kinds()];
        self.ids[events].iter().for_each(|&id| counts[id as usize] += 1.0);
        counts
    }

    /// The hour of an event on the site's clock, 0 to 23.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 24")]
    pub(super) fn hour(&self, event: usize) -> usize {
        (self.hours[event] as usize).min(23)
    }

    /// Slow waves of the day at an event, for what depends on the hour smoothly.
    #[expect(clippy::cast_possible_truncation, reason = "sines")]
    pub(super) fn waves(&self, event: usize) -> impl Iterator<Item = f32> {
        let angle = self.hours[event] / HOURS * std::f64::consts::TAU;
        (1..=N_WAVES).flat_map(move |wave| {
            let (sin, cos) = (f64::from(wave) * angle).sin_cos();
            [sin as f32, cos as f32]
        })
    }

    /// What the last events up to an event were: ones among zeros, the latest first.
    pub(super) fn last_kinds(&self, event: usize) -> Vec<f32> {
        let mut ones = vec![0.0; N_LAST * self.n_kinds()];
        for (back, at) in (0..N_LAST).filter_map(|back| Some((back, event.checked_sub(back)?))) {
            ones[back * self.n_kinds() + self.ids[at] as usize] = 1.0;
        }
        ones
    }

    /// Stretches of time that are drawn as a whole for an interval: at least an hour, and twice the horizon.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of stretches")]
    pub(super) fn stretch(&self, event: usize) -> u64 {
        let first = self.times_ns[0];
        let length = NS_PER_HOUR.max(2.0 * self.horizon_ns as f64);
        ((self.times_ns[event] - first) as f64 / length) as u64
    }
}

fn hour(event: &Event, sites: &Sites) -> f64 {
    let of = |time: NaiveTime| f64::from(time.num_seconds_from_midnight()) / 3_600.0;
    match sites.time_zone(event.site_id.as_str()) {
        Some(clock) => of(clock.from_utc_datetime(&event.time.naive_utc()).time()),
        None => of(event.time.time()),
    }
}

/// The time of an event on the clock of its site, RFC 3339.
pub(super) fn local(event: &Event, sites: &Sites) -> String {
    let time: DateTime<_> = event.time;
    match sites.time_zone(event.site_id.as_str()) {
        Some(clock) => clock.from_utc_datetime(&time.naive_utc()).to_rfc3339(),
        None => time.to_rfc3339(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone, Utc};
    use spaxiom_event::Event;
    use spaxiom_token::Sites;

    use super::History;

    /// At minutes 0, 10, 20, 30, 90: A, B, A, A, B; a horizon of 20 minutes.
    fn history() -> History {
        let start = Utc.with_ymd_and_hms(2026, 3, 1, 7, 30, 0).unwrap();
        let event = |(minutes, kind): (i64, &str)| Event::new(kind, "s", start + TimeDelta::minutes(minutes));
        let events: Vec<Event> = [(0, "A"), (10, "B"), (20, "A"), (30, "A"), (90, "B")].map(event).into();
        History::new(&events, &Sites::default(), 20 * 60 * 1_000_000_000)
    }

    #[test]
    fn counts_reach_from_an_event_to_the_horizon() {
        let history = history();
        assert_eq!(history.kinds.iter().map(|kind| kind.kind.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(history.after(0), [1.0, 1.0, 0.0]);
        assert_eq!(history.after(3), [0.0; 3]);
        // The event itself counts, one as long ago as the horizon does not.
        assert_eq!(history.before(2), [1.0, 1.0, 0.0]);
        assert_eq!(history.before(0), [1.0, 0.0, 0.0]);
        assert_eq!((history.hour(0), history.hour(4)), (7, 9));
    }

    #[test]
    fn only_moments_whose_horizon_has_passed_are_learned_from() {
        assert_eq!(history().moments(10), [0, 1, 2, 3]);
        assert_eq!(history().moments(2), [0, 2]);
    }
}
