//! What the sensors of one warehouse report.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp};
use spaxiom_event::{AttrValue, Event, Position, ZoneId};

use super::{Cause, Episode, Site, WarehouseOptions};
use crate::queue::{Dock, Visit, serve};

const SECS_PER_HOUR: f64 = 3600.0;

/// Simulates all episodes of a site; events in order of time.
pub(super) fn simulate(
    options: &WarehouseOptions,
    site: &Site,
    episodes: &[Episode],
    start: DateTime<Utc>,
    rng: &mut impl Rng,
) -> Vec<Event> {
    let arrivals = arrivals(options, site, episodes, rng);
    let visits = visits(options, site, episodes, &arrivals, rng);
    let mut reports = Reports { site, start, events: Vec::new() };
    reports.trucks(&visits);
    reports.queue(options, &visits);
    reports.occupancy(options, &visits);
    reports.staff(&staff_times(options, episodes, rng));
    reports.checks(&checks(options, episodes, site.n_docks(), rng));
    let mut events = reports.events;
    // Trucks that are still there at the end leave after it, where no label is.
    let end = instant(start, episodes.last().map_or(0.0, |episode| episode.end));
    events.retain(|event| event.time < end);
    events.sort_by_key(|event| event.time);
    events.into_iter().map(Event::with_derived_id).collect()
}

/// The instant so many seconds after `start`, to the millisecond as a sensor would send it.
#[expect(clippy::cast_possible_truncation, reason = "a simulation lasts far less than 2^63 ms")]
pub(super) fn instant(start: DateTime<Utc>, secs: f64) -> DateTime<Utc> {
    start + TimeDelta::milliseconds((secs * 1000.0).round() as i64)
}

/// Arrivals in seconds, ascending: a Poisson process with the day's profile (thinning, Lewis and Shedler 1979);
/// in an episode with a late batch most of them come together later.
fn arrivals(options: &WarehouseOptions, site: &Site, episodes: &[Episode], rng: &mut impl Rng) -> Vec<f64> {
    let profile = &options.daily_profile;
    let mean = profile.iter().sum::<f64>() / 24.0;
    let peak = profile.iter().copied().fold(0.0, f64::max) / mean;
    let peak_rate = site.arrivals_per_hour() * peak / SECS_PER_HOUR;
    let mut arrivals = Vec::new();
    for episode in episodes {
        let length = episode.end - episode.start;
        // The batch can come at any time in the middle half, so that both its absence and its coming are seen.
        let batch_start = episode.start + length * rng.random_range(0.25..0.6);
        for time in poisson(peak_rate, episode.start, episode.end, rng) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour of the day")]
            let hour = (time / SECS_PER_HOUR) as usize % 24;
            if rng.random_range(0.0..peak) >= profile[hour] / mean {
                continue;
            }
            let late = episode.cause == Cause::LateBatch && rng.random_range(0.0..1.0) < options.causes.late_share;
            arrivals.push(if late {
                batch_start + rng.random_range(0.0..options.causes.late_within_mins * 60.0)
            } else {
                time
            });
        }
    }
    arrivals.sort_by(f64::total_cmp);
    arrivals
}

/// Times of a homogeneous Poisson process between `from` and `to`.
fn poisson(rate_per_sec: f64, from: f64, to: f64, rng: &mut impl Rng) -> Vec<f64> {
    let gaps = Exp::new(rate_per_sec).expect("rates are above 0");
    let mut times = Vec::new();
    let mut time = from + gaps.sample(rng);
    while time < to {
        times.push(time);
        time += gaps.sample(rng);
    }
    times
}

fn visits(
    options: &WarehouseOptions,
    site: &Site,
    episodes: &[Episode],
    arrivals: &[f64],
    rng: &mut impl Rng,
) -> Vec<Visit> {
    let blocked = |dock_idx| {
        let blocks = |e: &&Episode| e.cause == Cause::BlockedDock && e.blocked_dock == dock_idx;
        episodes.iter().filter(blocks).map(|episode| (episode.start, episode.end)).collect()
    };
    let mut docks: Vec<Dock> = (0..site.n_docks()).map(|dock_idx| Dock::blocked_in(blocked(dock_idx))).collect();
    let service = Exp::new(options.service_per_hour / SECS_PER_HOUR).expect("checked constants");
    serve(arrivals, &mut docks, |start| {
        let slower = match cause_at(episodes, start) {
            Cause::Understaffing => options.causes.understaffed_service,
            _ => 1.0,
        };
        // Nobody unloads a truck in under three minutes.
        (service.sample(rng) * slower).max(180.0)
    })
}

fn cause_at(episodes: &[Episode], time: f64) -> Cause {
    let n_started = episodes.partition_point(|episode| episode.start <= time);
    n_started.checked_sub(1).map_or(Cause::Normal, |last| episodes[last].cause)
}

fn staff_times(options: &WarehouseOptions, episodes: &[Episode], rng: &mut impl Rng) -> Vec<f64> {
    let mut times = Vec::new();
    for episode in episodes {
        let share = if episode.cause == Cause::Understaffing { options.causes.understaffed_staff } else { 1.0 };
        let rate = options.staff_doors_per_hour * share / SECS_PER_HOUR;
        times.extend(poisson(rate, episode.start, episode.end, rng));
    }
    times
}

