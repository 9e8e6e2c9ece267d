//! Every scenario by its name.

use chrono::{DateTime, Utc};

use crate::error::SimError;
use crate::hospital::{Hospital, HospitalOptions};
use crate::retail::{Retail, RetailOptions};
use crate::simulation::{Difficulty, SimulatedSite};
use crate::small_world::{SmallWorld, SmallWorldOptions};
use crate::warehouse::{Warehouse, WarehouseOptions};

/// What can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScenarioName {
    /// Patients who walk, fall or are helped.
    Hospital,
    /// Trucks, docks, queues and doors.
    Warehouse,
    /// Customers, aisles, tills and crowding.
    Retail,
    /// A world in which one thing alone tells the label.
    Small(SmallWorld),
}

impl ScenarioName {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Warehouse => "warehouse",
            Self::Retail => "retail",
            Self::Small(world) => world.name(),
        }
    }

    /// The constants that come with the project (TOML).
    #[must_use]
    pub fn built_in_constants(self) -> &'static str {
        match self {
            Self::Hospital => HospitalOptions::built_in_text(),
            Self::Warehouse => WarehouseOptions::built_in_text(),
            Self::Retail => RetailOptions::built_in_text(),
            Self::Small(_) => SmallWorldOptions::built_in_text(),
        }
    }
}

/// The names are those of [`ScenarioName::name`].
#[cfg(feature = "clap")]
impl clap::ValueEnum for ScenarioName {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Hospital,
            Self::Warehouse,
            Self::Retail,
            Self::Small(SmallWorld::CountOnly),
            Self::Small(SmallWorld::OrderOnly),
            Self::Small(SmallWorld::GapOnly),
            Self::Small(SmallWorld::PathOnly),
        ]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()).help(match self {
            Self::Hospital => "Patients who walk, are helped or fall, with causes spread over hours, zones and order",
            Self::Warehouse => "Trucks, docks, queues and doors",
            Self::Retail => "Customers, aisles, checkouts and crowding",
            Self::Small(SmallWorld::CountOnly) => "Small world: only the number of events of each type tells the label",
            Self::Small(SmallWorld::OrderOnly) => "Small world: only the order of types tells the label",
            Self::Small(SmallWorld::GapOnly) => "Small world: only the time between events tells the label",
            Self::Small(SmallWorld::PathOnly) => "Small world: only the direction of the path tells the label",
        }))
    }
}

/// A scenario with checked constants.
#[derive(Debug, Clone)]
pub struct Scenario(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Hospital(Hospital),
    Warehouse(Warehouse),
    Retail(Retail),
    Small(SmallWorldOptions, SmallWorld),
}

impl Scenario {
    /// Reads and checks constants (TOML).
    ///
    /// # Errors
    /// [`SimError::Toml`] for a member too many, too few or of another type, [`SimError::Setting`] for one out of range.
    pub fn new(name: ScenarioName, constants: &str, difficulty: Difficulty) -> Result<Self, SimError> {
        Ok(Self(match name {
            ScenarioName::Hospital => {
                Kind::Hospital(Hospital::new(HospitalOptions::from_toml(constants)?, difficulty)?)
            }
            ScenarioName::Warehouse => {
                Kind::Warehouse(Warehouse::new(WarehouseOptions::from_toml(constants)?, difficulty)?)
            }
            ScenarioName::Retail => Kind::Retail(Retail::new(RetailOptions::from_toml(constants)?, difficulty)?),
            ScenarioName::Small(world) => Kind::Small(SmallWorldOptions::from_toml(constants)?, world),
        }))
    }

    /// A site at its first midnight; sites differ by their number and are independent of how many there are.
    #[must_use]
    pub fn site(&self, seed: u64, site_idx: u32, start: DateTime<Utc>) -> Box<dyn SimulatedSite> {
        match &self.0 {
            Kind::Hospital(hospital) => Box::new(hospital.site(seed, site_idx, start)),
            Kind::Warehouse(warehouse) => Box::new(warehouse.site(seed, site_idx, start)),
            Kind::Retail(retail) => Box::new(retail.site(seed, site_idx, start)),
            Kind::Small(options, world) => Box::new(options.site(*world, seed, site_idx, start)),
        }
    }
}
