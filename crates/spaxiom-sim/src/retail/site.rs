//! One shop that is lived through day by day.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use spaxiom_event::{Shape, SiteId, Zone};

use super::RetailOptions;
use crate::cause::{Cause, Episode, relevance};
use crate::floor::{Counter, OccupancySensor, QueueReport, QueueSensor, Reports};
use crate::ids::Ids;
use crate::queue::{Dock, Visit, serve};
use crate::random::Random;
use crate::simulation::{Day, SimulatedSite};
use crate::time::{DAY, HOUR, MINUTE, day_of_week, hour_index};

/// Meters from one aisle to the next, and the length of an aisle.
const AISLE_SPACING_M: f64 = 3.0;
const AISLE_LENGTH_M: f64 = 12.0;

/// Places in the shop's own frame.
const ENTRANCE: [f64; 2] = [0.0, -2.0];
const TILLS: [f64; 2] = [6.0, -4.0];

/// A shop that is lived through day by day.
#[derive(Debug, Clone)]
pub struct RetailSite {
    options: Arc<RetailOptions>,
    effect: f64,
    id: SiteId,
    start: DateTime<Utc>,
    customers_per_hour: f64,
    origin: [f64; 2],
    random: Random,
    ids: Ids,
    tills: Vec<Dock>,
    visits: Vec<Visit>,
    waiting: Counter,
    queue: QueueSensor,
    aisles: Vec<(Counter, OccupancySensor)>,
    day: u32,
    later: Day,
}

/// A customer's way: when the door opens, which aisles, and when the queue is reached.
struct Customer {
    enters: f64,
    /// Aisle, from, to.
    stops: Vec<(usize, f64, f64)>,
    leaves_aisles: f64,
}

impl RetailSite {
    pub(super) fn new(
        options: Arc<RetailOptions>,
        effect: f64,
        seed: u64,
        site_idx: u32,
        start: DateTime<Utc>,
    ) -> Self {
        let mut random = Random::new(seed, site_idx, 0);
        let n_tills = random.whole(options.tills);
        let n_aisles = random.whole(options.aisles);
        let factor = random.log_normal(1.0, options.site_rate_sd).clamp(0.6, 1.35);
        Self {
            effect,
            id: SiteId::from(format!("retail-{site_idx:02}")),
            start,
            customers_per_hour: options.customers_per_till_hour * n_tills as f64 * factor,
            origin: [random.between(0.0, 4.0), random.between(4.0, 8.0)],
            random,
            ids: Ids::new(seed, site_idx),
            tills: vec![Dock::default(); n_tills],
            visits: Vec::new(),
            waiting: Counter::default(),
            queue: QueueSensor::default(),
            aisles: vec![Default::default(); n_aisles],
            day: 0,
            later: Day::default(),
            options,
        }
    }

    fn episodes(&mut self, from: f64) -> Vec<Episode> {
        let [opens, closes] = self.options.open_hours;
        let hours = self.options.episodes.hours;
        let n = (closes - opens) / hours;
        let number = (self.day - 1) * n;
        (0..n)
            .map(|k| {
                let start = from + f64::from(opens + k * hours) * HOUR;
                Episode::sample(&self.options.episodes.weights, number + k, start, hours, &mut self.random)
            })
            .collect()
    }

    /// A constant of a range for an episode of this strength, moved away from `neutral` by the difficulty.
    fn strength(&self, [weak, strong]: [f64; 2], episode: &Episode, neutral: f64) -> f64 {
        neutral + (weak + (strong - weak) * episode.magnitude - neutral) * self.effect
    }

    /// Who comes, when, and through which aisles; in order of coming.
    fn customers(&mut self, episodes: &[Episode], drills: &[(f64, f64)]) -> Vec<Customer> {
        let options = Arc::clone(&self.options);
        let [opens, closes] = options.open_hours.map(|hour| hour as usize);
        let open = &options.daily_profile[opens..closes];
        let daily = open.iter().sum::<f64>() / open.len() as f64;
        let weekly = options.weekly_profile.iter().sum::<f64>() / 7.0;
        let peak = options.daily_profile.iter().copied().fold(0.0, f64::max);
        let mut customers = Vec::new();
        for episode in episodes {
            let day = options.weekly_profile[day_of_week(episode.start)] / weekly;
            let promotion = episode.is(Cause::Promotion);
            let more = if promotion { self.strength(options.episodes.promotion_customers, episode, 1.0) } else { 1.0 };
            let share = if promotion { self.strength(options.episodes.promotion_share, episode, 0.0) } else { 0.0 };
            let rate = self.customers_per_hour / HOUR * day / daily * more;
            let times = self.random.thinned(rate * peak, episode.start, episode.end, |time| {
                rate * options.daily_profile[hour_index(time)]
            });
            for enters in times {
                if drills.iter().any(|(from, to)| (*from..*to).contains(&enters)) {
                    continue;
                }
                let promoted = self.random.chance(share).then(|| episode.place_of(self.aisles.len()));
                customers.push(self.customer(enters, promoted, drills));
            }
        }
        customers
    }

