//! Simulated buildings with hidden causes.
//!
//! Takes a scenario and a seed, gives events and, apart from them, the labels of what caused them.
//! Knows no tokens and no tensors. The same scenario and seed give the same bytes on every machine.
//!
//! # Example
//!
//! ```
//! use spaxiom_sim::{Difficulty, SimulatedSite, Warehouse, WarehouseOptions};
//!
//! let warehouse = Warehouse::new(WarehouseOptions::default(), Difficulty::Medium)?;
//! let mut site = warehouse.site(42, 0, "2025-01-06T00:00:00Z".parse()?);
//! let day = site.next_day();
//! assert!(day.events.len() > 100);
//! assert!(day.truth.spans.iter().any(|span| span.label == "normal"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `clap`: scenarios, difficulties and noise are values of a command line.

mod benchmark;
mod calibration;
mod cause;
mod error;
mod floor;
mod hospital;
mod ids;
mod noise;
mod queue;
mod random;
mod retail;
mod scenario;
mod simulation;
mod small_world;
mod time;
mod warehouse;

pub use crate::benchmark::write_benchmark_events;
pub use crate::calibration::{Calibration, CalibrationRow};
pub use crate::cause::{Cause, CauseWeights, EffectOptions};
pub use crate::error::SimError;
pub use crate::floor::{OccupancyOptions, QueueOptions};
pub use crate::hospital::{
    BuildingOptions, CareOptions, DifficultyOptions, Hospital, HospitalOptions, HospitalSite, HospitalTally,
    MannerOptions, OutcomeOptions, PatientOptions, Route, SiteOptions, StayOptions, SureOptions, WalkOptions,
    WardTally,
};
pub use crate::noise::{Delivery, Noise, NoiseLevel, NoiseOptions, NoisyDay};
pub use crate::queue::{Dock, ErlangC, Visit, serve};
pub use crate::retail::{Retail, RetailEpisodeOptions, RetailOptions, RetailSite};
pub use crate::scenario::{Scenario, ScenarioName};
pub use crate::simulation::{Day, Difficulty, SimulatedSite, Truth};
pub use crate::small_world::{SmallWorld, SmallWorldOptions, SmallWorldSite};
pub use crate::warehouse::{EpisodeOptions, Warehouse, WarehouseOptions, WarehouseSite};
