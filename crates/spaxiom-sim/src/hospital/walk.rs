//! One walk of a patient: why, how, whether somebody helps, and whether a hidden cause of a fall is complete.

use std::fmt;

use super::HospitalOptions;
use super::building::Spot;
use super::patient::{Aid, Patient};
use super::traits::SiteTraits;
use crate::random::{Random, sigmoid};
use crate::time::{DAY, hour_of_day};

/// Where a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Toilet,
    Chair,
    Hall,
}

/// The three routes of the hidden cascade: each needs all of its parts, and that nobody helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// At night, sedated, on the way to the bathroom.
    SedatedAtNight,
    /// In an acute bout, holding on to furniture or without the walker.
    AcuteBout,
    /// In a hurry, on a wet floor.
    WetFloor,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SedatedAtNight => "sedated_at_night",
            Self::AcuteBout => "acute_bout",
            Self::WetFloor => "wet_floor",
        })
    }
}

/// When a walk begins, why, and whether a therapist is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begin {
    pub(super) start: f64,
    pub(super) purpose: Purpose,
    pub(super) is_therapy: bool,
}

/// A walk before it begins.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "the parts of the cascade, each by its name")]
pub(super) struct Walk {
    /// When the patient leaves the bed.
    pub(super) start: f64,
    pub(super) purpose: Purpose,
    pub(super) is_night: bool,
    pub(super) is_sedated: bool,
    pub(super) is_acute: bool,
    pub(super) is_urgent: bool,
    pub(super) is_wet: bool,
    pub(super) is_helped: bool,
    /// There is a walker, and it is out of reach.
    pub(super) is_walker_left: bool,
    pub(super) has_trouble: bool,
    /// The cause of a fall, complete.
    pub(super) route: Option<Route>,
}

/// From 20:00 to 07:59, as in Decalf 2018.
pub(super) fn is_night(time: f64) -> bool {
    !(8.0..20.0).contains(&hour_of_day(time))
}

impl Walk {
    pub(super) fn sample(
        options: &HospitalOptions,
        site: &SiteTraits,
        ward_idx: usize,
        patient: &mut Patient,
        Begin { start, purpose, is_therapy }: Begin,
        random: &mut Random,
    ) -> Self {
        let is_night = is_night(start);
        let is_acute = patient.is_acute(start, options, random);
        let [bathroom, floor] = patient.wet_until.map(|until| start < until);
        let mut walk = Self {
            start,
            purpose,
            is_night,
            is_sedated: patient.is_sedated(start, options),
            is_acute,
            is_urgent: random.chance(options.patient.urgency),
            is_wet: floor || (bathroom && purpose == Purpose::Toilet),
            is_helped: is_therapy
                || start < patient.watched_until
                || random.chance(helped(options, site, patient, is_night)),
            is_walker_left: patient.aid == Aid::Walker && patient.walker_at != Spot::Bedside,
            has_trouble: false,
            route: None,
        };
        let route = walk.route_if_trouble(patient.aid);
        walk.has_trouble = random.chance(walk.trouble(options, site, ward_idx, patient, route));
        walk.route = route.filter(|_| walk.has_trouble);
        walk
    }

    /// The cause that is complete should there be trouble.
    fn route_if_trouble(&self, aid: Aid) -> Option<Route> {
        if self.is_helped {
            return None;
        }
        let sedated = self.is_night && self.is_sedated && self.purpose == Purpose::Toilet;
        let acute = self.is_acute && (aid == Aid::Furniture || self.is_walker_left);
        let wet = self.is_urgent && self.is_wet;
        let routes = [(sedated, Route::SedatedAtNight), (acute, Route::AcuteBout), (wet, Route::WetFloor)];
        routes.into_iter().find(|(is_complete, _)| *is_complete).map(|(_, route)| route)
    }

    /// Chance of trouble that is reported.
    fn trouble(
        &self,
        options: &HospitalOptions,
        site: &SiteTraits,
        ward_idx: usize,
        patient: &Patient,
        route: Option<Route>,
    ) -> f64 {
        let (walks, stay) = (&options.walks, &options.stay);
        let days = (self.start - patient.admitted) / DAY;
        let early = 1.0 + stay.early_excess * libm::exp(-days / stay.early_days);
        // What leads to a fall is seen at every threshold.
        let threshold = if route.is_none() { site.threshold + libm::log(walks.harmless) } else { 0.0 };
        let exponent = walks.trouble_frailty * patient.frailty + site.ward_rates[ward_idx] + threshold;
        let acute = if self.is_acute { walks.trouble_acute } else { 1.0 };
        let wet = if self.is_wet { walks.trouble_wet } else { 1.0 };
        let dark = if self.is_night { walks.trouble_night } else { 1.0 };
        (walks.trouble * early * libm::exp(exponent) * acute * wet * dark).min(0.9)
    }
}

/// Chance that somebody helps: less at night, more for those whom the Morse scale calls at risk.
fn helped(options: &HospitalOptions, site: &SiteTraits, patient: &Patient, is_night: bool) -> f64 {
    let care = &options.care;
    let night = if is_night { care.helped_at_night } else { 0.0 };
    let morse = care.helped_by_morse * (f64::from(patient.morse) - 45.0) / 25.0;
    sigmoid(care.helped + night + morse + site.staffing)
}
