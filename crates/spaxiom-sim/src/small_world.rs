//! Four small worlds, in each of which one thing alone tells the label: how many, in which order, how fast, or where to.
//!
//! They show what a representation can and cannot see.

use std::f64::consts::TAU;

use chrono::{DateTime, TimeDelta, Utc};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use spaxiom_event::{Event, LabelSpan, Position, Shape, SiteId, Zone};

use crate::error::{SimError, first_broken};
use crate::simulation::{Day, SimulatedSite};

/// The constants that come with the project.
const BUILT_IN: &str = include_str!("../scenarios/small-worlds.toml");

/// The two types of events.
const KINDS: [&str; 2] = ["MotionDetected", "DoorOpened"];

/// How often an event is held to be out of place, so that the oracle survives one: no episode has such events.
const OUT_OF_PLACE: f64 = 0.05;

/// What tells the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmallWorld {
    /// How many events of each type there are.
    CountOnly,
    /// In which order the types come.
    OrderOnly,
    /// How much time is between events.
    GapOnly,
    /// Which way round the places are.
    PathOnly,
}

impl SmallWorld {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CountOnly, Self::OrderOnly, Self::GapOnly, Self::PathOnly];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CountOnly => "count-only",
            Self::OrderOnly => "order-only",
            Self::GapOnly => "gap-only",
            Self::PathOnly => "path-only",
        }
    }

    /// The two labels.
    #[must_use]
    pub fn labels(self) -> [&'static str; 2] {
        match self {
            Self::CountOnly => ["mostly_motion", "mostly_doors"],
            Self::OrderOnly => ["alternating", "in_pairs"],
            Self::GapOnly => ["even", "in_bursts"],
            Self::PathOnly => ["clockwise", "anticlockwise"],
        }
    }
}

/// Constants of the small worlds; each is documented in `scenarios/small-worlds.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct SmallWorldOptions {
    pub period_mins: u32,
    pub start_within_secs: f64,
    pub n_events: usize,
    pub gap_secs: [f64; 2],
    pub door_share: f64,
    pub even_gap_secs: [f64; 2],
    pub short_gap_secs: [f64; 2],
    pub long_gap_secs: [f64; 2],
    pub n_places: usize,
    pub radius_m: f64,
}

/// A site of a small world.
#[derive(Debug, Clone)]
pub struct SmallWorldSite {
    options: SmallWorldOptions,
    world: SmallWorld,
    id: SiteId,
    start: DateTime<Utc>,
    rng: ChaCha8Rng,
    day: u32,
}

impl SimulatedSite for SmallWorldSite {
    fn id(&self) -> &SiteId {
        &self.id
    }

    fn next_day(&mut self) -> Day {
        let Self { options, world, id, start, rng, day: number } = self;
        let period = TimeDelta::minutes(i64::from(options.period_mins));
        let n_episodes = 1440 / options.period_mins;
        let mut day = Day::default();
        for number in *number * n_episodes..(*number + 1) * n_episodes {
            let label = usize::from(rng.random_bool(0.5));
            let begin = *start + period * i32::try_from(number).expect("episodes of some years");
            let events = options.episode(*world, label, id, begin, rng);
            let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
            day.truth.spans.push(LabelSpan {
                site_id: id.clone(),
                entity_id: None,
                episode_id: format!("{id}-{number}"),
                label: world.labels()[label].into(),
                start: first.time,
                end: last.time,
            });
            day.events.extend(events);
        }
        *number += 1;
        day
    }

    fn zones(&self) -> Vec<(String, Zone)> {
        let shape = Some(Shape::Circle { x: 0.0, y: 0.0, radius: self.options.radius_m });
        let hall = Zone { kind: "hall".into(), floor: None, within: None, shape, neighbors: Vec::new() };
        vec![("hall".to_owned(), hall)]
    }
}

/// Which way round the circle a step goes: above 0 for anticlockwise, below for clockwise, as the places are numbered.
fn turn(from: Position, to: Position) -> f64 {
    let turned = from.x * to.y - from.y * to.x;
    if turned == 0.0 { 0.0 } else { turned.signum() }
}

impl Default for SmallWorldOptions {
    fn default() -> Self {
        Self::from_toml(BUILT_IN).expect("the scenario that comes with the project is read by a test")
    }
}

