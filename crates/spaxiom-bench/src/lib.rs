//! Benchmarks of experience embeddings beside their peers in Python.
//!
//! Takes [`BenchOptions`], gives [`BenchRow`]s: our figure, the peer's from the same run and the same file, and their ratio.
//! Reads the clock and starts the peers' processes; knows no command line.
//!
//! # Features
//! - `clap`: [`Workload`] is a value of a command line.

mod encode;
mod folder;
mod index;
mod ingest;
mod intake;
mod options;
mod peers;
mod read;
mod remember;
mod row;
mod run;
mod serve;
mod timing;
mod train;
mod views;

pub use crate::index::{IndexFigures, IndexStep, build_of, search_of};
pub use crate::ingest::peak_of_stream;
pub use crate::intake::intake_of;
pub use crate::options::{BenchOptions, Workload};
pub use crate::row::{BenchRow, table};
pub use crate::run::bench;
