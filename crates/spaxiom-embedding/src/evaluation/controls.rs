//! Controls of a vector: what is left of it without order and without times, and what it gives away of site, day and hour.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Timelike};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_eval::{Interval, accuracy, clustered_mean};
use spaxiom_event::{Event, SequenceKey};
use spaxiom_token::{EventTable, SequenceRows, TokenWindow};

use super::features::Features;
use super::probe;
use super::samples::{Representation, Samples};
use crate::data::{Dataset, LabeledEvent, tokenize};
use crate::vector::Vectors;

/// Events of which each takes the place of another.
const BLOCK: usize = 32;

/// Between any two events without times.
const GAP_SECS: i64 = 60;

const SECS_PER_HOUR: i64 = 3_600;

const SECS_PER_DAY: i64 = 86_400;

const HOURS: usize = 24;

/// Of five hours of a site, three are for a probe to learn from, one to choose it by, and one to judge it by.
const FOLDS: u64 = 5;

/// What is taken from the events of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    /// Events change places with others close by; times stay where they are.
    Order,
    /// All events are a minute apart; their order stays.
    Times,
}

impl Without {
    fn taken(self, events: &[Event], seed: u64) -> Vec<Event> {
        let lengths: Vec<Option<TimeDelta>> =
            events.iter().map(|event| event.end_time.map(|end| end - event.time)).collect();
        let mut times: Vec<_> = events.iter().map(|event| event.time).collect();
        let mut order: Vec<usize> = (0..events.len()).collect();
        match self {
            Self::Order => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                order.chunks_mut(BLOCK).for_each(|block| block.shuffle(&mut rng));
            }
            Self::Times => {
                let first = times.first().copied();
                for (time, at) in times.iter_mut().zip(0..) {
                    *time = first.unwrap_or(*time) + TimeDelta::seconds(GAP_SECS * at);
                }
            }
        }
        let moved = times.into_iter().zip(order).map(|(time, from)| Event {
            time,
            end_time: lengths[from].map(|length| time + length),
            ..events[from].clone()
        });
        moved.collect()
    }
}

/// The vectors of all parts at the same places of sites that something was taken from.
pub(super) fn encoded(
    without: Without,
    data: &Dataset,
    vectors: &Vectors,
    parts: [&Samples; 3],
    seed: u64,
) -> Representation {
    let part = |samples: &Samples| {
        let places: Vec<(usize, usize)> = samples.labeled.iter().map(LabeledEvent::place).collect();
        let mut values = Vec::new();
        for (site, places) in data.in_sites(&samples.data, &places) {
            let mut table = EventTable::new(SequenceKey::Site);
            let events = without.taken(&data.columns().0.events(&site.rows).collect::<Vec<_>>(), seed);
            for event in &events {
                table.push(event);
            }
            let rows = SequenceRows { site_id: site.site_id.clone(), rows: (0u32..).take(events.len()).collect() };
            let tokens = tokenize(&table, std::slice::from_ref(&rows), vectors.tokenizer()).remove(0);
            let remembered = vectors.memory().map(|memory| memory.read_rows(&table, &rows, &places));
            let windows: Vec<TokenWindow<'_>> =
                places.iter().map(|place| tokens.context(*place, vectors.reach())).collect();
            values.extend(vectors.of(&windows, &remembered.unwrap_or_default()));
        }
        Features::dense(values, vectors.dim())
    };
    let [train, validation, test] = parts.map(part);
    Representation { train, validation, test }
}

/// What a linear probe reads out of vectors that nobody asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GivenAway {
    /// The vectors.
    pub name: String,
    /// `site`, `day` or `hour`.
    pub what: String,
    /// Share of held-out hours of training sites of which it tells it.
    pub accuracy: Interval,
    /// What the most frequent answer has.
    pub majority: f64,
    /// How many answers there are.
    pub n_classes: usize,
}

/// What is asked, how many answers there are, and the right one.
type Question<'a> = (&'static str, usize, &'a dyn Fn(&LabeledEvent) -> usize);

