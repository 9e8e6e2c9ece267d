//! A patient: what does not change in a stay, and what does.

use spaxiom_event::EntityId;

use super::HospitalOptions;
use super::building::Spot;
use crate::random::{Random, sigmoid};
use crate::time::{DAY, HOUR};

/// What a patient holds on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aid {
    None,
    Walker,
    Furniture,
}

/// A patient in a room.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    pub(super) id: EntityId,
    pub(super) admitted: f64,
    pub(super) discharged: f64,
    /// Standard normal; nobody sees it.
    pub(super) frailty: f64,
    /// The Morse Fall Scale, 0 to 125.
    pub(super) morse: u32,
    pub(super) aid: Aid,
    pub(super) usual_mps: f64,
    pub(super) takes_sedative: bool,
    /// The current or next acute bout.
    bout: (f64, f64),
    /// When the last sedative was given.
    pub(super) sedated_at: f64,
    /// Where the walker stands; within reach at the bedside only.
    pub(super) walker_at: Spot,
    /// Until when the bathroom and the floor are wet.
    pub(super) wet_until: [f64; 2],
    /// After a fall or near-fall somebody is always there until then.
    pub(super) watched_until: f64,
    /// Nothing else begins before.
    pub(super) busy_until: f64,
    pub(super) n_falls: u32,
    pub(super) n_near_falls: u32,
}

impl Patient {
    pub(super) fn sample(options: &HospitalOptions, id: EntityId, admitted: f64, random: &mut Random) -> Self {
        let stay = &options.stay;
        let patient = &options.patient;
        let frailty = random.normal(0.0, 1.0);
        let aid = aid(options, frailty, random);
        // The median of a log-normal with this mean.
        let median_days = stay.mean_days * libm::exp(-stay.log_sd * stay.log_sd / 2.0);
        let usual_mps = loop {
            // Frail patients are slower; together the spread is that of the source.
            let own = random.normal(-0.5 * frailty, 0.866);
            let speed = patient.gait_mean_mps + patient.gait_sd_mps * own;
            if speed >= patient.gait_least_mps {
                break speed;
            }
        };
        let mut patient = Self {
            id,
            admitted,
            discharged: admitted + random.log_normal(median_days, stay.log_sd).clamp(0.3, 60.0) * DAY,
            frailty,
            morse: morse(frailty, aid, random),
            aid,
            usual_mps,
            takes_sedative: random.chance(patient.sedative),
            bout: (admitted, admitted),
            sedated_at: f64::NEG_INFINITY,
            walker_at: Spot::Bedside,
            wet_until: [f64::NEG_INFINITY; 2],
            watched_until: f64::NEG_INFINITY,
            busy_until: admitted,
            n_falls: 0,
            n_near_falls: 0,
        };
        patient.plan_bout(options, random);
        patient
    }

    fn plan_bout(&mut self, options: &HospitalOptions, random: &mut Random) {
        let options = &options.patient;
        let per_day = options.bouts_per_day * libm::exp(options.bout_frailty * self.frailty);
        let start = self.bout.1 + random.exponential(DAY / per_day);
        self.bout = (start, start + random.exponential(options.bout_hours * HOUR));
    }

    /// Whether an acute bout is on; times have to be asked for in order.
    pub(super) fn is_acute(&mut self, time: f64, options: &HospitalOptions, random: &mut Random) -> bool {
        while self.bout.1 < time {
            self.plan_bout(options, random);
        }
        self.bout.0 <= time
    }

    /// Whether the evening's sedative works.
    pub(super) fn is_sedated(&self, time: f64, options: &HospitalOptions) -> bool {
        let hours = (time - self.sedated_at) / HOUR;
        (0.5..options.patient.sedated_hours).contains(&hours)
    }
}

fn aid(options: &HospitalOptions, frailty: f64, random: &mut Random) -> Aid {
    let (walker, furniture) = (options.patient.walker, options.patient.furniture);
    let more = libm::exp(0.4 * frailty);
    let weights = [1.0 - walker - furniture, walker * more, furniture * more];
    [Aid::None, Aid::Walker, Aid::Furniture][random.weighted(&weights)]
}

/// The six items of the Morse Fall Scale (Morse 1989), each more likely with frailty.
fn morse(frailty: f64, aid: Aid, random: &mut Random) -> u32 {
    let mut has = |at_zero: f64, slope: f64| random.chance(sigmoid(at_zero + slope * frailty));
    let history = if has(-1.4, 0.5) { 25 } else { 0 };
    let second_diagnosis = if has(0.3, 0.3) { 15 } else { 0 };
    let ambulatory_aid = match aid {
        Aid::None => 0,
        Aid::Walker => 15,
        Aid::Furniture => 30,
    };
    let infusion = if has(-0.3, 0.1) { 20 } else { 0 };
    let gait = if has(-1.8, 0.7) { 20 } else { u32::from(has(-0.6, 0.6)) * 10 };
    let forgets_limits = if has(-1.8, 0.6) { 15 } else { 0 };
    history + second_diagnosis + ambulatory_aid + infusion + gait + forgets_limits
}
