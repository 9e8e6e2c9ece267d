//! What real sensors and networks do to events: chatter, losses, duplicates, disorder, silences, drift and broken lines.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use spaxiom_event::{AttrValue, Event, EventId};

use crate::error::{SimError, first_broken};
use crate::ids::Ids;
use crate::random::Random;
use crate::simulation::{Day, Truth};
use crate::time::{DAY, MINUTE};

/// The constants that come with the project.
const BUILT_IN: &str = include_str!("../scenarios/noise.toml");

/// Values that a sensor measures and that can be off, those of one sensor alike; the greatest that makes sense, where there is one.
const MEASURED: [(&[&str], f64); 6] = [
    (&["duration_s"], f64::INFINITY),
    (&["intensity"], 1.0),
    (&["percent", "previous_percent"], 100.0),
    (&["speed_mps"], 10.0),
    (&["stability_score"], 1.0),
    (&["wait_time_s"], f64::INFINITY),
];

/// How much noise there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum NoiseLevel {
    /// Nothing is lost, late, duplicated or wrong
    #[default]
    Clean,
    /// As in public data: chatter, losses, duplicates, disorder, silences, drift, broken lines
    Real,
    /// As in a bad month
    Harsh,
}

impl NoiseLevel {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Real => "real",
            Self::Harsh => "harsh",
        }
    }
}

/// Constants of the noise; each is documented in `scenarios/noise.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct NoiseOptions {
    pub chattering_sensors: f64,
    pub chatter: f64,
    pub chatter_repeats: usize,
    pub chatter_secs: [f64; 2],
    pub lost: f64,
    pub malformed: f64,
    pub duplicates: f64,
    pub late: f64,
    pub late_secs: f64,
    pub late_most_secs: f64,
    pub outages_per_month: f64,
    pub outage_mins: [f64; 2],
    pub drift_per_month: f64,
}

/// The file of constants.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct NoiseFile {
    real: NoiseOptions,
    harsh: NoiseOptions,
}

impl NoiseOptions {
    /// The text of the constants that come with the project.
    #[must_use]
    pub fn built_in_text() -> &'static str {
        BUILT_IN
    }

    /// The constants of a level that come with the project; none for no noise.
    #[must_use]
    pub fn of(level: NoiseLevel) -> Option<Self> {
        let file: NoiseFile =
            toml::from_str(BUILT_IN).expect("the constants that come with the project are read by a test");
        match level {
            NoiseLevel::Clean => None,
            NoiseLevel::Real => Some(file.real),
            NoiseLevel::Harsh => Some(file.harsh),
        }
    }

    fn check(&self) -> Result<(), SimError> {
        let shares = [self.chattering_sensors, self.chatter, self.lost, self.malformed, self.duplicates, self.late];
        let ranges = [self.chatter_secs, self.outage_mins];
        first_broken(&[
            ("noise", "shares between 0 and 1", shares.iter().all(|share| (0.0..=1.0).contains(share))),
            ("noise", "ranges from above 0 to more", ranges.iter().all(|[from, to]| 0.0 < *from && from < to)),
            ("late-secs", "above 0", self.late_secs > 0.0),
            (
                "outages-per-month and drift-per-month",
                "0 or more",
                self.outages_per_month >= 0.0 && self.drift_per_month >= 0.0,
            ),
        ])
    }
}

/// An event as it arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// When it arrives; not before its time.
    pub arrival: DateTime<Utc>,
    /// The event.
    pub event: Event,
    /// Where its line breaks off, as a share of its length, or none for a line that can be read.
    pub broken_at: Option<f64>,
}

/// What arrives of one day of one site, and what remains true of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NoisyDay {
    /// In order of arrival.
    pub deliveries: Vec<Delivery>,
    /// Decisions and examples whose event came; causes and entities as they were.
    pub truth: Truth,
}

/// The noise of one site.
#[derive(Debug, Clone)]
pub struct Noise {
    options: Option<NoiseOptions>,
    seed: u64,
    start: DateTime<Utc>,
    random: Random,
    ids: Ids,
    /// The current or next silence.
    outage: (f64, f64),
    /// Logarithm of the error of each measured value after 30 days.
    drifts: [f64; MEASURED.len()],
    later: Vec<Delivery>,
}

impl Noise {
    /// Checks the constants; without any nothing is changed.
    ///
    /// # Errors
    /// [`SimError::Setting`] names the constant that is out of range.
    pub fn new(
        options: Option<NoiseOptions>,
        seed: u64,
        site_idx: u32,
        start: DateTime<Utc>,
    ) -> Result<Self, SimError> {
        options.as_ref().map_or(Ok(()), NoiseOptions::check)?;
        let mut random = Random::new(seed, site_idx, u32::MAX);
        let sd = options.as_ref().map_or(0.0, |options| options.drift_per_month);
        let drifts = MEASURED.map(|_| random.normal(0.0, sd));
        // Ids of copies are other ones than those of the site's events.
        let ids = Ids::new(seed ^ u64::from(u32::MAX), site_idx);
        let mut noise = Self { options, seed, start, random, ids, outage: (0.0, 0.0), drifts, later: Vec::new() };
        noise.plan_outage();
        Ok(noise)
    }

