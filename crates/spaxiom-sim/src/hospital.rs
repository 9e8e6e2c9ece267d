//! The scenario `hospital`: patients walk, some are helped, some fall, and the reason is spread over hours, zones and order.
//!
//! `docs/simulation.md` draws the causal model; `scenarios/hospital.toml` has its constants.

mod building;
mod life;
mod options;
mod patient;
mod plan;
mod report;
mod site;
mod tally;
mod traits;
mod trouble;
mod walk;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::SimError;
use crate::simulation::Difficulty;

pub use options::{
    BuildingOptions, CareOptions, DifficultyOptions, HospitalOptions, MannerOptions, OutcomeOptions, PatientOptions,
    SiteOptions, StayOptions, SureOptions, WalkOptions,
};
pub use site::HospitalSite;
pub use tally::{HospitalTally, WardTally};
pub use walk::Route;

/// The scenario with checked constants.
#[derive(Debug, Clone)]
pub struct Hospital {
    options: Arc<HospitalOptions>,
    difficulty: Difficulty,
}

impl Hospital {
    /// Checks the constants.
    ///
    /// # Errors
    /// [`SimError::Setting`] names the constant that is out of range.
    pub fn new(options: HospitalOptions, difficulty: Difficulty) -> Result<Self, SimError> {
        options.check()?;
        Ok(Self { options: Arc::new(options), difficulty })
    }

    /// One hospital at midnight of its first day; hospitals differ by their number and are independent of how many there are.
    #[must_use]
    pub fn site(&self, seed: u64, site_idx: u32, start: DateTime<Utc>) -> HospitalSite {
        HospitalSite::new(Arc::clone(&self.options), self.difficulty, seed, site_idx, start)
    }
}
