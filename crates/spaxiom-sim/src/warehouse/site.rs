//! One warehouse that is lived through day by day.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use spaxiom_event::{SiteId, Zone};

use super::WarehouseOptions;
use crate::cause::{Cause, Episode, relevance};
use crate::floor::{Counter, OccupancySensor, QueueReport, QueueSensor, Reports};
use crate::ids::Ids;
use crate::queue::{Dock, Visit, serve};
use crate::random::Random;
use crate::simulation::{Day, SimulatedSite};
use crate::time::{DAY, HOUR, MINUTE, day_of_week, hour_index};

/// Meters between two docks.
const DOCK_SPACING_M: f64 = 5.0;

/// Places in the hall's own frame: along the docks, and out into the yard (negative: into the hall).
const GATE: [f64; 2] = [0.0, 40.0];
const YARD: [f64; 2] = [10.0, 15.0];
const STAGING: [f64; 2] = [10.0, -8.0];
const ENTRANCE: [f64; 2] = [-6.0, -3.0];

/// A warehouse that is lived through day by day.
#[derive(Debug, Clone)]
pub struct WarehouseSite {
    options: Arc<WarehouseOptions>,
    /// How strong the effects of causes are.
    effect: f64,
    id: SiteId,
    start: DateTime<Utc>,
    arrivals_per_hour: f64,
    origin: [f64; 2],
    random: Random,
    ids: Ids,
    docks: Vec<Dock>,
    /// Those who wait at the end of a day, and those before them.
    visits: Vec<Visit>,
    waiting: Counter,
    served: Counter,
    queue: QueueSensor,
    staging: OccupancySensor,
    day: u32,
    later: Day,
}

impl WarehouseSite {
    pub(super) fn new(
        options: Arc<WarehouseOptions>,
        effect: f64,
        seed: u64,
        site_idx: u32,
        start: DateTime<Utc>,
    ) -> Self {
        let mut random = Random::new(seed, site_idx, 0);
        let n_docks = random.whole(options.docks);
        let factor = random.log_normal(1.0, options.site_rate_sd).clamp(0.7, 1.2);
        Self {
            effect,
            id: SiteId::from(format!("warehouse-{site_idx:02}")),
            start,
            arrivals_per_hour: options.utilisation * options.service_per_hour * n_docks as f64 * factor,
            origin: [random.between(0.0, 4.0), random.between(0.0, 2.0)],
            random,
            ids: Ids::new(seed, site_idx),
            docks: vec![Dock::default(); n_docks],
            visits: Vec::new(),
            waiting: Counter::default(),
            served: Counter::default(),
            queue: QueueSensor::default(),
            staging: OccupancySensor::default(),
            day: 0,
            later: Day::default(),
            options,
        }
    }

    fn episodes(&mut self, from: f64) -> Vec<Episode> {
        let hours = self.options.episodes.hours;
        let n = 24 / hours;
        let number = (self.day - 1) * n;
        (0..n)
            .map(|k| {
                let start = from + f64::from(k * hours) * HOUR;
                Episode::sample(&self.options.episodes.weights, number + k, start, hours, &mut self.random)
            })
            .collect()
    }

    /// A constant of a range for an episode of this strength, moved away from `neutral` by the difficulty.
    fn strength(&self, [weak, strong]: [f64; 2], episode: &Episode, neutral: f64) -> f64 {
        neutral + (weak + (strong - weak) * episode.magnitude - neutral) * self.effect
    }

    /// Arrivals in seconds, ascending: by hour and day of the week; in an episode with a late batch most come together later.
    fn arrivals(&mut self, episodes: &[Episode]) -> Vec<f64> {
        let options = Arc::clone(&self.options);
        let mean = |profile: &[f64]| profile.iter().sum::<f64>() / profile.len() as f64;
        let (daily, weekly) = (mean(&options.daily_profile), mean(&options.weekly_profile));
        let mut arrivals = Vec::new();
        for episode in episodes {
            let rate =
                self.arrivals_per_hour / HOUR * options.weekly_profile[day_of_week(episode.start)] / weekly / daily;
            let peak = options.daily_profile.iter().copied().fold(0.0, f64::max);
            let times = self.random.thinned(rate * peak, episode.start, episode.end, |time| {
                rate * options.daily_profile[hour_index(time)]
            });
            let late = if episode.is(Cause::LateBatch) {
                self.strength(options.episodes.late_share, episode, 0.0)
            } else {
                0.0
            };
            for time in times {
                let is_late = self.random.chance(late);
                let batch = episode.moment + self.random.between(0.0, options.episodes.late_within_mins * MINUTE);
                arrivals.push(if is_late { batch } else { time });
            }
        }
        arrivals.sort_by(f64::total_cmp);
        arrivals
    }