impl SmallWorldOptions {
    /// The text of the constants that come with the project.
    #[must_use]
    pub fn built_in_text() -> &'static str {
        BUILT_IN
    }

    /// Reads a scenario file.
    pub fn from_toml(text: &str) -> Result<Self, SimError> {
        let options: Self = toml::from_str(text)?;
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), SimError> {
        let ranges = [self.gap_secs, self.even_gap_secs, self.short_gap_secs, self.long_gap_secs];
        let longest = ranges.iter().map(|range| range[1]).fold(0.0, f64::max);
        let lasts = self.start_within_secs + longest * self.n_events as f64;
        first_broken(&[
            ("period-mins", "a part of 24 hours", self.period_mins > 0 && 1440 % self.period_mins == 0),
            ("n-events", "odd and above 1", self.n_events > 1 && !self.n_events.is_multiple_of(2)),
            ("gap-secs and the like", "from above 0 to more", ranges.iter().all(|[from, to]| 0.0 < *from && from < to)),
            ("door-share", "between 0 and 1", self.door_share > 0.0 && self.door_share < 1.0),
            ("n-places", "3 or more", self.n_places >= 3),
            ("period-mins", "longer than an episode can last", lasts <= f64::from(self.period_mins) * 60.0),
        ])
    }

    /// One site of a world at its first midnight; sites differ by their number and are independent of how many there are.
    #[must_use]
    pub fn site(&self, world: SmallWorld, seed: u64, site_idx: u32, start: DateTime<Utc>) -> SmallWorldSite {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(site_idx));
        let id = SiteId::from(format!("{}-{site_idx:02}", world.name()));
        SmallWorldSite { options: self.clone(), world, id, start, rng, day: 0 }
    }

    /// The oracle: the label, 0 or 1, that is the likelier one for who knows how the world is made.
    ///
    /// `events` are those of one episode in order of time; some may be missing, moved or without a position.
    #[must_use]
    pub fn likelier_label(&self, world: SmallWorld, events: &[Event]) -> usize {
        let is_door = |event: &Event| event.kind.as_str() == KINDS[1];
        let pairs = || events.windows(2).map(|pair| (&pair[0], &pair[1]));
        let evidence: f64 = match world {
            SmallWorld::CountOnly => {
                let of_door = (self.door_share / (1.0 - self.door_share)).ln();
                events.iter().map(|event| if is_door(event) { of_door } else { -of_door }).sum()
            }
            // In pairs every second event is of another type, alternating every one.
            SmallWorld::OrderOnly => {
                let of_pair = |differ: bool| (0.5 / if differ { 1.0 - OUT_OF_PLACE } else { OUT_OF_PLACE }).ln();
                pairs().map(|(a, b)| of_pair(is_door(a) != is_door(b))).sum()
            }
            SmallWorld::GapOnly => {
                let gaps = pairs().map(|(a, b)| (b.time - a.time).as_seconds_f64());
                gaps.map(|secs| self.evidence_of_gap(secs)).sum()
            }
            SmallWorld::PathOnly => {
                let turns = pairs().filter_map(|(a, b)| Some(turn(a.position?, b.position?)));
                turns.sum()
            }
        };
        usize::from(evidence > 0.0)
    }

    /// Logarithm of how much likelier a gap is in bursts than when they are even.
    fn evidence_of_gap(&self, secs: f64) -> f64 {
        let density = |[from, to]: [f64; 2]| if (from..to).contains(&secs) { 1.0 / (to - from) } else { 0.0 };
        let longest = self.long_gap_secs[1];
        let likelihood = |expected: f64| (1.0 - OUT_OF_PLACE) * expected + OUT_OF_PLACE / longest;
        let in_bursts = f64::midpoint(density(self.short_gap_secs), density(self.long_gap_secs));
        (likelihood(in_bursts) / likelihood(density(self.even_gap_secs))).ln()
    }

    fn episode(
        &self,
        world: SmallWorld,
        label: usize,
        site: &SiteId,
        begin: DateTime<Utc>,
        rng: &mut impl Rng,
    ) -> Vec<Event> {
        let mut secs = rng.random_range(0.0..self.start_within_secs);
        let kinds = self.kinds(world, label, rng);
        let places = self.places(world, label, rng);
        let mut events = Vec::new();
        for (at, (kind, place)) in kinds.into_iter().zip(places).enumerate() {
            #[expect(clippy::cast_possible_truncation, reason = "an episode lasts minutes")]
            let mut event = Event::new(KINDS[kind], site.clone(), begin + TimeDelta::milliseconds((secs * 1e3) as i64));
            event.zone = Some("hall".into());
            let (sin, cos) = libm::sincos(TAU * place as f64 / self.n_places as f64);
            event.position = Some(Position { x: self.radius_m * sin, y: self.radius_m * cos, z: None });
            events.push(event.with_derived_id());
            secs += self.gap(world, label, at, rng);
        }
        events
    }

    /// The types of the events: half of each (one more of the first), unless their number tells the label.
    fn kinds(&self, world: SmallWorld, label: usize, rng: &mut impl Rng) -> Vec<usize> {
        match world {
            SmallWorld::CountOnly => {
                let door_share = if label == 1 { self.door_share } else { 1.0 - self.door_share };
                (0..self.n_events).map(|_| usize::from(rng.random_bool(door_share))).collect()
            }
            // Runs of one or of two; where the first begins is drawn.
            SmallWorld::OrderOnly => {
                let run = label + 1;
                let phase = rng.random_range(0..2 * run);
                (0..self.n_events).map(|at| (at + phase) / run % 2).collect()
            }
            SmallWorld::GapOnly | SmallWorld::PathOnly => {
                let mut kinds: Vec<usize> = (0..self.n_events).map(|at| at % 2).collect();
                kinds.shuffle(rng);
                kinds
            }
        }
    }

    /// The places on the circle, counted clockwise from the top.
    fn places(&self, world: SmallWorld, label: usize, rng: &mut impl Rng) -> Vec<usize> {
        let first = rng.random_range(0..self.n_places);
        let step = if label == 1 { self.n_places - 1 } else { 1 };
        let any = |_| rng.random_range(0..self.n_places);
        match world {
            SmallWorld::PathOnly => (0..self.n_events).map(|at| (first + at * step) % self.n_places).collect(),
            _ => (0..self.n_events).map(any).collect(),
        }
    }

    /// Seconds from one event to the next.
    fn gap(&self, world: SmallWorld, label: usize, at: usize, rng: &mut impl Rng) -> f64 {
        let [from, to] = match (world, label) {
            (SmallWorld::GapOnly, 0) => self.even_gap_secs,
            (SmallWorld::GapOnly, _) if at.is_multiple_of(2) => self.short_gap_secs,
            (SmallWorld::GapOnly, _) => self.long_gap_secs,
            _ => self.gap_secs,
        };
        rng.random_range(from..to)
    }
}
