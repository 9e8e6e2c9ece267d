//! What several ways of looking see of the hidden causes of a hospital; for tests and the example `evidence`.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Timelike};
use spaxiom_eval::{Row, SoftmaxRegression, SoftmaxRegressionOptions};
use spaxiom_event::{AttrValue, DecisionOutcome, DecisionPoint, EntityRecord, Event};
use spaxiom_sim::{Difficulty, Hospital, HospitalOptions, HospitalTally, SimulatedSite};

/// The first midnight.
const START: &str = "2025-01-06T00:00:00Z";

/// Days of a simulation, and hours before a decision that are looked at.
pub(crate) const N_DAYS: u32 = 28;
const HOURS: i64 = 8;

pub(crate) const KINDS: [&str; 16] = [
    "BedEntered",
    "BedExit",
    "BedRestless",
    "CallLight",
    "DoorOpened",
    "DrawerOpened",
    "FallEvent",
    "GaitInstability",
    "SlowWalking",
    "SpillCleared",
    "SpillDetected",
    "StaffEntered",
    "StaffExited",
    "StandingStill",
    "TagRead",
    "ZoneEntered",
];

/// A decision, and what several ways of looking see of it.
pub(crate) struct Seen {
    pub(crate) site_idx: u32,
    pub(crate) decision: DecisionPoint,
    /// Number of events of each type in the last 10 minutes, hour and 8 hours.
    pub(crate) counts: Vec<f32>,
    /// Counts, the hour, and what the event itself says.
    pub(crate) main_effects: Vec<f32>,
    /// What somebody concludes who knows how the evidence is to be read.
    read: Reading,
}

impl Seen {
    pub(crate) fn is_yes(&self) -> bool {
        self.decision.outcome != DecisionOutcome::None
    }
}

/// What the events say to somebody who knows the cascade, but not the truth.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "the parts of the cascade, each by its name")]
struct Reading {
    is_alone: bool,
    is_sedated: bool,
    is_acute: bool,
    is_urgent: bool,
    is_wet: bool,
    has_no_aid: bool,
    is_bathroom: bool,
    is_night: bool,
}

impl Reading {
    fn flags(self) -> [bool; 11] {
        let Self { is_alone, is_sedated, is_acute, is_urgent, is_wet, has_no_aid, is_bathroom, is_night } = self;
        let sedated = is_alone && is_night && is_sedated && is_bathroom;
        let acute = is_alone && is_acute && has_no_aid;
        let wet = is_alone && is_urgent && is_wet;
        [is_alone, is_sedated, is_acute, is_urgent, is_wet, has_no_aid, is_bathroom, is_night, sedated, acute, wet]
    }
}

pub(crate) struct Simulated {
    pub(crate) tally: HospitalTally,
    pub(crate) entities: Vec<EntityRecord>,
    pub(crate) seen: Vec<Seen>,
}

pub(crate) fn hospital(difficulty: Difficulty) -> Hospital {
    Hospital::new(HospitalOptions::default(), difficulty).unwrap()
}

pub(crate) fn simulated(difficulty: Difficulty, seed: u64, n_sites: u32) -> Simulated {
    let hospital = hospital(difficulty);
    let mut all = Simulated { tally: HospitalTally::default(), entities: Vec::new(), seen: Vec::new() };
    for site_idx in 0..n_sites {
        let mut site = hospital.site(seed, site_idx, START.parse().unwrap());
        let mut recent: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for _ in 0..N_DAYS {
            let day = site.next_day();
            for event in day.events {
                let Some(entity) = &event.entity_id else { continue };
                recent.entry(entity.to_string()).or_default().push(event);
            }
            for decision in day.truth.decisions {
                let from = decision.time - TimeDelta::hours(HOURS);
                let events = recent[decision.entity_id.as_str()].iter();
                let before: Vec<&Event> = events.filter(|e| from <= e.time && e.time <= decision.time).collect();
                all.seen.push(seen(site_idx, decision, &before));
            }
            for record in day.truth.entities {
                recent.remove(record.entity_id.as_str());
                all.entities.push(record);
            }
        }
        all.entities.extend(site.finish());
        all.tally.add(site.hospital_tally().unwrap());
    }
    all
}

fn is_in(event: &Event, names: [&str; 3]) -> bool {
    names.iter().any(|name| event.zone.as_ref().is_some_and(|zone| zone.as_str().ends_with(name)))
}

const BATHROOM: [&str; 3] = ["bathroom", "WC", "bad"];
const BEDSIDE: [&str; 3] = ["bedside", "BS", "vorbett"];
const CHAIR: [&str; 3] = ["chair", "CH", "stuhl"];
const ENTRY: [&str; 3] = ["entry", "EN", "eingang"];

fn seen(site_idx: u32, decision: DecisionPoint, before: &[&Event]) -> Seen {
    let mut counts = vec![0.0; KINDS.len() * 3];
    for event in before {
        let kind = KINDS.iter().position(|kind| *kind == event.kind.as_str()).expect("a known type");
        let mins = (decision.time - event.time).num_minutes();
        for (window, _) in [10, 60, HOURS * 60].iter().enumerate().filter(|(_, window)| mins < **window) {
            counts[kind * 3 + window] += 1.0;
        }
    }
    let read = read(&decision, before);
    let main_effects = main_effects(&decision, before, &counts);
    Seen { site_idx, decision, counts, main_effects, read }
}

