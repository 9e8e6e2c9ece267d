//! Sensors that say too much, and sensors that fell silent.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// What is known of a sensor, by the zone that its events name.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorHealth {
    /// The site.
    pub site_id: String,
    /// The zone, or the sensor's own name where no map says its zone.
    pub zone: String,
    /// Its events.
    pub n_events: u64,
    /// Its last event.
    pub last: DateTime<Utc>,
    /// Minutes in which it said more than it should.
    pub n_chatter_mins: u64,
    /// Events in its busiest minute.
    pub max_per_min: u32,
}

/// A sensor silent for this many of its usual pauses has stopped.
const N_USUAL_PAUSES: f64 = 10.0;

/// Fewer events say nothing about what is usual.
const MIN_EVENTS: u64 = 10;

/// Sensors by site and zone.
#[derive(Debug, Default)]
pub(super) struct Sensors(BTreeMap<String, BTreeMap<String, SensorClock>>);

/// The times of a sensor.
#[derive(Debug)]
pub(super) struct SensorClock {
    pub(super) n_events: u64,
    pub(super) first: DateTime<Utc>,
    pub(super) last: DateTime<Utc>,
    pub(super) n_chatter_mins: u64,
    pub(super) max_per_min: u32,
    minute: i64,
    n_in_minute: u32,
}

impl Sensors {
    pub(super) fn observe(&mut self, site_id: &str, zone: &str, time: DateTime<Utc>, chatter_per_min: u32) {
        if let Some(sensor) = self.0.get_mut(site_id).and_then(|zones| zones.get_mut(zone)) {
            sensor.observe(time, chatter_per_min);
            return;
        }
        let mut sensor = SensorClock {
            n_events: 0,
            first: time,
            last: time,
            n_chatter_mins: 0,
            max_per_min: 0,
            minute: i64::MIN,
            n_in_minute: 0,
        };
        sensor.observe(time, chatter_per_min);
        self.0.entry(site_id.into()).or_default().insert(zone.into(), sensor);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &SensorClock)> {
        self.0.iter().flat_map(|(site, zones)| zones.iter().map(move |(zone, sensor)| (&**site, &**zone, sensor)))
    }

    pub(super) fn knows(&self, site_id: &str, zone: &str) -> bool {
        self.0.get(site_id).is_some_and(|zones| zones.contains_key(zone))
    }
}

impl SensorClock {
    fn observe(&mut self, time: DateTime<Utc>, chatter_per_min: u32) {
        self.n_events += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        let minute = time.timestamp().div_euclid(60);
        if minute != self.minute {
            self.minute = minute;
            self.n_in_minute = 0;
        }
        self.n_in_minute += 1;
        self.max_per_min = self.max_per_min.max(self.n_in_minute);
        // Told once a minute: when the limit is first passed.
        self.n_chatter_mins += u64::from(self.n_in_minute == chatter_per_min + 1);
    }

    pub(super) fn is_dead(&self, end: DateTime<Utc>, dead_after_secs: f64) -> bool {
        let silence = (end - self.last).as_seconds_f64();
        let usual_pause = (self.last - self.first).as_seconds_f64() / (self.n_events.max(2) - 1) as f64;
        self.n_events >= MIN_EVENTS && silence > dead_after_secs && silence > N_USUAL_PAUSES * usual_pause
    }
}
