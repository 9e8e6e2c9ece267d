//! The scenario `warehouse`: trucks, docks, doors, a staging area, and a hidden cause per episode.

mod events;
mod options;
mod site;

use std::fmt;

use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spaxiom_event::LabelSpan;

use crate::Simulation;
use crate::error::SimError;

pub use options::WarehouseOptions;
pub use site::Site;

/// What is really going on in an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Nothing unusual.
    Normal,
    /// Most trucks of the episode come late and together.
    LateBatch,
    /// One dock starts no service.
    BlockedDock,
    /// Service takes longer, and fewer people come and go.
    Understaffing,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::LateBatch => "late_batch",
            Self::BlockedDock => "blocked_dock",
            Self::Understaffing => "understaffing",
        })
    }
}

/// A stretch of time at one site with one hidden cause; times in seconds from the start of the simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Episode {
    cause: Cause,
    start: f64,
    end: f64,
    /// The dock that [`Cause::BlockedDock`] blocks.
    blocked_dock: usize,
}

/// The scenario with checked constants.
#[derive(Debug, Clone)]
pub struct Warehouse {
    options: WarehouseOptions,
}

impl Warehouse {
    /// Checks the constants.
    ///
    /// # Errors
    /// [`SimError::Setting`] names the constant that is out of range.
    pub fn new(options: WarehouseOptions) -> Result<Self, SimError> {
        options.check()?;
        Ok(Self { options })
    }

    /// Simulates one site; sites differ by their number and are independent of how many there are.
    #[must_use]
    pub fn simulate(&self, seed: u64, site_idx: u32, start: DateTime<Utc>, n_days: u32) -> Simulation {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(site_idx));
        let site = Site::sample(&self.options, site_idx, &mut rng);
        let episodes = site.episodes(&self.options, n_days, &mut rng);
        let events = events::simulate(&self.options, &site, &episodes, start, &mut rng);
        let labels = labels(&site, &episodes, start);
        Simulation { events, labels }
    }
}

fn labels(site: &Site, episodes: &[Episode], start: DateTime<Utc>) -> Vec<LabelSpan> {
    (0..)
        .zip(episodes)
        .map(|(number, episode): (u32, _)| LabelSpan {
            site_id: site.id().clone(),
            episode_id: format!("{}-{number}", site.id()),
            label: episode.cause.to_string(),
            start: events::instant(start, episode.start),
            // The next episode begins at this instant.
            end: events::instant(start, episode.end) - chrono::TimeDelta::nanoseconds(1),
        })
        .collect()
}
