//! `simulate`: a scenario to a folder of events and truth, or to a stream.

mod folder;
mod live;
mod plan;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;
use spaxiom_embedding::Target;
use spaxiom_sim::{Calibration, Difficulty, NoiseLevel, NoiseOptions, Scenario, ScenarioName, Truth};

use self::folder::{Counts, FolderWriter, Made};
use self::plan::{Noisy, Simulation};
use crate::exit::Exit;
use crate::{observer, output};

/// The first day: a Monday.
const START: &str = "2025-01-06T00:00:00Z";

/// What stands for standard output.
const STDOUT: &str = "-";

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
    pub(crate) scenario: ScenarioName,
    /// Random seed
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
    pub(crate) difficulty: Difficulty,
    /// What sensors and networks do to the events
    #[arg(long, value_enum, default_value = "clean")]
    pub(crate) noise: NoiseLevel,
    /// Share of lines that break off, instead of that of the noise
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) malformed: Option<f64>,
    /// Constants (TOML) instead of the built-in ones of crates/spaxiom-sim/scenarios
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

pub(crate) fn run(args: &SimulateArgs, json: bool) -> anyhow::Result<Exit> {
    let simulation = simulation(args)?;
    if args.out.as_os_str() == STDOUT {
        return live::run(&simulation, args.realtime);
    }
    anyhow::ensure!(args.realtime.is_none(), "`--realtime` replays to standard output: it needs `--out -`");
    let target = if args.parquet { Target::Parquet } else { Target::Jsonl };
    let (counts, calibration) = write(&simulation, &args.out, target, args.overwrite)?;
    let Counts { events, malformed, episodes, decisions, entities, .. } = counts;
    if json {
        output::json(&json!({
            "scenario": simulation.name.name(), "events": events, "malformed": malformed, "episodes": episodes,
            "decisions": decisions, "entities": entities, "sites": simulation.n_sites, "days": simulation.n_days,
            "seed": simulation.seed, "calibration": calibration.rows(),
        }))?;
    } else {
        let (out, n_sites) = (args.out.display(), simulation.n_sites);
        output::text(&format!("{events} events and {episodes} labeled episodes of {n_sites} sites in {out}\n"));
        output::text(&calibration.to_table());
    }
    Ok(Exit::Done)
}

/// Simulates warehouses without noise into a folder.
pub(crate) fn warehouse(out: &Path, seed: u64, n_sites: u32, n_days: u32) -> anyhow::Result<()> {
    let name = ScenarioName::Warehouse;
    let constants = name.built_in_constants().to_owned();
    let simulation = Simulation {
        name,
        scenario: Scenario::new(name, &constants, Difficulty::Medium)?,
        constants,
        difficulty: Difficulty::Medium,
        noise: NoiseLevel::Clean,
        noise_options: None,
        seed,
        n_sites,
        n_days,
        start: START.parse().context("the first day")?,
    };
    write(&simulation, out, Target::Jsonl, true)?;
    Ok(())
}

fn simulation(args: &SimulateArgs) -> anyhow::Result<Simulation> {
    let name = args.scenario;
    let constants = match &args.constants {
        Some(path) => fs_err::read_to_string(path)?,
        None => name.built_in_constants().to_owned(),
    };
    let difficulty = args.difficulty;
    let noise = args.noise;
    let mut noise_options = NoiseOptions::of(noise);
    if let Some(share) = args.malformed {
        let options = noise_options.as_mut().context("`--malformed` needs `--noise real` or `--noise harsh`")?;
        options.malformed = share;
    }
    Ok(Simulation {
        scenario: Scenario::new(name, &constants, difficulty).context("the constants of the scenario")?,
        name,
        constants,
        difficulty,
        noise,
        noise_options,
        seed: args.seed,
        n_sites: args.sites,
        n_days: args.days,
        start: START.parse().context("the first day")?,
    })
}

/// Writes site after site and day after day, so that memory grows with neither, but for two words a stay for the calibration.
fn write(
    simulation: &Simulation,
    out: &Path,
    target: Target,
    overwrite: bool,
) -> anyhow::Result<(Counts, Calibration)> {
    let mut folder = FolderWriter::create(out, target, overwrite)?;
    let mut calibration = Calibration::default();
    let bar = observer::counter("days", simulation.n_sites as usize * simulation.n_days as usize);
    for site_idx in 0..simulation.n_sites {
        let Noisy { mut site, mut noise } = simulation.site(site_idx)?;
        for _ in 0..simulation.n_days {
            let day = noise.apply(site.next_day());
            calibration.watch(&day.truth);
            folder.write(&day.deliveries, &day.truth)?;
            bar.inc(1);
        }
        let rest = Truth { entities: site.finish(), ..Truth::default() };
        calibration.watch(&rest);
        folder.write(&noise.finish(), &rest)?;
        folder.end_site(site.as_ref());
        if let Some(tally) = site.hospital_tally() {
            calibration.tally(tally);
        }
    }
    bar.finish_and_clear();
    let counts = folder.finish(&Made::of(simulation))?;
    Ok((counts, calibration))
}
