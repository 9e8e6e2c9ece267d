//! A simulation: a scenario and everything that decides its bytes.

use chrono::{DateTime, Utc};
use spaxiom_sim::{Delivery, Difficulty, Noise, NoiseLevel, NoiseOptions, Scenario, ScenarioName, SimulatedSite};

/// A scenario and everything that decides its bytes.
#[derive(Debug, Clone)]
pub(super) struct Simulation {
    pub(super) name: ScenarioName,
    pub(super) scenario: Scenario,
    pub(super) constants: String,
    pub(super) difficulty: Difficulty,
    pub(super) noise: NoiseLevel,
    pub(super) noise_options: Option<NoiseOptions>,
    pub(super) seed: u64,
    pub(super) n_sites: u32,
    pub(super) n_days: u32,
    pub(super) start: DateTime<Utc>,
}

impl Simulation {
    /// A site at its first midnight, with its noise.
    pub(super) fn site(&self, site_idx: u32) -> anyhow::Result<Noisy> {
        let site = self.scenario.site(self.seed, site_idx, self.start);
        let noise = Noise::new(self.noise_options.clone(), self.seed, site_idx, self.start)?;
        Ok(Noisy { site, noise })
    }
}

/// A site, and what becomes of its events on their way.
pub(super) struct Noisy {
    pub(super) site: Box<dyn SimulatedSite>,
    pub(super) noise: Noise,
}

impl Noisy {
    pub(super) fn next_day(&mut self) -> Vec<Delivery> {
        self.noise.apply(self.site.next_day()).deliveries
    }
}