/// Site, day and hour, each asked of other hours than those that the probe learned from; not asked where there is one answer.
pub(super) fn given_away(name: &str, features: &Features, samples: &Samples, seed: u64) -> Vec<GivenAway> {
    let Features::Dense { values, dim } = features else { return Vec::new() };
    let day = |event: &LabeledEvent| event.time.timestamp().div_euclid(SECS_PER_DAY);
    let days: Vec<i64> = samples.labeled.iter().map(day).collect::<BTreeSet<_>>().into_iter().collect();
    let n_sites = samples.labeled.iter().map(|event| event.sequence_idx + 1).max().unwrap_or(0);
    let questions: [Question<'_>; 3] = [
        ("site", n_sites, &|event| event.sequence_idx),
        ("day", days.len(), &|event| days.binary_search(&day(event)).expect("the days are these events' own")),
        ("hour", HOURS, &|event| event.time.hour() as usize),
    ];
    let hour = |event: &LabeledEvent| {
        event.time.timestamp().div_euclid(SECS_PER_HOUR).unsigned_abs() * 1_000 + event.sequence_idx as u64
    };
    let asked = |(what, n_classes, answer): Question<'_>| {
        let of_folds = |folds: &[u64]| {
            let is_in = |event: &LabeledEvent| folds.contains(&(hour(event).wrapping_mul(0x9e37_79b9) / 97 % FOLDS));
            let rows = samples.labeled.iter().zip(values.chunks_exact(*dim)).filter(|(event, _)| is_in(event));
            let (events, rows): (Vec<LabeledEvent>, Vec<&[f32]>) =
                rows.map(|(event, row)| (LabeledEvent { class: answer(event), ..event.clone() }, row)).unzip();
            (events, Features::dense(rows.concat(), *dim))
        };
        let ((learned, train), (chosen, validation), (judged, test)) =
            (of_folds(&[0, 1, 2]), of_folds(&[3]), of_folds(&[4]));
        if n_classes < 2 || learned.is_empty() || chosen.is_empty() || judged.is_empty() {
            return None;
        }
        let parts = Representation { train, validation, test };
        let predicted = probe::predict(&parts, &learned, &chosen, n_classes, false);
        let truth: Vec<usize> = judged.iter().map(|event| event.class).collect();
        let clusters: Vec<u64> = judged.iter().map(hour).collect();
        let share = |class: usize| truth.iter().filter(|truth| **truth == class).count() as f64 / truth.len() as f64;
        Some(GivenAway {
            name: name.to_owned(),
            what: what.to_owned(),
            accuracy: clustered_mean(&accuracy(&predicted, &truth), &clusters, seed),
            majority: (0..n_classes).map(share).fold(0.0, f64::max),
            n_classes,
        })
    };
    questions.into_iter().filter_map(asked).collect()
}

#[cfg(test)]
mod tests {
    use super::{Event, GAP_SECS, Without};

    fn events() -> Vec<Event> {
        let event = |at: i64| {
            let kind = if at % 3 == 0 { "DoorOpened" } else { "QueueFormed" };
            let (start, end) = (at * at, at * at + 5);
            let text = format!(r#"{{"type": "{kind}", "zone": "z{at}", "time": {start}, "end_time": {end}}}"#);
            Event::from_json(&text).unwrap()
        };
        (1..=40).map(event).collect()
    }

    #[test]
    fn without_order_the_same_events_are_at_the_same_times() {
        let (before, after) = (events(), Without::Order.taken(&events(), 1));
        let times = |events: &[Event]| events.iter().map(|event| event.time).collect::<Vec<_>>();
        assert_eq!(times(&before), times(&after));
        let zones = |events: &[Event]| events.iter().map(|event| event.zone.clone()).collect::<Vec<_>>();
        assert_ne!(zones(&before), zones(&after));
        let sorted = |events: &[Event]| {
            let mut zones = zones(events);
            zones.sort();
            zones
        };
        assert_eq!(sorted(&before[..32]), sorted(&after[..32]), "only events close by change places");
        assert!(after.iter().all(|event| (event.end_time.unwrap() - event.time).num_seconds() == 5));
    }

    #[test]
    fn without_times_the_same_events_come_in_the_same_order() {
        let (before, after) = (events(), Without::Times.taken(&events(), 1));
        assert!(before.iter().zip(&after).all(|(before, after)| before.zone == after.zone));
        let gaps = after.windows(2).map(|pair| (pair[1].time - pair[0].time).num_seconds());
        assert!(gaps.into_iter().all(|gap| gap == GAP_SECS));
    }
}