    /// Blocks docks for a whole episode, or all of them during a drill.
    fn block(&mut self, from: f64, episodes: &[Episode], drills: &[(f64, f64)]) {
        let n_docks = self.docks.len();
        for (dock_idx, dock) in self.docks.iter_mut().enumerate() {
            dock.forget(from);
            let blocks = |e: &&Episode| e.is(Cause::BlockedDock) && e.place_of(n_docks) == dock_idx;
            let mut spans: Vec<(f64, f64)> = episodes.iter().filter(blocks).map(|e| (e.start, e.end)).collect();
            spans.extend(drills);
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (from, to) in spans {
                dock.block(from, to);
            }
        }
    }

    fn serve(&mut self, arrivals: &[f64], episodes: &[Episode]) -> Vec<Visit> {
        let mut random = self.random.clone();
        let options = Arc::clone(&self.options);
        let effect = |episode: &Episode| self.strength(options.episodes.understaffed_service, episode, 1.0);
        let slower: Vec<(f64, f64, f64)> = episodes
            .iter()
            .filter(|episode| episode.is(Cause::Understaffing))
            .map(|episode| (episode.start, episode.end, effect(episode)))
            .collect();
        let visits = serve(arrivals, &mut self.docks, |start| {
            let slow = slower.iter().find(|(from, to, _)| (*from..*to).contains(&start)).map_or(1.0, |(_, _, by)| *by);
            (random.exponential(HOUR / options.service_per_hour) * slow).max(options.least_service_mins * MINUTE)
        });
        self.random = random;
        visits
    }

    /// Times at which the entrance opens: staff, who come more rarely where there are few, and those who slip in after them;
    /// a door with a fault springs open again; in a drill everybody goes out and comes back.
    fn entrance(&mut self, episodes: &[Episode], drills: &[(f64, f64)]) -> Vec<f64> {
        let options = Arc::clone(&self.options);
        let causes = &options.episodes;
        let mut openings = Vec::new();
        for episode in episodes {
            let share = if episode.is(Cause::Understaffing) { causes.understaffed_staff } else { 1.0 };
            let rate = options.staff_doors_per_hour * share / HOUR;
            let reopens = match episode.cause {
                Cause::DoorFault => self.strength(causes.reopens, episode, options.tailgating),
                _ => options.tailgating,
            };
            for time in self.random.poisson(rate, episode.start, episode.end) {
                if drills.iter().any(|(from, to)| (*from..*to).contains(&time)) {
                    continue;
                }
                openings.push(time);
                if self.random.chance(reopens) {
                    openings.push(time + self.random.within(causes.reopens_secs));
                }
            }
        }
        for &(from, to) in drills {
            for edge in [from, to] {
                for _ in 0..self.random.whole(causes.drill_people) {
                    openings.push(edge + self.random.between(0.0, 3.0 * MINUTE));
                }
            }
        }
        openings
    }

    /// Looks at docks: when, at which, and for how many seconds its door is open.
    ///
    /// The times and lengths are those of every cause; only which dock it is tells something, over some time.
    fn checks(&mut self, episodes: &[Episode], drills: &[(f64, f64)]) -> Vec<(f64, usize, f64)> {
        let n_docks = self.docks.len();
        let mut checks = Vec::new();
        for episode in episodes {
            for time in self.random.poisson(self.options.checks_per_hour / HOUR, episode.start, episode.end) {
                let any_dock = self.random.whole([0, n_docks - 1]);
                let open_secs = self.random.within(self.options.check_secs);
                let is_blocked = episode.is(Cause::BlockedDock) && self.random.chance(self.effect);
                let dock_idx = if is_blocked { episode.place_of(n_docks) } else { any_dock };
                if !drills.iter().any(|(from, to)| (*from..*to).contains(&time)) {
                    checks.push((time, dock_idx, open_secs));
                }
            }
        }
        checks
    }

    fn drills(&self, episodes: &[Episode]) -> Vec<(f64, f64)> {
        let mins = self.options.episodes.drill_mins;
        let drills = episodes.iter().filter(|episode| episode.is(Cause::AlarmDrill));
        drills.map(|episode| (episode.moment, episode.moment + self.strength(mins, episode, 0.0) * MINUTE)).collect()
    }

    /// How long those who wait at `time` have waited on average, in seconds.
    fn mean_wait_so_far(&self, time: f64) -> f64 {
        let waiting = self.visits.iter().filter(|visit| visit.arrival <= time && visit.start > time);
        let (sum, n) = waiting.fold((0.0, 0), |(sum, n), visit| (sum + time - visit.arrival, n + 1));
        if n == 0 { 0.0 } else { sum / f64::from(n) }
    }

