//! The scenario `warehouse`: trucks, docks, doors, a staging area, and a hidden cause per episode.

mod options;
mod site;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::SimError;
use crate::simulation::Difficulty;

pub use options::{EpisodeOptions, WarehouseOptions};
pub use site::WarehouseSite;

/// The scenario with checked constants.
#[derive(Debug, Clone)]
pub struct Warehouse {
    options: Arc<WarehouseOptions>,
    effect: f64,
}

impl Warehouse {
    /// Checks the constants.
    ///
    /// # Errors
    /// [`SimError::Setting`] names the constant that is out of range.
    pub fn new(options: WarehouseOptions, difficulty: Difficulty) -> Result<Self, SimError> {
        options.check()?;
        let effect = difficulty.pick(&options.effect.easy, &options.effect.medium, &options.effect.hard);
        Ok(Self { effect: *effect, options: Arc::new(options) })
    }

    /// One warehouse at midnight of its first day; sites differ by their number and are independent of how many there are.
    #[must_use]
    pub fn site(&self, seed: u64, site_idx: u32, start: DateTime<Utc>) -> WarehouseSite {
        WarehouseSite::new(Arc::clone(&self.options), self.effect, seed, site_idx, start)
    }
}
