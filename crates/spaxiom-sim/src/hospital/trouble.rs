//! Trouble on a walk: what the gait sensors report, the decision at the first report, and what comes of it.

use spaxiom_event::{AttrValue, DecisionOutcome, DecisionPoint, LabelSpan, RelevanceRecord};

use super::building::Spot;
use super::life::Life;
use super::patient::Aid;
use super::report::Reported;
use super::walk::{Purpose, Walk, is_night};
use crate::random::sigmoid;
use crate::time::hour_of_day;

impl Life<'_> {
    /// Reports of gait, the decision at the first of them, and what comes of it.
    pub(super) fn trouble(
        &mut self,
        walk: &Walk,
        speed: f64,
        at_bedside: f64,
        arrives: f64,
    ) -> Option<(f64, DecisionOutcome)> {
        let is_there = self.random.chance(self.sure.manner);
        let (mut time, spot) = if is_there {
            self.door(walk, arrives);
            let spot = match walk.purpose {
                Purpose::Toilet => Spot::Bathroom,
                Purpose::Chair => Spot::Chair,
                Purpose::Hall => Spot::Entry,
            };
            (arrives + self.random.between(2.5, 25.0), spot)
        } else {
            (self.random.between(at_bedside + 0.5, arrives.max(at_bedside + 1.0)), Spot::Bedside)
        };
        let risk = &self.options.outcome;
        let chance = match walk.route {
            Some(_) => risk.with_cause,
            None => (risk.without_cause * libm::exp(risk.frailty * self.patient.frailty)).min(1.0),
        };
        let came = self.random.chance(chance).then(|| {
            let is_fall = self.random.chance(risk.fall_share);
            if is_fall { DecisionOutcome::Fall } else { DecisionOutcome::NearFall }
        });
        let after = self.random.log_normal(risk.median_secs, risk.log_sd).clamp(5.0, risk.horizon_secs - 1.0);
        let mut came = came.map(|outcome| (time + after, outcome));
        let mut is_decided = false;
        for kind in self.gait_kinds(walk) {
            // Who has fallen or is held reports no gait.
            if came.is_some_and(|(then, _)| is_decided && then <= time) {
                break;
            }
            let attrs = self.gait(kind, walk, speed);
            if let Some(reported) = self.push_with(kind, time, spot, &attrs).filter(|_| !is_decided) {
                // A sensor that is missing delays the decision, and what comes of it.
                came = came.map(|(_, outcome)| (time + after, outcome));
                self.decide(walk, time, reported, spot, came);
                is_decided = true;
            }
            time += self.random.between(4.0, 20.0);
        }
        if came.is_none() && !is_there {
            self.door(walk, arrives.max(time));
        }
        came
    }

    /// In what order the sensors report: slow, then still, then unsteady where a cause is complete; any order otherwise.
    fn gait_kinds(&mut self, walk: &Walk) -> Vec<&'static str> {
        let manner = &self.options.manner;
        let mut kinds = vec!["SlowWalking", "StandingStill", "GaitInstability"];
        let is_in_order = walk.route.is_some() && self.random.chance(self.sure.manner);
        let first = self.random.weighted(if is_in_order { &manner.first_with_cause } else { &manner.first_without });
        let first = kinds.remove(first);
        if !is_in_order && self.random.chance(0.5) {
            kinds.reverse();
        }
        kinds.insert(0, first);
        kinds.truncate(self.random.whole([1, 3]));
        kinds
    }

    fn gait(&mut self, kind: &str, walk: &Walk, speed: f64) -> Vec<(&'static str, AttrValue)> {
        let rounded = |value: f64| AttrValue::Number(libm::round(value * 100.0) / 100.0);
        let device = match self.patient.aid {
            Aid::Walker if !walk.is_walker_left => "walker",
            Aid::Furniture if self.random.chance(self.sure.sensors) => "furniture",
            _ => "none",
        };
        let device = ("assistive_device", AttrValue::from(device));
        match kind {
            "SlowWalking" => vec![device, ("speed_mps", rounded((speed * self.random.between(0.45, 0.8)).max(0.02)))],
            "StandingStill" => vec![device, ("duration_s", rounded(3.0 + self.random.exponential(8.0)))],
            _ => {
                let less = self.options.manner.less_stable;
                let lower = if walk.route.is_some() { less } else { 0.0 };
                let score = sigmoid(self.random.normal(-0.3, 10.0 * less)) - lower;
                let steps = self.random.between(6.0, 40.0);
                vec![
                    device,
                    ("recent_steps", AttrValue::Number(libm::floor(steps))),
                    ("stability_score", rounded(score.clamp(0.02, 0.98))),
                ]
            }
        }
    }

    fn decide(&mut self, walk: &Walk, time: f64, at: Reported, spot: Spot, came: Option<(f64, DecisionOutcome)>) {
        let cause = walk.route.map(|route| route.to_string());
        let episode_id = format!("{}-{}", self.patient.id, at.id);
        let site_id = self.reports.site_id.clone();
        self.truth.spans.push(LabelSpan {
            site_id: site_id.clone(),
            entity_id: Some(self.patient.id.clone()),
            episode_id: episode_id.clone(),
            label: cause.clone().unwrap_or_else(|| "none".into()),
            start: self.reports.instant(walk.start),
            end: at.time,
        });
        self.truth.relevance.push(RelevanceRecord {
            event_id: at.id.clone(),
            site_id: site_id.clone(),
            kind: at.kind.into(),
            time: at.time,
            episode_id: episode_id.clone(),
            cause: cause.clone(),
            zone_kind: spot.kind().into(),
            // Frailty stands for how strong a cause is: nothing else of a patient lasts.
            magnitude: libm::round(sigmoid(self.patient.frailty) * 1000.0) / 1000.0,
            phase: libm::round(((time - walk.start) / 120.0).min(1.0) * 1000.0) / 1000.0,
            hour: libm::round(hour_of_day(time) * 100.0) / 100.0,
        });
        self.truth.decisions.push(DecisionPoint {
            event_id: at.id,
            site_id,
            entity_id: self.patient.id.clone(),
            episode_id,
            time: at.time,
            outcome: came.map_or(DecisionOutcome::None, |(_, outcome)| outcome),
            secs_to_outcome: came.map(|(then, _)| libm::round((then - time) * 1000.0) / 1000.0),
            cause,
        });
    }

    /// Somebody falls or is caught; gives the time at which the patient is in bed again.
    pub(super) fn after(&mut self, walk: &Walk, time: f64, outcome: DecisionOutcome) -> f64 {
        let ward = &mut self.tally.wards[self.ward_idx];
        let spot = match walk.purpose {
            Purpose::Toilet => Spot::Bathroom,
            Purpose::Chair => Spot::Bedside,
            Purpose::Hall => Spot::Entry,
        };
        let (comes, stays) = if outcome == DecisionOutcome::Fall {
            ward.n_falls += 1;
            self.patient.n_falls += 1;
            self.tally.n_injurious += u32::from(self.random.chance(self.options.outcome.injurious));
            self.tally.n_toileting += u32::from(walk.purpose == Purpose::Toilet);
            self.tally.n_at_night += u32::from(is_night(time));
            self.push("FallEvent", time, spot);
            (self.random.between(20.0, 300.0), self.random.between(600.0, 1500.0))
        } else {
            ward.n_near_falls += 1;
            self.patient.n_near_falls += 1;
            (0.0, self.random.between(120.0, 600.0))
        };
        if !walk.is_helped {
            self.push("StaffEntered", time + comes, Spot::Entry);
            self.push("StaffExited", time + stays + 60.0, Spot::Entry);
        }
        time + stays
    }
}
