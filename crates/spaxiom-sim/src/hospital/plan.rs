//! What happens to a patient in a part of a day, before anything follows from it.

use super::HospitalOptions;
use super::patient::{Aid, Patient};
use super::walk::Purpose;
use crate::random::Random;
use crate::time::{DAY, HOUR, MINUTE, day_of_week, hour_index};

/// Where a spill is: places in [`Patient::wet_until`].
pub(super) const BATHROOM: usize = 0;
pub(super) const FLOOR: usize = 1;

/// What happens to a patient, besides what follows from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Activity {
    /// Somebody looks in; a drug is taken out of the drawer.
    Visit { gives_drug: bool },
    /// The evening's visit with a sedative.
    Sedative,
    /// Water, in the bathroom or on the floor.
    Spill(usize),
    /// A cleaner or visitor puts the walker elsewhere.
    MoveWalker,
    /// The patient is restless and stays in bed.
    Restless,
    /// The patient gets up.
    Walk(Purpose),
    /// A therapist comes and walks the hall with the patient.
    Therapy,
}

/// Activities with their times.
type Plan = Vec<(f64, Activity)>;

/// Everything that is to happen from `from` to `until`, a part of one day, in order of time.
pub(super) fn plan(
    options: &HospitalOptions,
    sensors: f64,
    patient: &Patient,
    (from, until): (f64, f64),
    random: &mut Random,
) -> Plan {
    let mut plan = Plan::new();
    visits(options, sensors, patient, libm::floor(from / DAY) * DAY, random, &mut plan);
    let (care, walks) = (&options.care, &options.walks);
    for time in profiled(care.spills_per_day, &walks.other_profile, (from, until), random) {
        let place = if random.chance(care.spills_in_bathroom) { BATHROOM } else { FLOOR };
        plan.push((time, Activity::Spill(place)));
    }
    for time in random.poisson(walks.restless_per_day / DAY, from, until) {
        plan.push((time, Activity::Restless));
    }
    for (per_day, profile, purpose) in [
        (walks.toilet_per_day, &walks.toilet_profile, Purpose::Toilet),
        (walks.chair_per_day, &walks.other_profile, Purpose::Chair),
        (walks.hall_per_day, &walks.other_profile, Purpose::Hall),
    ] {
        let times = profiled(per_day, profile, (from, until), random);
        plan.extend(times.into_iter().map(|time| (time, Activity::Walk(purpose))));
    }
    for time in random.poisson(care.therapy_per_weekday / DAY, from, until) {
        // Drawn over all hours, moved into the working day.
        let midnight = libm::floor(time / DAY) * DAY;
        let [opens, closes] = care.therapy_hours;
        if day_of_week(time) < 5 {
            plan.push((midnight + (opens + (closes - opens) * (time - midnight) / DAY) * HOUR, Activity::Therapy));
        }
    }
    plan.retain(|(time, _)| (from..until).contains(time));
    plan.sort_by(|a, b| a.0.total_cmp(&b.0));
    plan
}

/// Rounds by day and night, the evening's sedative, and who moves the walker.
fn visits(
    options: &HospitalOptions,
    sensors: f64,
    patient: &Patient,
    midnight: f64,
    random: &mut Random,
    plan: &mut Plan,
) {
    let care = &options.care;
    let mut at = |hour: f64, spread_mins: f64, random: &mut Random, activity| {
        plan.push((midnight + hour * HOUR + random.normal(0.0, spread_mins * MINUTE), activity));
    };
    for &hour in &care.round_hours {
        let gives_drug = random.chance(care.round_drug);
        at(hour, 30.0, random, Activity::Visit { gives_drug });
    }
    if random.chance(care.night_round) {
        let hour = random.between(0.5, 5.0);
        let gives_drug = random.chance(care.night_drug);
        at(hour, 0.0, random, Activity::Visit { gives_drug });
    }
    if patient.takes_sedative && random.chance(options.patient.sedative_evenings) {
        at(care.sedative_hour, 15.0, random, Activity::Sedative);
    } else if random.chance(care.evening_round) {
        // Now and then a drug is logged that was not given.
        let gives_drug = random.chance((1.0 - sensors) * 0.5);
        at(care.sedative_hour, 15.0, random, Activity::Visit { gives_drug });
    }
    if patient.aid == Aid::Walker && random.chance(care.walker_moved_per_day) {
        let hour = random.between(9.0, 20.0);
        at(hour, 0.0, random, Activity::MoveWalker);
    }
}

/// Times of something that happens so often a day, more at some hours than at others.
fn profiled(per_day: f64, profile: &[f64; 24], (from, until): (f64, f64), random: &mut Random) -> Vec<f64> {
    let mean = profile.iter().sum::<f64>() / 24.0;
    let peak = profile.iter().copied().fold(0.0, f64::max);
    let rate = per_day / mean / DAY;
    random.thinned(rate * peak, from, until, |time| rate * profile[hour_index(time)])
}