    fn customer(&mut self, enters: f64, promoted: Option<usize>, drills: &[(f64, f64)]) -> Customer {
        let n_aisles = self.aisles.len();
        let mut time = enters + self.random.between(10.0, 40.0);
        let mut stops = Vec::new();
        let n_stops = self.random.whole(self.options.aisles_visited);
        let special = self.random.whole([0, n_stops - 1]);
        for stop in 0..n_stops {
            let any = self.random.whole([0, n_aisles - 1]);
            let aisle = promoted.filter(|_| stop == special).unwrap_or(any);
            let stays = self.random.within(self.options.aisle_mins) * MINUTE;
            // Whoever is in an aisle when the alarm sounds leaves it.
            let alarm = drills.iter().map(|(from, _)| *from).find(|from| (time..time + stays).contains(from));
            let leaves = alarm.map_or(time + stays, |alarm| alarm + self.random.between(5.0, 60.0));
            stops.push((aisle, time, leaves));
            time = leaves + self.random.between(5.0, 20.0);
            if alarm.is_some() {
                return Customer { enters, stops, leaves_aisles: f64::NAN };
            }
        }
        Customer { enters, stops, leaves_aisles: time }
    }

    /// Service at the tills, first come, first served; none during a drill.
    fn serve(&mut self, customers: &[Customer], episodes: &[Episode], from: f64, drills: &[(f64, f64)]) -> Vec<Visit> {
        let options = Arc::clone(&self.options);
        for till in &mut self.tills {
            till.forget(from);
            for &(from, to) in drills {
                till.block(from, to);
            }
        }
        let mut arrivals: Vec<f64> = customers.iter().map(|customer| customer.leaves_aisles).collect();
        arrivals.retain(|time| !time.is_nan());
        arrivals.sort_by(f64::total_cmp);
        let slower: Vec<(f64, f64, f64)> = episodes
            .iter()
            .filter(|episode| episode.is(Cause::Understaffing))
            .map(|e| (e.start, e.end, self.strength(options.episodes.understaffed_service, e, 1.0)))
            .collect();
        let random = &mut self.random;
        serve(&arrivals, &mut self.tills, |start| {
            let slow = slower.iter().find(|(from, to, _)| (*from..*to).contains(&start)).map_or(1.0, |(_, _, by)| *by);
            random.exponential(HOUR / options.served_per_till_hour) * slow
        })
    }

    /// Openings of the entrance: everybody in and out, those who slip in after them, and a door that springs open again.
    fn entrance(&mut self, customers: &[Customer], visits: &[Visit], episodes: &[Episode]) -> Vec<f64> {
        let options = Arc::clone(&self.options);
        let mut passed: Vec<f64> = customers.iter().map(|customer| customer.enters).collect();
        let fled = customers.iter().filter(|customer| customer.leaves_aisles.is_nan());
        passed.extend(fled.filter_map(|customer| customer.stops.last().map(|(_, _, left)| left + 20.0)));
        passed.extend(visits.iter().map(|visit| visit.end + 20.0));
        let mut openings = Vec::new();
        for time in passed {
            let episode = episodes.iter().find(|episode| (episode.start..episode.end).contains(&time));
            let reopens = match episode {
                Some(episode) if episode.is(Cause::DoorFault) => {
                    self.strength(options.episodes.reopens, episode, options.tailgating)
                }
                _ => options.tailgating,
            };
            openings.push(time);
            if self.random.chance(reopens) {
                openings.push(time + self.random.within(options.episodes.reopens_secs));
            }
        }
        openings
    }

    fn mean_wait_so_far(&self, time: f64) -> f64 {
        let waiting = self.visits.iter().filter(|visit| visit.arrival <= time && visit.start > time);
        let (sum, n) = waiting.fold((0.0, 0), |(sum, n), visit| (sum + time - visit.arrival, n + 1));
        if n == 0 { 0.0 } else { sum / f64::from(n) }
    }