fn read(decision: &DecisionPoint, before: &[&Event]) -> Reading {
    let now = decision.time;
    let at = before.iter().find(|event| event.id == decision.event_id).expect("the decision is an event");
    let last = |is: &dyn Fn(&Event) -> bool| before.iter().copied().rfind(|event| is(event));
    let named = |event: &Event, prefix: &str| event.kind.as_str().starts_with(prefix);
    let exit = last(&|event| named(event, "BedExit"));
    let bedside = exit.and_then(|exit| before.iter().find(|e| named(e, "ZoneEntered") && e.time >= exit.time));
    let staff = last(&|event| named(event, "Staff"));
    let is_there = |event: &Event| named(event, "StaffEntered") && (now - event.time).num_minutes() < 4;
    let is_evening_dose = |e: &&&Event| {
        named(e, "DrawerOpened") && (21..23).contains(&e.time.hour()) && (now - e.time).num_minutes() < 370
    };
    let is_wet = |zone| last(&|e| named(e, "Spill") && is_in(e, zone)).is_some_and(|e| named(e, "SpillDetected"));
    let is_bathroom = is_in(at, BATHROOM);
    let tag = last(&|event| named(event, "TagRead"));
    let holds_furniture = at.attrs.get("assistive_device") == Some(&AttrValue::from("furniture"));
    let up_and_down = |two: &[&Event]| {
        named(two[0], "BedExit") && named(two[1], "BedEntered") && (two[1].time - two[0].time).num_seconds() < 20
    };
    Reading {
        is_alone: !staff.is_some_and(is_there),
        is_sedated: before.iter().any(|event| is_evening_dose(&event)),
        is_acute: before.windows(2).any(up_and_down),
        is_urgent: exit.zip(bedside).is_some_and(|(exit, there)| (there.time - exit.time).as_seconds_f64() < 3.5),
        is_wet: is_wet(BEDSIDE) || (is_bathroom && is_wet(BATHROOM)),
        has_no_aid: holds_furniture || tag.is_some_and(|tag| !is_in(tag, BEDSIDE)),
        is_bathroom,
        is_night: !(8..20).contains(&now.hour()),
    }
}

fn main_effects(decision: &DecisionPoint, before: &[&Event], counts: &[f32]) -> Vec<f32> {
    let flag = |is: bool| f32::from(u8::from(is));
    let mut features = counts.to_vec();
    features.extend(hour_features(decision));
    let at = before.iter().find(|event| event.id == decision.event_id).expect("the decision is an event");
    features.extend(["SlowWalking", "StandingStill", "GaitInstability"].map(|kind| flag(at.kind.as_str() == kind)));
    for name in ["speed_mps", "duration_s", "stability_score", "recent_steps"] {
        #[expect(clippy::cast_possible_truncation, reason = "a feature")]
        features.push(at.attrs.number(name).unwrap_or(0.0) as f32);
    }
    features.extend([BATHROOM, CHAIR, ENTRY].map(|zone| flag(is_in(at, zone))));
    let device = at.attrs.get("assistive_device");
    features.extend(["walker", "furniture", "none"].map(|name| flag(device == Some(&AttrValue::from(name)))));
    features
}

#[expect(clippy::cast_possible_truncation, reason = "a feature")]
pub(crate) fn hour_features(decision: &DecisionPoint) -> [f32; 2] {
    let (sin, cos) =
        (f64::from(decision.time.num_seconds_from_midnight()) / 86_400.0 * std::f64::consts::TAU).sin_cos();
    [sin as f32, cos as f32]
}

/// Scores of a logistic regression, fitted on the first seven tenths of the hospitals, for the others.
pub(crate) fn scored(all: &Simulated, features: impl Fn(&Seen) -> Vec<f32>) -> Vec<(f64, bool)> {
    let n_sites = all.seen.iter().map(|seen| seen.site_idx).max().unwrap() + 1;
    fitted(all, features, |seen| seen.site_idx < n_sites * 7 / 10)
}

/// The same, fitted on some decisions, for the others.
pub(crate) fn fitted(
    all: &Simulated,
    features: impl Fn(&Seen) -> Vec<f32>,
    is_train: impl Fn(&Seen) -> bool,
) -> Vec<(f64, bool)> {
    let mut rows: Vec<Vec<f32>> = all.seen.iter().map(features).collect();
    let n_features = rows[0].len();
    let train: Vec<usize> = (0..rows.len()).filter(|&i| is_train(&all.seen[i])).collect();
    for feature in 0..n_features {
        let values = || train.iter().map(|&i| rows[i][feature]);
        let mean = values().sum::<f32>() / train.len() as f32;
        let sd = (values().map(|value| (value - mean).powi(2)).sum::<f32>() / train.len() as f32).sqrt().max(1e-6);
        for row in &mut rows {
            row[feature] = (row[feature] - mean) / sd;
        }
    }
    let inputs: Vec<Row<'_>> = train.iter().map(|&i| Row { indices: None, values: &rows[i] }).collect();
    let labels: Vec<usize> = train.iter().map(|&i| usize::from(all.seen[i].is_yes())).collect();
    let options = SoftmaxRegressionOptions::default();
    let model = SoftmaxRegression::fit(&options, &inputs, &labels, n_features, 2);
    let test = all.seen.iter().zip(&rows).filter(|(seen, _)| !is_train(seen));
    test.map(|(seen, row)| (f64::from(model.probabilities(Row { indices: None, values: row })[1]), seen.is_yes()))
        .collect()
}

/// What somebody reads of order, pace and place, each by itself.
pub(crate) fn single_readings(seen: &Seen) -> Vec<f32> {
    let flags = seen.read.flags().into_iter().take(8).map(|is| f32::from(u8::from(is)));
    seen.main_effects.iter().copied().chain(flags).collect()
}

/// What somebody concludes who reads them together.
pub(crate) fn readings(seen: &Seen) -> Vec<f32> {
    let flags = seen.read.flags();
    let any = flags[8] || flags[9] || flags[10];
    let flags = flags.into_iter().chain([any]).map(|is| f32::from(u8::from(is)));
    seen.main_effects.iter().copied().chain(flags).collect()
}
