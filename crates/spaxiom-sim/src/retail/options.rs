//! The constants of the scenario, as they stand in `scenarios/retail.toml`.

use serde::Deserialize;

use crate::cause::{Cause, CauseWeights, EffectOptions};
use crate::error::{SimError, first_broken};
use crate::floor::{OccupancyOptions, QueueOptions};

/// The constants that come with the project.
const BUILT_IN: &str = include_str!("../../scenarios/retail.toml");

/// What can be going on in a shop.
const CAUSES: [Cause; 5] = [Cause::Normal, Cause::Promotion, Cause::Understaffing, Cause::DoorFault, Cause::AlarmDrill];

/// Constants of the scenario; each is documented in `scenarios/retail.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct RetailOptions {
    pub aisles: [usize; 2],
    pub tills: [usize; 2],
    pub open_hours: [u32; 2],
    pub customers_per_till_hour: f64,
    pub served_per_till_hour: f64,
    pub daily_profile: [f64; 24],
    pub weekly_profile: [f64; 7],
    pub site_rate_sd: f64,
    pub aisles_visited: [usize; 2],
    pub aisle_mins: [f64; 2],
    pub tailgating: f64,
    pub queue: QueueOptions,
    pub occupancy: OccupancyOptions,
    pub episodes: RetailEpisodeOptions,
    pub effect: EffectOptions,
}

/// How often each hidden cause comes, and what it does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented beside their values in the scenario file")]
pub struct RetailEpisodeOptions {
    pub hours: u32,
    pub weights: CauseWeights,
    pub promotion_customers: [f64; 2],
    pub promotion_share: [f64; 2],
    pub understaffed_service: [f64; 2],
    pub reopens: [f64; 2],
    pub reopens_secs: [f64; 2],
    pub drill_mins: [f64; 2],
}

impl Default for RetailOptions {
    fn default() -> Self {
        Self::from_toml(BUILT_IN).expect("the scenario that comes with the project is read by a test")
    }
}

impl RetailOptions {
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
        let [opens, closes] = self.open_hours;
        let hours = self.episodes.hours;
        let ranges = [self.aisles, self.tills, self.aisles_visited];
        let profiles = self.daily_profile.iter().chain(&self.weekly_profile);
        let is_whole = hours > 0 && closes > opens && (closes - opens) % hours == 0;
        first_broken(&[
            (
                "aisles and tills",
                "at least 1, and not more at least than at most",
                ranges.iter().all(|[a, b]| 1 <= *a && a <= b),
            ),
            ("aisles-visited", "not more than there are aisles", self.aisles_visited[1] <= self.aisles[0]),
            ("open-hours", "an hour of the day and a later one", opens < closes && closes <= 24),
            ("customers-per-till-hour", "above 0", self.customers_per_till_hour > 0.0),
            (
                "served-per-till-hour",
                "above customers-per-till-hour",
                self.served_per_till_hour > self.customers_per_till_hour,
            ),
            ("daily-profile and weekly-profile", "shares above 0", profiles.clone().all(|share| *share > 0.0)),
            ("queue", "cleared-at below formed-at below overflow-at", self.queue.is_ordered()),
            ("episodes.hours", "a part of the opening hours", is_whole),
            (
                "episodes.weights",
                "above 0, of causes that a shop has, with the sum 1",
                self.episodes.weights.are_of(&CAUSES),
            ),
        ])
    }
}
