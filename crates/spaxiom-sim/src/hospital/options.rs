//! The constants of the scenario, as they stand in `scenarios/hospital.toml`.

use serde::Deserialize;

use crate::error::{SimError, first_broken};

/// The constants that come with the project.
const BUILT_IN: &str = include_str!("../../scenarios/hospital.toml");

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[expect(missing_docs, reason = "documented beside their values in the scenario file")]
        pub struct $name {
            $(pub $field: $kind,)*
        }
    };
}

section! {
    /// Constants of the scenario; each is documented in `scenarios/hospital.toml`.
    HospitalOptions {
        building: BuildingOptions,
        stay: StayOptions,
        site: SiteOptions,
        patient: PatientOptions,
        care: CareOptions,
        walks: WalkOptions,
        manner: MannerOptions,
        outcome: OutcomeOptions,
        difficulty: DifficultyOptions,
    }
}
section! {
    /// Wards and beds.
    BuildingOptions { wards: [usize; 2], beds: [usize; 2], occupancy: f64 }
}
section! {
    /// How long patients stay, and when they are worst.
    StayOptions { mean_days: f64, log_sd: f64, early_excess: f64, early_days: f64 }
}
section! {
    /// How hospitals differ.
    SiteOptions {
        rate_sd: f64,
        ward_rate_sd: f64,
        threshold_sd: f64,
        staffing_sd: f64,
        clock_sd_secs: f64,
        lacks_kind: f64,
    }
}
section! {
    /// How patients differ.
    PatientOptions {
        gait_mean_mps: f64,
        gait_sd_mps: f64,
        gait_least_mps: f64,
        walker: f64,
        furniture: f64,
        sedative: f64,
        sedative_evenings: f64,
        sedated_hours: f64,
        bouts_per_day: f64,
        bout_frailty: f64,
        bout_hours: f64,
        urgency: f64,
    }
}
section! {
    /// What staff does, and what stands or lies in the way.
    CareOptions {
        helped: f64,
        helped_at_night: f64,
        helped_by_morse: f64,
        called: f64,
        visited_before: f64,
        round_hours: Vec<f64>,
        therapy_per_weekday: f64,
        therapy_hours: [f64; 2],
        round_drug: f64,
        night_round: f64,
        night_drug: f64,
        sedative_hour: f64,
        evening_round: f64,
        walker_put_back: f64,
        walker_moved_per_day: f64,
        spills_per_day: f64,
        spills_in_bathroom: f64,
        wiped_at_once: f64,
        wiped_mins: f64,
        wet_mins: f64,
        watched_hours: f64,
        hall_doors_per_hour: f64,
    }
}
section! {
    /// How often patients walk, and how often they have trouble.
    WalkOptions {
        toilet_per_day: f64,
        chair_per_day: f64,
        hall_per_day: f64,
        toilet_profile: [f64; 24],
        other_profile: [f64; 24],
        restless_per_day: f64,
        trouble: f64,
        harmless: f64,
        trouble_acute: f64,
        trouble_wet: f64,
        trouble_night: f64,
        trouble_frailty: f64,
    }
}
section! {
    /// How walks look.
    MannerOptions {
        urgent_secs: [f64; 2],
        calm_secs: [f64; 2],
        short_exit: f64,
        short_exit_acute: f64,
        at_once_secs: [f64; 2],
        a_while_secs: [f64; 2],
        restless: f64,
        restless_acute: f64,
        first_with_cause: [f64; 3],
        first_without: [f64; 3],
        less_stable: f64,
    }
}
section! {
    /// What trouble leads to.
    OutcomeOptions {
        with_cause: f64,
        without_cause: f64,
        frailty: f64,
        fall_share: f64,
        injurious: f64,
        horizon_secs: f64,
        median_secs: f64,
        log_sd: f64,
    }
}
section! {
    /// How sure the evidence is.
    DifficultyOptions { easy: SureOptions, medium: SureOptions, hard: SureOptions }
}
section! {
    /// Chance that a piece of evidence looks as it should.
    SureOptions { manner: f64, sensors: f64 }
}

impl Default for HospitalOptions {
    fn default() -> Self {
        Self::from_toml(BUILT_IN).expect("the scenario that comes with the project is read by a test")
    }
}

impl HospitalOptions {
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

    pub(super) fn check(&self) -> Result<(), SimError> {
        let Self { building, stay, site: _, patient, care, walks, manner, outcome, difficulty } = self;
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let ranges = [building.wards, building.beds];
        let shares = [patient.walker, patient.furniture, patient.sedative, patient.sedative_evenings, patient.urgency];
        let outcomes = [outcome.with_cause, outcome.without_cause, outcome.fall_share, outcome.injurious];
        let sure = [&difficulty.easy, &difficulty.medium, &difficulty.hard];
        let sure = sure.into_iter().flat_map(|sure| [sure.manner, sure.sensors]);
        let rates = [walks.toilet_per_day, walks.chair_per_day, walks.hall_per_day];
        let profiles = walks.toilet_profile.iter().chain(&walks.other_profile);
        let spans = [manner.urgent_secs, manner.calm_secs, manner.at_once_secs, manner.a_while_secs];
        first_broken(&[
            (
                "building",
                "at least 1, and not more at least than at most",
                ranges.iter().all(|[a, b]| 1 <= *a && a <= b),
            ),
            ("building.occupancy", "above 0 and below 1", building.occupancy > 0.0 && building.occupancy < 1.0),
            ("stay.mean-days", "above 0", stay.mean_days > 0.0),
            ("patient", "shares between 0 and 1", shares.into_iter().all(is_share)),
            ("patient.walker and patient.furniture", "1 at most together", patient.walker + patient.furniture <= 1.0),
            ("care", "shares between 0 and 1", is_share(care.called) && is_share(care.visited_before)),
            ("care.round-hours", "hours of a day", care.round_hours.iter().all(|hour| (0.0..24.0).contains(hour))),
            ("care.therapy-per-weekday", "0 or more", care.therapy_per_weekday >= 0.0),
            (
                "care.therapy-hours",
                "two hours of a day, the first before the second",
                0.0 <= care.therapy_hours[0]
                    && care.therapy_hours[0] < care.therapy_hours[1]
                    && care.therapy_hours[1] <= 24.0,
            ),
            ("walks", "above 0 a day", rates.iter().all(|rate| *rate > 0.0)),
            ("walks", "profiles above 0", profiles.clone().all(|share| *share > 0.0)),
            ("manner", "from above 0 to more", spans.iter().all(|[from, to]| 0.0 < *from && from < to)),
            ("outcome", "shares between 0 and 1", outcomes.into_iter().all(is_share)),
            ("outcome.horizon-secs", "above 0", outcome.horizon_secs > 0.0),
            ("difficulty", "shares between 0 and 1", sure.clone().all(is_share)),
        ])
    }
}