    fn report(&mut self, customers: &[Customer], visits: &[Visit], openings: &[f64], end: f64, day: &mut Day) {
        for visit in visits.iter().filter(|visit| visit.start > visit.arrival) {
            self.waiting.change(visit.arrival, 1);
            self.waiting.change(visit.start, -1);
        }
        for &(aisle, from, to) in customers.iter().flat_map(|customer| &customer.stops) {
            self.aisles[aisle].0.change(from, 1);
            self.aisles[aisle].0.change(to, -1);
        }
        self.visits.extend(visits);
        let queue = self.queue.advance(&self.options.queue, &self.waiting.steps(end), end);
        let waits: Vec<f64> = queue.iter().map(|report| self.mean_wait_so_far(report.time)).collect();
        self.visits.retain(|visit| visit.start > end);
        let Self { options, id, start, origin, ids, aisles, .. } = self;
        let mut reports = Reports { site_id: id, start: *start, origin: *origin, ids, events: &mut day.events };
        for (&QueueReport { kind, time, length }, wait) in queue.iter().zip(waits) {
            let attrs = [("length", length as f64), ("wait_time_s", wait)];
            let n_attrs = if kind == "QueueCleared" { 1 } else { 2 };
            reports.push(kind, time, "checkout", TILLS, &attrs[..n_attrs]);
        }
        for (aisle, (counter, sensor)) in aisles.iter_mut().enumerate() {
            let occupancy = sensor.advance(&options.occupancy, &counter.steps(end));
            let at = [AISLE_SPACING_M * aisle as f64, AISLE_LENGTH_M / 2.0];
            reports.occupancy(&occupancy, options.occupancy.crowded_at, &aisle_name(aisle), at);
        }
        for &time in openings {
            reports.push("DoorOpened", time, "entrance", ENTRANCE, &[]);
        }
    }
}

fn aisle_name(aisle: usize) -> String {
    format!("aisle_{}", aisle + 1)
}

fn zone_kind(zone: &str) -> &'static str {
    match zone {
        "checkout" => "checkout",
        "entrance" => "entrance",
        _ => "aisle",
    }
}

impl SimulatedSite for RetailSite {
    fn id(&self) -> &SiteId {
        &self.id
    }

    fn next_day(&mut self) -> Day {
        let from = f64::from(self.day) * DAY;
        self.day += 1;
        let mut day = std::mem::take(&mut self.later);
        let episodes = self.episodes(from);
        let mins = self.options.episodes.drill_mins;
        let drills = episodes.iter().filter(|episode| episode.is(Cause::AlarmDrill));
        let drills: Vec<(f64, f64)> =
            drills.map(|e| (e.moment, e.moment + self.strength(mins, e, 0.0) * MINUTE)).collect();
        let customers = self.customers(&episodes, &drills);
        let visits = self.serve(&customers, &episodes, from, &drills);
        let openings = self.entrance(&customers, &visits, &episodes);
        self.report(&customers, &visits, &openings, from + DAY, &mut day);
        self.later = day.split_off(self.start + TimeDelta::days(i64::from(self.day)));
        day.truth.spans = episodes.iter().map(|episode| episode.span(&self.id, self.start)).collect();
        day.truth.relevance = relevance(&day.events, &episodes, self.start, zone_kind);
        day
    }

    fn zones(&self) -> Vec<(String, Zone)> {
        let aisles: Vec<String> = (0..self.aisles.len()).map(aisle_name).collect();
        let [left, low] = self.origin;
        let zone = |kind: &str, neighbors: &[String], shape| Zone {
            kind: kind.into(),
            floor: None,
            within: None,
            shape,
            neighbors: neighbors.to_vec(),
        };
        let outline = |aisle: usize| {
            let x = left + AISLE_SPACING_M * (aisle as f64 - 0.5);
            Some(Shape::Rectangle { x, y: low, width: AISLE_SPACING_M, height: AISLE_LENGTH_M })
        };
        let mut zones = vec![
            ("entrance".to_owned(), zone("entrance", &aisles, None)),
            ("checkout".to_owned(), zone("checkout", &aisles, None)),
        ];
        zones.extend(aisles.iter().enumerate().map(|(aisle, name)| (name.clone(), zone("aisle", &[], outline(aisle)))));
        zones
    }
}