/// Looks at docks: when, at which, and for how many seconds its door is open.
///
/// The times and lengths are those of every cause; only which dock it is tells something, over some time.
fn checks(
    options: &WarehouseOptions,
    episodes: &[Episode],
    n_docks: usize,
    rng: &mut impl Rng,
) -> Vec<(f64, usize, f64)> {
    let mut checks = Vec::new();
    for episode in episodes {
        let rate = options.checks_per_hour / SECS_PER_HOUR;
        for time in poisson(rate, episode.start, episode.end, rng) {
            let any_dock = rng.random_range(0..n_docks);
            let dock = if episode.cause == Cause::BlockedDock { episode.blocked_dock } else { any_dock };
            checks.push((time, dock, rng.random_range(5.0..options.check_secs)));
        }
    }
    checks
}

/// Collects events.
struct Reports<'a> {
    site: &'a Site,
    start: DateTime<Utc>,
    events: Vec<Event>,
}

impl Reports<'_> {
    fn push(&mut self, kind: &str, secs: f64, zone: impl Into<ZoneId>, at: Position, attrs: &[(&str, f64)]) {
        let mut event = Event::new(kind, self.site.id().clone(), instant(self.start, secs));
        event.zone = Some(zone.into());
        event.position = Some(at);
        for &(name, value) in attrs {
            event.attrs.insert(name, AttrValue::Number((value * 10.0).round() / 10.0));
        }
        self.events.push(event);
    }

    fn trucks(&mut self, visits: &[Visit]) {
        for visit in visits {
            let gate = self.site.at(0.0, 40.0);
            self.push("TruckArrived", visit.arrival, "gate", gate, &[]);
            self.dock_door(visit.dock_idx, visit.start, visit.end);
            self.push("TruckDeparted", visit.end + 120.0, "gate", gate, &[]);
        }
    }

    fn checks(&mut self, checks: &[(f64, usize, f64)]) {
        for &(time, dock_idx, open_secs) in checks {
            self.dock_door(dock_idx, time, time + open_secs);
        }
    }

    fn dock_door(&mut self, dock_idx: usize, opened: f64, closed: f64) {
        let zone = format!("dock_{}", dock_idx + 1);
        let dock = self.site.dock(dock_idx);
        self.push("DoorOpened", opened, zone.as_str(), dock, &[]);
        self.push("DoorClosed", closed, zone.as_str(), dock, &[("duration_s", closed - opened)]);
    }

    /// `QueueFormed` and `QueueCleared` with hysteresis: formed only once the length has held for a while.
    fn queue(&mut self, options: &WarehouseOptions, visits: &[Visit]) {
        let queue = &options.queue;
        let steps = steps(visits.iter().filter(|v| v.start > v.arrival).flat_map(|v| [(v.arrival, 1), (v.start, -1)]));
        let yard = self.site.at(10.0, 15.0);
        let mut formed = false;
        let mut long_since = None;
        for (step_idx, &(time, length)) in steps.iter().enumerate() {
            if formed && length <= queue.cleared_at {
                formed = false;
                self.push("QueueCleared", time, "loading_dock", yard, &[("length", length as f64)]);
            }
            long_since = if length >= queue.formed_at { long_since.or(Some(time)) } else { None };
            let Some(since) = long_since.filter(|_| !formed) else { continue };
            let reported = since + queue.persists_secs;
            if steps.get(step_idx + 1).is_none_or(|&(next, _)| reported <= next) {
                formed = true;
                let wait = mean_wait_so_far(visits, reported);
                let attrs = [("length", length as f64), ("wait_time_s", wait)];
                self.push("QueueFormed", reported.max(time), "loading_dock", yard, &attrs);
            }
        }
    }

    /// `OccupancyChanged` of the staging area, in percent, when it moved far enough.
    fn occupancy(&mut self, options: &WarehouseOptions, visits: &[Visit]) {
        let at = self.site.at(10.0, -8.0);
        let mut previous = 0.0f64;
        for (time, n_trucks) in steps(visits.iter().flat_map(|v| [(v.start, 1), (v.end, -1)])) {
            let percent = (n_trucks as f64 * options.occupancy.points_per_truck).min(100.0);
            if (percent - previous).abs() >= options.occupancy.reported_change {
                let attrs = [("percent", percent), ("previous_percent", previous)];
                self.push("OccupancyChanged", time, "staging", at, &attrs);
                previous = percent;
            }
        }
    }

    fn staff(&mut self, times: &[f64]) {
        let entrance = self.site.at(-6.0, -3.0);
        for &time in times {
            self.push("DoorOpened", time, "entrance", entrance, &[]);
        }
    }
}

/// A counter over time from its changes: (time, value from then on), ascending.
fn steps(changes: impl Iterator<Item = (f64, i32)>) -> Vec<(f64, usize)> {
    let mut changes: Vec<(f64, i32)> = changes.collect();
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut count = 0;
    changes
        .into_iter()
        .map(|(time, change)| {
            count += change;
            (time, usize::try_from(count).unwrap_or(0))
        })
        .collect()
}

/// How long those who wait at `time` have waited on average, in seconds.
fn mean_wait_so_far(visits: &[Visit], time: f64) -> f64 {
    let first_later = visits.partition_point(|visit| visit.arrival <= time);
    let waiting = visits[..first_later].iter().rev().take(50).filter(|visit| visit.start > time);
    let (sum, n) = waiting.fold((0.0, 0), |(sum, n), visit| (sum + time - visit.arrival, n + 1));
    if n == 0 { 0.0 } else { sum / f64::from(n) }
}
