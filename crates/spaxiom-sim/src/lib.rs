//! Simulated buildings with hidden causes.
//!
//! Takes a scenario and a seed, gives events and, apart from them, the labels of what caused them.
//! Knows no tokens and no tensors. The same scenario and seed give the same bytes on every machine.

mod benchmark;
mod error;
mod queue;
mod small_world;
mod warehouse;

pub use crate::benchmark::write_benchmark_events;
pub use crate::error::SimError;
pub use crate::queue::{Dock, ErlangC, Visit, serve};
pub use crate::small_world::{SmallWorld, SmallWorldOptions};
pub use crate::warehouse::{Cause, Site, Warehouse, WarehouseOptions};

/// What a simulation gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// In order of time within a site, site after site.
    pub events: Vec<spaxiom_event::Event>,
    /// The hidden causes; nothing of them is in the events.
    pub labels: Vec<spaxiom_event::LabelSpan>,
}
