//! The constants of the scenario, as they stand in `scenarios/warehouse.toml`.

use serde::Deserialize;

use crate::cause::{Cause, CauseWeights, EffectOptions};
use crate::error::{SimError, first_broken};
use crate::floor::{OccupancyOptions, QueueOptions};

/// The constants that come with the project.
const BUILT_IN: &str = include_str!("../../scenarios/warehouse.toml");

/// What can be going on in a warehouse.
pub(super) const CAUSES: [Cause; 6] =
    [Cause::Normal, Cause::LateBatch, Cause::BlockedDock, Cause::Understaffing, Cause::DoorFault, Cause::AlarmDrill];

/// Constants of the scenario; each is documented in `scenarios/warehouse.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct WarehouseOptions {
    pub docks: [usize; 2],
    pub service_per_hour: f64,
    pub least_service_mins: f64,
    pub utilisation: f64,
    pub daily_profile: [f64; 24],
    pub weekly_profile: [f64; 7],
    pub site_rate_sd: f64,
    pub staff_doors_per_hour: f64,
    pub tailgating: f64,
    pub checks_per_hour: f64,
    pub check_secs: [f64; 2],
    pub queue: QueueOptions,
    pub occupancy: OccupancyOptions,
    pub episodes: EpisodeOptions,
    pub effect: EffectOptions,
}

/// How often each hidden cause comes, and what it does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct EpisodeOptions {
    pub hours: u32,
    pub weights: CauseWeights,
    pub late_share: [f64; 2],
    pub late_within_mins: f64,
    pub understaffed_service: [f64; 2],
    pub understaffed_staff: f64,
    pub reopens: [f64; 2],
    pub reopens_secs: [f64; 2],
    pub drill_mins: [f64; 2],
    pub drill_people: [usize; 2],
}

impl Default for WarehouseOptions {
    fn default() -> Self {
        Self::from_toml(BUILT_IN).expect("the scenario that comes with the project is read by a test")
    }
}

impl WarehouseOptions {
    /// The text of the constants that come with the project.
    #[must_use]
    pub fn built_in_text() -> &'static str {
        BUILT_IN
    }

    /// Reads a scenario file.
    pub fn from_toml(text: &str) -> Result<Self, SimError> {
        Ok(toml::from_str(text)?)
    }

    pub(super) fn check(&self) -> Result<(), SimError> {
        let [least, most] = self.docks;
        let profiles = self.daily_profile.iter().chain(&self.weekly_profile);
        let hours = self.episodes.hours;
        first_broken(&[
            ("docks", "at least 2, and not more at least than at most", least >= 2 && least <= most),
            ("service-per-hour", "above 0", self.service_per_hour > 0.0),
            ("utilisation", "between 0 and 1", self.utilisation > 0.0 && self.utilisation < 1.0),
            ("daily-profile and weekly-profile", "shares above 0", profiles.clone().all(|share| *share > 0.0)),
            ("queue", "cleared-at below formed-at below overflow-at", self.queue.is_ordered()),
            ("episodes.hours", "a part of 24", hours > 0 && 24 % hours == 0),
            (
                "episodes.weights",
                "above 0, of causes that a warehouse has, with the sum 1",
                self.episodes.weights.are_of(&CAUSES),
            ),
        ])
    }
}
