//! A stretch of a patient's life in a room: what is to happen, what follows from it, and what is reported of it.

use spaxiom_event::AttrValue;

use super::HospitalOptions;
use super::building::Spot;
use super::options::SureOptions;
use super::patient::{Aid, Patient};
use super::plan::{Activity, BATHROOM, plan};
use super::report::{Reported, Reports};
use super::tally::HospitalTally;
use super::traits::SiteTraits;
use super::walk::{Begin, Purpose, Walk};
use crate::random::Random;
use crate::simulation::Truth;
use crate::time::{HOUR, MINUTE};

/// A stretch of a patient's life in a room.
pub(super) struct Life<'a> {
    pub(super) options: &'a HospitalOptions,
    pub(super) sure: &'a SureOptions,
    pub(super) traits: &'a SiteTraits,
    pub(super) ward_idx: usize,
    pub(super) reports: Reports<'a>,
    pub(super) truth: &'a mut Truth,
    pub(super) tally: &'a mut HospitalTally,
    pub(super) patient: &'a mut Patient,
    pub(super) random: &'a mut Random,
}

impl Life<'_> {
    /// Lives through a part of one day.
    pub(super) fn live(&mut self, from: f64, until: f64) {
        for (time, activity) in plan(self.options, self.sure.sensors, self.patient, (from, until), self.random) {
            self.act(time, activity);
        }
    }

    fn act(&mut self, time: f64, activity: Activity) {
        match activity {
            Activity::Visit { gives_drug } => self.visit(time, gives_drug),
            Activity::Sedative => {
                let is_seen = self.random.chance(self.sure.sensors);
                self.visit(time, is_seen);
                self.patient.sedated_at = time;
            }
            Activity::Spill(place) => self.spill(time, place),
            Activity::MoveWalker => self.move_walker(time),
            Activity::Restless => self.restless(time, 2),
            Activity::Walk(_) | Activity::Therapy if time < self.patient.busy_until => {}
            Activity::Walk(purpose) => self.walk(time, purpose, false),
            Activity::Therapy => self.walk(time, Purpose::Hall, true),
        }
    }

    pub(super) fn push(&mut self, kind: &'static str, time: f64, spot: Spot) -> Option<Reported> {
        self.push_with(kind, time, spot, &[])
    }

    pub(super) fn push_with(
        &mut self,
        kind: &'static str,
        time: f64,
        spot: Spot,
        attrs: &[(&'static str, AttrValue)],
    ) -> Option<Reported> {
        let at = [self.random.between(0.15, 0.85), self.random.between(0.15, 0.85)];
        self.reports.push(kind, time, (spot, at), Some(&self.patient.id), attrs)
    }

    fn visit(&mut self, time: f64, gives_drug: bool) {
        self.push("StaffEntered", time, Spot::Entry);
        let stays = self.random.between(60.0, 400.0);
        if gives_drug {
            self.push("DrawerOpened", time + stays * 0.4, Spot::Bedside);
        }
        if self.patient.walker_at != Spot::Bedside && self.random.chance(self.options.care.walker_put_back) {
            self.patient.walker_at = Spot::Bedside;
            self.tag(time + stays * 0.6, Spot::Bedside);
        }
        self.push("StaffExited", time + stays, Spot::Entry);
    }

    /// The tag of the walker is read where the walker is put.
    fn tag(&mut self, time: f64, spot: Spot) {
        if !self.random.chance(self.sure.sensors) {
            return;
        }
        self.push_with("TagRead", time, spot, &[("asset", AttrValue::from("walker"))]);
    }

    fn move_walker(&mut self, time: f64) {
        self.patient.walker_at = self.random.pick(&[Spot::Entry, Spot::Bathroom]);
        self.tag(time, self.patient.walker_at);
    }

    fn spill(&mut self, time: f64, place: usize) {
        let spot = if place == BATHROOM { Spot::Bathroom } else { Spot::Bedside };
        let care = &self.options.care;
        let mean_mins = if self.random.chance(care.wiped_at_once) { care.wiped_mins } else { care.wet_mins };
        // Nobody comes in the first five minutes.
        let dry = time + 5.0 * MINUTE + self.random.exponential((mean_mins - 5.0) * MINUTE);
        self.patient.wet_until[place] = dry;
        if self.random.chance(self.sure.sensors) {
            self.push("SpillDetected", time, spot);
            self.push("SpillCleared", dry, spot);
        }
    }

    fn restless(&mut self, time: f64, n: usize) {
        for k in 0..n {
            let intensity = libm::round(self.random.between(0.2, 1.0) * 100.0) / 100.0;
            let at = time + k as f64 * self.random.between(20.0, 90.0);
            self.push_with("BedRestless", at, Spot::Bed, &[("intensity", AttrValue::Number(intensity))]);
        }
    }

    fn walk(&mut self, time: f64, purpose: Purpose, is_therapy: bool) {
        let (options, traits, ward_idx) = (self.options, self.traits, self.ward_idx);
        let begin = Begin { start: time, purpose, is_therapy };
        let walk = Walk::sample(options, traits, ward_idx, self.patient, begin, self.random);
        let slower = if walk.is_acute { 0.85 } else { 1.0 };
        let speed = (self.patient.usual_mps * slower * self.random.log_normal(1.0, 0.1)).max(0.03);
        self.tally.n_walks += 1;
        self.tally.speed_sum += speed;
        self.tally.speed_squares += speed * speed;
        self.prelude(&walk);
        let helper_came = self.helper(&walk);
        self.push("BedExit", time, Spot::Bed);
        if self.patient.aid == Aid::Walker {
            // The tag answers when the patient gets up, wherever the walker stands.
            let answers = time + self.random.between(0.5, 2.0);
            self.tag(answers, self.patient.walker_at);
        }
        let looks_urgent = walk.is_urgent == self.random.chance(self.sure.manner);
        let manner = &self.options.manner;
        let at_bedside = time + self.random.within(if looks_urgent { manner.urgent_secs } else { manner.calm_secs });
        self.push("ZoneEntered", at_bedside, Spot::Bedside);
        let arrives = at_bedside + self.random.between(1.5, 3.0) / speed.min(1.0);
        let outcome = if walk.has_trouble {
            self.trouble(&walk, speed, at_bedside, arrives)
        } else {
            self.door(&walk, arrives);
            None
        };
        let end = match outcome {
            Some((time, outcome)) => self.after(&walk, time, outcome),
            None => self.stay(&walk, arrives),
        };
        self.push("BedEntered", end, Spot::Bed);
        if helper_came {
            let leaves = end + self.random.between(5.0, 90.0);
            self.push("StaffExited", leaves, Spot::Entry);
        }
        self.patient.busy_until = end + 2.0 * MINUTE;
        if outcome.is_some() {
            self.patient.watched_until = end + self.options.care.watched_hours * HOUR;
        }
    }

    /// What happens in bed before: restless, and two ways of getting up and lying down again that differ in order and pace alone.
    fn prelude(&mut self, walk: &Walk) {
        let first = self.patient.busy_until;
        let manner = &self.options.manner;
        let n_restless = self.random.count(if walk.is_acute { manner.restless_acute } else { manner.restless });
        let short_exit = if walk.is_acute { manner.short_exit_acute } else { manner.short_exit };
        let has_short_exit = self.random.chance(short_exit);
        let is_misread = !self.random.chance(self.sure.manner);
        let looks_acute = if is_misread { self.random.chance(0.5) } else { walk.is_acute };
        let before = self.random.between(240.0, 720.0);
        let exit = walk.start - before;
        if exit < first {
            return;
        }
        if has_short_exit && looks_acute {
            // Up and down at once, then restless.
            self.push("BedExit", exit, Spot::Bed);
            let back = exit + self.random.within(manner.at_once_secs);
            self.push("BedEntered", back, Spot::Bed);
            let then = back + self.random.between(5.0, 40.0);
            self.restless(then, n_restless);
        } else if has_short_exit {
            // Restless, then up for a while.
            let start = exit - self.random.between(60.0, 200.0);
            self.restless(start.max(first), n_restless);
            self.push("BedExit", exit, Spot::Bed);
            let back = exit + self.random.within(manner.a_while_secs).min(before - 30.0);
            self.push("BedEntered", back, Spot::Bed);
        } else {
            self.restless(exit, n_restless);
        }
    }

    /// Somebody comes and stays, or came and went before; gives whether somebody is there.
    fn helper(&mut self, walk: &Walk) -> bool {
        let care = &self.options.care;
        let was_there = walk.is_helped || self.random.chance(care.visited_before);
        if !was_there {
            return false;
        }
        // A helper comes just before, or has gone for some minutes: both are one call, one coming and at last one going.
        let is_seen = self.random.chance(self.sure.sensors);
        let came = walk.start
            - if walk.is_helped { self.random.between(15.0, 150.0) } else { self.random.between(180.0, 560.0) };
        if self.random.chance(care.called) {
            let called = came - self.random.between(40.0, 300.0);
            self.push("CallLight", called, Spot::Bed);
        }
        if is_seen {
            self.push("StaffEntered", came, Spot::Entry);
        }
        if !walk.is_helped && is_seen {
            let went = came + self.random.between(40.0, 180.0);
            self.push("StaffExited", went, Spot::Entry);
        }
        walk.is_helped && is_seen
    }

    /// Stays for a while and comes back; gives the time at which the patient is in bed again.
    fn stay(&mut self, walk: &Walk, arrives: f64) -> f64 {
        let stays = match walk.purpose {
            Purpose::Toilet => self.random.between(120.0, 540.0),
            Purpose::Chair => self.random.between(600.0, 3600.0),
            Purpose::Hall => self.random.between(300.0, 1200.0),
        };
        arrives + stays
    }

    pub(super) fn door(&mut self, walk: &Walk, arrives: f64) {
        match walk.purpose {
            Purpose::Toilet => {
                self.push("DoorOpened", arrives, Spot::Bathroom);
                self.push("ZoneEntered", arrives + 1.5, Spot::Bathroom);
            }
            Purpose::Chair => drop(self.push("ZoneEntered", arrives, Spot::Chair)),
            Purpose::Hall => {
                self.push("DoorOpened", arrives, Spot::Entry);
                let along = self.random.between(0.0, 1.0);
                self.reports.push_hall("ZoneEntered", arrives + 2.0, along, Some(&self.patient.id));
            }
        }
    }
}
