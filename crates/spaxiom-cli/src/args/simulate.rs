//! The words of `simulate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spaxiom_sim::{Difficulty, NoiseLevel, ScenarioName, SmallWorld};

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScenarioArg {
    /// Patients who walk, are helped or fall, with causes spread over hours, zones and order
    Hospital,
    /// Trucks, docks, queues and doors
    Warehouse,
    /// Customers, aisles, tills and crowding
    Retail,
    /// A small world in which only the number of events of each type tells the label
    CountOnly,
    /// A small world in which only the order of types tells the label
    OrderOnly,
    /// A small world in which only the time between events tells the label
    GapOnly,
    /// A small world in which only the way round tells the label
    PathOnly,
}

impl From<ScenarioArg> for ScenarioName {
    fn from(scenario: ScenarioArg) -> Self {
        match scenario {
            ScenarioArg::Hospital => Self::Hospital,
            ScenarioArg::Warehouse => Self::Warehouse,
            ScenarioArg::Retail => Self::Retail,
            ScenarioArg::CountOnly => Self::Small(SmallWorld::CountOnly),
            ScenarioArg::OrderOnly => Self::Small(SmallWorld::OrderOnly),
            ScenarioArg::GapOnly => Self::Small(SmallWorld::GapOnly),
            ScenarioArg::PathOnly => Self::Small(SmallWorld::PathOnly),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum NoiseArg {
    /// Nothing is lost, late, doubled or wrong
    Clean,
    /// As in public data: chatter, losses, duplicates, disorder, silences, drift, broken lines
    Real,
    /// As in a bad month
    Harsh,
}

impl From<NoiseArg> for NoiseLevel {
    fn from(noise: NoiseArg) -> Self {
        match noise {
            NoiseArg::Clean => Self::Clean,
            NoiseArg::Real => Self::Real,
            NoiseArg::Harsh => Self::Harsh,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DifficultyArg {
    /// Nearly all evidence of a cause is there
    Easy,
    Medium,
    /// Much of the evidence is missing or misleading
    Hard,
}

impl From<DifficultyArg> for Difficulty {
    fn from(difficulty: DifficultyArg) -> Self {
        match difficulty {
            DifficultyArg::Easy => Self::Easy,
            DifficultyArg::Medium => Self::Medium,
            DifficultyArg::Hard => Self::Hard,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask simulate --scenario warehouse --sites 8 --days 28 --seed 1 --out data/warehouse\n  \
    cargo xtask simulate --scenario hospital --sites 10 --days 90 --noise real --out data/hospital\n  \
    cargo xtask simulate --scenario retail --sites 2 --days 1 --realtime 60 --out - | ...\n\n\
    The same words give the same bytes. Hidden causes, decision points and relevance lie beside the events, never in them."
)]
pub(crate) struct SimulateArgs {
    /// What is simulated
    #[arg(long, value_enum)]
    pub(crate) scenario: ScenarioArg,
    /// Decides everything random
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Number of sites
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) sites: u32,
    /// Days per site
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) days: u32,
    /// How sure the evidence of the hidden causes is
    #[arg(long, value_enum, default_value = "medium")]
    pub(crate) difficulty: DifficultyArg,
    /// What sensors and networks do to the events
    #[arg(long, value_enum, default_value = "clean")]
    pub(crate) noise: NoiseArg,
    /// Share of lines that break off, instead of that of the noise
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) malformed: Option<f64>,
    /// Constants of your own instead of those in datasets/scenarios
    #[arg(long, value_name = "FILE")]
    pub(crate) constants: Option<PathBuf>,
    /// Folder for events, labels and the rest of the truth; - for a stream of events to stdout
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Write events.parquet instead of events.jsonl
    #[arg(long)]
    pub(crate) parquet: bool,
    /// Replay so many times as fast as real (with --out -)
    #[arg(long, value_name = "TIMES", value_parser = times)]
    pub(crate) realtime: Option<f64>,
    /// Replace files that are there already
    #[arg(long)]
    pub(crate) overwrite: bool,
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "wanted a number from 0 to 1".into())
}

fn times(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|times: &f64| *times > 0.0 && times.is_finite())
        .ok_or_else(|| "wanted a number above 0".into())
}
