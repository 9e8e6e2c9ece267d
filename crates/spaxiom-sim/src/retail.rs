//! The scenario `retail`: an entrance, aisles, tills with a queue, crowding, and a hidden cause per episode.

mod options;
mod site;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::SimError;
use crate::simulation::Difficulty;

pub use options::{RetailEpisodeOptions, RetailOptions};
pub use site::RetailSite;

/// The scenario with checked constants.
#[derive(Debug, Clone)]
pub struct Retail {
    options: Arc<RetailOptions>,
    effect: f64,
}

impl Retail {
    /// Checks the constants.
    ///
    /// # Errors
    /// [`SimError::Setting`] names the constant that is out of range.
    pub fn new(options: RetailOptions, difficulty: Difficulty) -> Result<Self, SimError> {
        options.check()?;
        let effect = difficulty.pick(&options.effect.easy, &options.effect.medium, &options.effect.hard);
        Ok(Self { effect: *effect, options: Arc::new(options) })
    }

    /// One shop at midnight of its first day; sites differ by their number and are independent of how many there are.
    #[must_use]
    pub fn site(&self, seed: u64, site_idx: u32, start: DateTime<Utc>) -> RetailSite {
        RetailSite::new(Arc::clone(&self.options), self.effect, seed, site_idx, start)
    }
}