    fn plan_outage(&mut self) {
        let Some(options) = self.options.as_ref().filter(|options| options.outages_per_month > 0.0) else {
            self.outage = (f64::INFINITY, f64::INFINITY);
            return;
        };
        let start = self.outage.1 + self.random.exponential(30.0 * DAY / options.outages_per_month);
        self.outage = (start, start + self.random.within(options.outage_mins) * MINUTE);
    }

    /// What arrives of a day; days have to come in order.
    pub fn apply(&mut self, day: Day) -> NoisyDay {
        let Day { events, mut truth } = day;
        let Some(options) = self.options.clone() else {
            let whole = |event: Event| Delivery { arrival: event.time, event, broken_at: None };
            return NoisyDay { deliveries: events.into_iter().map(whole).collect(), truth };
        };
        let end = events.last().map(|event| event.time);
        let mut deliveries = std::mem::take(&mut self.later);
        let mut gone: BTreeSet<EventId> = BTreeSet::new();
        for event in events {
            let id = event.id.clone();
            let came = self.deliver(&options, event, &mut deliveries);
            if !came {
                gone.insert(id);
            }
        }
        deliveries.sort_by(|a, b| (a.arrival, &a.event.id).cmp(&(b.arrival, &b.event.id)));
        let n_due = end.map_or(deliveries.len(), |end| deliveries.partition_point(|delivery| delivery.arrival <= end));
        self.later = deliveries.split_off(n_due);
        truth.decisions.retain(|decision| !gone.contains(&decision.event_id));
        truth.relevance.retain(|record| !gone.contains(&record.event_id));
        NoisyDay { deliveries, truth }
    }

    /// What is still on its way when the simulation ends.
    pub fn finish(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.later)
    }

    /// Delivers an event, once, more often or never; gives whether it came in a line that can be read.
    fn deliver(&mut self, options: &NoiseOptions, mut event: Event, deliveries: &mut Vec<Delivery>) -> bool {
        let secs = (event.time - self.start).as_seconds_f64();
        while self.outage.1 < secs {
            self.plan_outage();
        }
        if self.outage.0 <= secs || self.random.chance(options.lost) {
            return false;
        }
        self.drift(secs, &mut event);
        if self.is_chattering(options, &event) && self.random.chance(options.chatter) {
            self.repeat(options, &event, deliveries);
        }
        let broken_at = self.random.chance(options.malformed).then(|| self.random.between(0.05, 0.95));
        let is_twice = broken_at.is_none() && self.random.chance(options.duplicates);
        for _ in 0..=usize::from(is_twice) {
            let arrival = self.arrival(options, event.time);
            deliveries.push(Delivery { arrival, event: event.clone(), broken_at });
        }
        broken_at.is_none()
    }

    fn arrival(&mut self, options: &NoiseOptions, time: DateTime<Utc>) -> DateTime<Utc> {
        if !self.random.chance(options.late) {
            return time;
        }
        time + millis(self.random.exponential(options.late_secs).min(options.late_most_secs))
    }

    /// Copies with ids of their own, as a bouncing contact sends them.
    fn repeat(&mut self, options: &NoiseOptions, event: &Event, deliveries: &mut Vec<Delivery>) {
        let mut time = event.time;
        for _ in 0..self.random.whole([1, options.chatter_repeats]) {
            time += millis(self.random.within(options.chatter_secs));
            let copy = Event { id: EventId::from(self.ids.next()), time, ..event.clone() };
            deliveries.push(Delivery { arrival: time, event: copy, broken_at: None });
        }
    }

    /// Whether the sensor of an event is one of those that chatter: always the same ones.
    fn is_chattering(&self, options: &NoiseOptions, event: &Event) -> bool {
        let zone = event.zone.as_ref().map_or("", |zone| zone.as_str());
        let sensor = [event.site_id.as_str(), event.kind.as_str(), zone];
        crate::ids::share_of(self.seed, &sensor) < options.chattering_sensors
    }

    fn drift(&self, secs: f64, event: &mut Event) {
        let months = secs / (30.0 * DAY);
        for ((names, most), drift) in MEASURED.iter().zip(self.drifts) {
            for name in *names {
                let Some(value) = event.attrs.number(name) else { continue };
                let off = (value * libm::exp(drift * months)).min(*most);
                event.attrs.insert(*name, AttrValue::Number(libm::round(off * 100.0) / 100.0));
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seconds to minutes")]
fn millis(secs: f64) -> TimeDelta {
    TimeDelta::milliseconds(libm::round(secs * 1000.0) as i64)
}
