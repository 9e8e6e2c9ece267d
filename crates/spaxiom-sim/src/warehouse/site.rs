//! One warehouse: its layout, its rate of arrivals, and the episodes that it goes through.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Normal};
use spaxiom_event::{Position, SiteId};

use super::{Cause, Episode, WarehouseOptions};

/// Metres between two docks.
const DOCK_SPACING_M: f64 = 5.0;

/// A simulated warehouse.
#[derive(Debug, Clone)]
pub struct Site {
    id: SiteId,
    n_docks: usize,
    arrivals_per_hour: f64,
    /// Where the first dock is; sites are laid out alike, but not equal.
    origin: Position,
}

impl Site {
    pub(super) fn sample(options: &WarehouseOptions, site_idx: u32, rng: &mut impl Rng) -> Self {
        let n_docks = rng.random_range(options.docks[0]..=options.docks[1]);
        let spread = Normal::new(0.0, options.site_rate_sd).expect("checked constants");
        let factor = spread.sample(rng).exp().clamp(0.7, 1.2);
        Self {
            id: SiteId::from(format!("warehouse-{site_idx:02}")),
            n_docks,
            arrivals_per_hour: options.utilisation * options.service_per_hour * n_docks as f64 * factor,
            origin: Position { x: rng.random_range(0.0..4.0), y: rng.random_range(0.0..2.0), z: None },
        }
    }

    /// The site's name.
    #[must_use]
    pub fn id(&self) -> &SiteId {
        &self.id
    }

    /// Number of docks.
    #[must_use]
    pub fn n_docks(&self) -> usize {
        self.n_docks
    }

    pub(super) fn arrivals_per_hour(&self) -> f64 {
        self.arrivals_per_hour
    }

    pub(super) fn dock(&self, dock_idx: usize) -> Position {
        self.at(DOCK_SPACING_M * dock_idx as f64, 0.0)
    }

    /// A point so many metres from the first dock: along the docks, and out into the yard (negative: into the hall).
    pub(super) fn at(&self, along: f64, out: f64) -> Position {
        Position { x: self.origin.x + along, y: self.origin.y + out, z: None }
    }

    /// A cause for each stretch of `episode-hours`, from the start to the end of the simulation.
    pub(super) fn episodes(&self, options: &WarehouseOptions, n_days: u32, rng: &mut impl Rng) -> Vec<Episode> {
        let hours = options.causes.episode_hours;
        let secs = f64::from(hours) * 3600.0;
        (0..n_days * 24 / hours)
            .map(|number| Episode {
                cause: sample_cause(options, rng),
                start: f64::from(number) * secs,
                end: f64::from(number + 1) * secs,
                blocked_dock: rng.random_range(0..self.n_docks),
            })
            .collect()
    }
}

fn sample_cause(options: &WarehouseOptions, rng: &mut impl Rng) -> Cause {
    let causes = &options.causes;
    let weights = [
        (Cause::LateBatch, causes.late_batch),
        (Cause::BlockedDock, causes.blocked_dock),
        (Cause::Understaffing, causes.understaffing),
    ];
    let mut left = rng.random_range(0.0..1.0);
    for (cause, weight) in weights {
        if left < weight {
            return cause;
        }
        left -= weight;
    }
    Cause::Normal
}
