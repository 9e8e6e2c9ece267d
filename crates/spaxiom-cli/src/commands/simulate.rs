//! `simulate`: a scenario to a folder of events and truth, or to a stream.

mod calibration;
mod folder;
mod live;

use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::json;
use spaxiom_embedding::Target;
use spaxiom_sim::{
    Delivery, Difficulty, Noise, NoiseLevel, NoiseOptions, Scenario, ScenarioName, SimulatedSite, Truth,
};

use self::calibration::Calibration;
use self::folder::{Counts, FolderWriter, Made};
use crate::args::SimulateArgs;
use crate::exit::Exit;
use crate::{observer, output};

/// The first day: a Monday.
const START: &str = "2025-01-06T00:00:00Z";

/// What stands for standard output.
const STDOUT: &str = "-";

/// A scenario and everything that decides its bytes.
#[derive(Debug, Clone)]
struct Simulation {
    name: ScenarioName,
    scenario: Scenario,
    constants: String,
    difficulty: Difficulty,
    noise: NoiseLevel,
    noise_options: Option<NoiseOptions>,
    seed: u64,
    n_sites: u32,
    n_days: u32,
    start: DateTime<Utc>,
}

pub(crate) fn run(args: &SimulateArgs, json: bool) -> anyhow::Result<Exit> {
    let simulation = Simulation::new(args)?;
    if args.out.as_os_str() == STDOUT {
        return live::run(&simulation, args.realtime);
    }
    anyhow::ensure!(args.realtime.is_none(), "`--realtime` replays to standard output: it needs `--out -`");
    let target = if args.parquet { Target::Parquet } else { Target::Jsonl };
    let (counts, calibration) = simulation.write(&args.out, target, args.overwrite)?;
    let Counts { events, malformed, episodes, decisions, entities, .. } = counts;
    if json {
        output::json(&json!({
            "scenario": simulation.name.name(), "events": events, "malformed": malformed, "episodes": episodes,
            "decisions": decisions, "entities": entities, "sites": simulation.n_sites, "days": simulation.n_days,
            "seed": simulation.seed, "calibration": calibration.rows(),
        }))?;
    } else {
        let (out, n_sites) = (args.out.display(), simulation.n_sites);
        output::text(&format!("{events} events and {episodes} labelled episodes of {n_sites} sites in {out}\n"));
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
    simulation.write(out, Target::Jsonl, true)?;
    Ok(())
}

impl Simulation {
    fn new(args: &SimulateArgs) -> anyhow::Result<Self> {
        let name = ScenarioName::from(args.scenario);
        let constants = match &args.constants {
            Some(path) => fs_err::read_to_string(path)?,
            None => name.built_in_constants().to_owned(),
        };
        let difficulty = args.difficulty.into();
        let noise = args.noise.into();
        let mut noise_options = NoiseOptions::of(noise);
        if let Some(share) = args.malformed {
            let options = noise_options.as_mut().context("`--malformed` needs `--noise real` or `--noise harsh`")?;
            options.malformed = share;
        }
        Ok(Self {
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

    fn site(&self, site_idx: u32) -> anyhow::Result<Noisy> {
        let site = self.scenario.site(self.seed, site_idx, self.start);
        let noise = Noise::new(self.noise_options.clone(), self.seed, site_idx, self.start)?;
        Ok(Noisy { site, noise })
    }

    /// Writes site after site and day after day, so that memory grows with neither, but for two words a stay for the calibration.
    fn write(&self, out: &Path, target: Target, overwrite: bool) -> anyhow::Result<(Counts, Calibration)> {
        let mut folder = FolderWriter::create(out, target, overwrite)?;
        let mut calibration = Calibration::default();
        let bar = observer::counter("days", self.n_sites as usize * self.n_days as usize);
        for site_idx in 0..self.n_sites {
            let Noisy { mut site, mut noise } = self.site(site_idx)?;
            for _ in 0..self.n_days {
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
        let counts = folder.finish(&Made::of(self))?;
        Ok((counts, calibration))
    }
}

/// A site, and what becomes of its events on their way.
struct Noisy {
    site: Box<dyn SimulatedSite>,
    noise: Noise,
}

impl Noisy {
    fn next_day(&mut self) -> Vec<Delivery> {
        self.noise.apply(self.site.next_day()).deliveries
    }
}