    fn report(&mut self, visits: &[Visit], openings: &[f64], checks: &[(f64, usize, f64)], end: f64, day: &mut Day) {
        let waits = |visit: &&Visit| visit.start > visit.arrival;
        for visit in visits.iter().filter(waits) {
            self.waiting.change(visit.arrival, 1);
            self.waiting.change(visit.start, -1);
        }
        for visit in visits {
            self.served.change(visit.start, 1);
            self.served.change(visit.end, -1);
        }
        self.visits.extend(visits);
        let queue = self.queue.advance(&self.options.queue, &self.waiting.steps(end), end);
        let waits: Vec<f64> = queue.iter().map(|report| self.mean_wait_so_far(report.time)).collect();
        self.visits.retain(|visit| visit.start > end);
        // The staging area is as large as the docks need it.
        let scale = self.options.docks[1] as f64 / self.docks.len() as f64;
        let mut occupancy = self.options.occupancy.clone();
        occupancy.points_per_one *= scale;
        let staging = self.staging.advance(&occupancy, &self.served.steps(end));
        let Self { id, start, origin, ids, .. } = self;
        let mut reports = Reports { site_id: id, start: *start, origin: *origin, ids, events: &mut day.events };
        for visit in visits {
            reports.push("TruckArrived", visit.arrival, "gate", GATE, &[]);
            dock_door(&mut reports, visit.dock_idx, visit.start, visit.end);
            reports.push("TruckDeparted", visit.end + 120.0, "gate", GATE, &[]);
        }
        for &(time, dock_idx, open_secs) in checks {
            dock_door(&mut reports, dock_idx, time, time + open_secs);
        }
        for (&QueueReport { kind, time, length }, wait) in queue.iter().zip(waits) {
            let attrs = [("length", length as f64), ("wait_time_s", wait)];
            let n_attrs = if kind == "QueueCleared" { 1 } else { 2 };
            reports.push(kind, time, "loading_dock", YARD, &attrs[..n_attrs]);
        }
        reports.occupancy(&staging, occupancy.crowded_at, "staging", STAGING);
        for &time in openings {
            reports.push("DoorOpened", time, "entrance", ENTRANCE, &[]);
        }
    }
}

fn dock_door(reports: &mut Reports<'_>, dock_idx: usize, opened: f64, closed: f64) {
    let zone = format!("dock_{}", dock_idx + 1);
    let at = [DOCK_SPACING_M * dock_idx as f64, 0.0];
    reports.push("DoorOpened", opened, &zone, at, &[]);
    reports.push("DoorClosed", closed, &zone, at, &[("duration_s", closed - opened)]);
}

fn zone_kind(zone: &str) -> &'static str {
    match zone {
        "gate" => "gate",
        "loading_dock" => "yard",
        "staging" => "staging",
        "entrance" => "entrance",
        _ => "dock",
    }
}

impl SimulatedSite for WarehouseSite {
    fn id(&self) -> &SiteId {
        &self.id
    }

    fn next_day(&mut self) -> Day {
        let from = f64::from(self.day) * DAY;
        self.day += 1;
        let mut day = std::mem::take(&mut self.later);
        let episodes = self.episodes(from);
        let drills = self.drills(&episodes);
        self.block(from, &episodes, &drills);
        let arrivals = self.arrivals(&episodes);
        let visits = self.serve(&arrivals, &episodes);
        let openings = self.entrance(&episodes, &drills);
        let checks = self.checks(&episodes, &drills);
        self.report(&visits, &openings, &checks, from + DAY, &mut day);
        self.later = day.split_off(self.start + TimeDelta::days(i64::from(self.day)));
        day.truth.spans = episodes.iter().map(|episode| episode.span(&self.id, self.start)).collect();
        day.truth.relevance = relevance(&day.events, &episodes, self.start, zone_kind);
        day
    }

    fn zones(&self) -> Vec<(String, Zone)> {
        let zone = |kind: &str, neighbors: &[String]| Zone {
            kind: kind.into(),
            floor: None,
            within: None,
            shape: None,
            neighbors: neighbors.to_vec(),
        };
        let docks: Vec<String> = (1..=self.docks.len()).map(|number| format!("dock_{number}")).collect();
        let mut zones = vec![
            ("gate".to_owned(), zone("gate", &["loading_dock".to_owned()])),
            ("loading_dock".to_owned(), zone("yard", &docks)),
            ("staging".to_owned(), zone("staging", &docks)),
            ("entrance".to_owned(), zone("entrance", &["staging".to_owned()])),
        ];
        zones.extend(docks.into_iter().map(|name| (name, zone("dock", &[]))));
        zones
    }
}
