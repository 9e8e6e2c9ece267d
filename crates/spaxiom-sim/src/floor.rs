//! What sensors of a hall report: counters with hysteresis, and events at places.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use spaxiom_event::{AttrValue, Event, EventId, Position, SiteId};

use crate::ids::Ids;
use crate::time::instant;

/// A number of people or vehicles that changes; changes may be announced ahead of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counter {
    ahead: Vec<(f64, i32)>,
    count: i32,
}

impl Counter {
    pub(crate) fn change(&mut self, time: f64, by: i32) {
        self.ahead.push((time, by));
    }

    /// The number after each change before `end`, in order; every such change has to be announced by now.
    pub(crate) fn steps(&mut self, end: f64) -> Vec<(f64, usize)> {
        self.ahead.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let n_due = self.ahead.partition_point(|(time, _)| *time < end);
        let due = self.ahead.drain(..n_due);
        let count = &mut self.count;
        let step = |(time, by)| {
            *count += by;
            (time, usize::try_from(*count).unwrap_or(0))
        };
        due.map(step).collect()
    }
}

/// When a queue is reported.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct QueueOptions {
    pub formed_at: usize,
    pub persists_secs: f64,
    pub cleared_at: usize,
    pub overflow_at: usize,
}

impl QueueOptions {
    pub(crate) fn is_ordered(&self) -> bool {
        self.cleared_at < self.formed_at && self.formed_at < self.overflow_at && self.persists_secs >= 0.0
    }
}

/// What is reported of a queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QueueReport {
    pub(crate) kind: &'static str,
    pub(crate) time: f64,
    pub(crate) length: usize,
}

/// Reports a queue with hysteresis: formed only once its length has held for a while, cleared only when it is short.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueSensor {
    is_formed: bool,
    has_overflowed: bool,
    long_since: Option<f64>,
    length: usize,
}

impl QueueSensor {
    /// Goes through the steps, and then on to `end`.
    pub(crate) fn advance(&mut self, options: &QueueOptions, steps: &[(f64, usize)], end: f64) -> Vec<QueueReport> {
        let mut reports = Vec::new();
        for &(time, length) in steps {
            self.persist(options, time, &mut reports);
            self.length = length;
            self.long_since = if length >= options.formed_at { self.long_since.or(Some(time)) } else { None };
            if self.is_formed && length <= options.cleared_at {
                (self.is_formed, self.has_overflowed) = (false, false);
                reports.push(QueueReport { kind: "QueueCleared", time, length });
            } else if self.is_formed && !self.has_overflowed && length >= options.overflow_at {
                self.has_overflowed = true;
                reports.push(QueueReport { kind: "QueueOverflow", time, length });
            }
        }
        self.persist(options, end, &mut reports);
        reports
    }

    /// Reports a queue that has been long for long enough before `now`.
    fn persist(&mut self, options: &QueueOptions, now: f64, reports: &mut Vec<QueueReport>) {
        let Some(since) = self.long_since.filter(|_| !self.is_formed) else { return };
        let time = since + options.persists_secs;
        if time < now {
            self.is_formed = true;
            reports.push(QueueReport { kind: "QueueFormed", time, length: self.length });
        }
    }
}

/// When a change of occupancy is reported, in percentage points, and from where on a zone is crowded, in percent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct OccupancyOptions {
    pub points_per_one: f64,
    pub reported_change: f64,
    pub crowded_at: f64,
}

/// Reports the occupancy of a zone when it moved far enough, and crowding when it rises above a threshold.
#[derive(Debug, Clone, Default)]
pub(crate) struct OccupancySensor {
    reported: f64,
    is_crowded: bool,
}

/// What is reported of an occupancy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OccupancyReport {
    pub(crate) time: f64,
    pub(crate) percent: f64,
    pub(crate) previous: f64,
    pub(crate) has_become_crowded: bool,
}

impl OccupancySensor {
    pub(crate) fn advance(&mut self, options: &OccupancyOptions, steps: &[(f64, usize)]) -> Vec<OccupancyReport> {
        let mut reports = Vec::new();
        for &(time, count) in steps {
            let percent = (count as f64 * options.points_per_one).min(100.0);
            if (percent - self.reported).abs() < options.reported_change {
                continue;
            }
            let was_crowded = self.is_crowded;
            // Ten points lower, so that one who comes and goes is not reported each time.
            let least = if was_crowded { options.crowded_at - 10.0 } else { options.crowded_at };
            self.is_crowded = percent >= least;
            let has_become_crowded = self.is_crowded && !was_crowded;
            reports.push(OccupancyReport { time, percent, previous: self.reported, has_become_crowded });
            self.reported = percent;
        }
        reports
    }
}

/// Collects the events of a hall.
pub(crate) struct Reports<'a> {
    pub(crate) site_id: &'a SiteId,
    pub(crate) start: DateTime<Utc>,
    /// Where the hall's own frame begins in the site's; halls are laid out alike, but not equal.
    pub(crate) origin: [f64; 2],
    pub(crate) ids: &'a mut Ids,
    pub(crate) events: &'a mut Vec<Event>,
}

impl Reports<'_> {
    /// Reports something at a point of the hall's own frame, numbers to a tenth.
    pub(crate) fn push(&mut self, kind: &str, secs: f64, zone: &str, at: [f64; 2], attrs: &[(&'static str, f64)]) {
        let mut event = Event::new(kind, self.site_id.clone(), instant(self.start, secs));
        event.id = EventId::from(self.ids.next());
        event.zone = Some(zone.into());
        let [x, y] = [0, 1].map(|axis| libm::round((self.origin[axis] + at[axis]) * 100.0) / 100.0);
        event.position = Some(Position { x, y, z: None });
        for &(name, value) in attrs {
            event.attrs.insert(name, AttrValue::Number(libm::round(value * 10.0) / 10.0));
        }
        self.events.push(event);
    }

    pub(crate) fn occupancy(&mut self, reports: &[OccupancyReport], crowded_at: f64, zone: &str, at: [f64; 2]) {
        for &OccupancyReport { time, percent, previous, has_become_crowded } in reports {
            self.push("OccupancyChanged", time, zone, at, &[("percent", percent), ("previous_percent", previous)]);
            if has_become_crowded {
                self.push("CrowdingDetected", time, zone, at, &[("percent", percent), ("threshold", crowded_at)]);
            }
        }
    }
}
