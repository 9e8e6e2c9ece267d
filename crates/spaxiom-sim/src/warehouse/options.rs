//! The constants of the scenario, as they stand in `datasets/scenarios/warehouse.toml`.

use serde::Deserialize;

use crate::error::SimError;

/// The constants that come with the project.
const BUILT_IN: &str = include_str!("../../../../datasets/scenarios/warehouse.toml");

/// Constants of the scenario; each is documented in `datasets/scenarios/warehouse.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct WarehouseOptions {
    pub docks: [usize; 2],
    pub service_per_hour: f64,
    pub utilisation: f64,
    pub daily_profile: [f64; 24],
    pub site_rate_sd: f64,
    pub staff_doors_per_hour: f64,
    pub checks_per_hour: f64,
    pub check_secs: f64,
    pub queue: QueueOptions,
    pub occupancy: OccupancyOptions,
    pub causes: CauseOptions,
}

/// When a queue is reported.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct QueueOptions {
    pub formed_at: usize,
    pub persists_secs: f64,
    pub cleared_at: usize,
}

/// When a change of occupancy is reported.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OccupancyOptions {
    pub points_per_truck: f64,
    pub reported_change: f64,
}

/// How often each hidden cause comes, and what it does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CauseOptions {
    pub episode_hours: u32,
    pub normal: f64,
    pub late_batch: f64,
    pub blocked_dock: f64,
    pub understaffing: f64,
    pub late_share: f64,
    pub late_within_mins: f64,
    pub understaffed_service: f64,
    pub understaffed_staff: f64,
}

impl Default for WarehouseOptions {
    fn default() -> Self {
        Self::from_toml(BUILT_IN).expect("the scenario that comes with the project is read by a test")
    }
}

impl WarehouseOptions {
    /// Reads a scenario file.
    pub fn from_toml(text: &str) -> Result<Self, SimError> {
        Ok(toml::from_str(text)?)
    }

    pub(super) fn check(&self) -> Result<(), SimError> {
        let [least, most] = self.docks;
        let causes = &self.causes;
        let weights = causes.normal + causes.late_batch + causes.blocked_dock + causes.understaffing;
        let rules = [
            ("docks", "at least 2, and not more at least than at most", least >= 2 && least <= most),
            ("service-per-hour", "above 0", self.service_per_hour > 0.0),
            ("utilisation", "between 0 and 1", self.utilisation > 0.0 && self.utilisation < 1.0),
            ("daily-profile", "24 shares above 0", self.daily_profile.iter().all(|share| *share > 0.0)),
            ("queue.formed-at", "above queue.cleared-at", self.queue.formed_at > self.queue.cleared_at),
            ("causes.episode-hours", "a part of 24", causes.episode_hours > 0 && 24 % causes.episode_hours == 0),
            ("causes", "weights with the sum 1", (weights - 1.0).abs() < 1e-9),
        ];
        match rules.into_iter().find(|(_, _, holds)| !holds) {
            Some((name, want, _)) => Err(SimError::Setting { name, want }),
            None => Ok(()),
        }
    }
}
