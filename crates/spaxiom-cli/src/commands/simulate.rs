//! `simulate`: a scenario to a folder of events and labels.

use std::path::Path;

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::json;
use spaxiom_embedding::{EventWriter, Target};
use spaxiom_sim::{Simulation, SmallWorld, SmallWorldOptions, Warehouse, WarehouseOptions};

use super::save_labels;
use crate::args::{ScenarioArg, SimulateArgs};
use crate::exit::Exit;
use crate::output;

/// Events and labels.
const FILES: [&str; 2] = ["events.jsonl", "labels.jsonl"];

/// The first day: a Monday.
const START: &str = "2025-01-06T00:00:00Z";

pub(crate) fn run(args: &SimulateArgs, json: bool) -> anyhow::Result<Exit> {
    let SimulateArgs { scenario, seed, sites, days, out, overwrite } = args;
    let mut there = FILES.map(|name| out.join(name)).into_iter().filter(|path| path.exists());
    if let (false, Some(path)) = (overwrite, there.next()) {
        anyhow::bail!("`{}` is there already: choose another folder, or give `--overwrite`", path.display());
    }
    let (n_events, n_episodes) = match scenario {
        ScenarioArg::Warehouse => warehouse(out, *seed, *sites, *days)?,
        ScenarioArg::CountOnly => small(SmallWorld::CountOnly, args)?,
        ScenarioArg::OrderOnly => small(SmallWorld::OrderOnly, args)?,
        ScenarioArg::GapOnly => small(SmallWorld::GapOnly, args)?,
        ScenarioArg::PathOnly => small(SmallWorld::PathOnly, args)?,
    };
    if json {
        output::json(&json!({"events": n_events, "episodes": n_episodes, "sites": sites, "days": days, "seed": seed}))?;
    } else {
        let out = out.display();
        output::text(&format!("{n_events} events and {n_episodes} labelled episodes of {sites} sites in {out}\n"));
    }
    Ok(Exit::Done)
}

/// Simulates warehouses into a folder; gives the numbers of events and episodes.
pub(crate) fn warehouse(out: &Path, seed: u64, n_sites: u32, n_days: u32) -> anyhow::Result<(usize, usize)> {
    let warehouse = Warehouse::new(WarehouseOptions::default())?;
    write(out, n_sites, |site_idx, start| warehouse.simulate(seed, site_idx, start, n_days))
}

fn small(world: SmallWorld, args: &SimulateArgs) -> anyhow::Result<(usize, usize)> {
    let options = SmallWorldOptions::default();
    let SimulateArgs { seed, sites, days, out, .. } = args;
    write(out, *sites, |site_idx, start| options.simulate(world, *seed, site_idx, start, *days))
}

/// Writes site after site, so that memory does not grow with their number; what is there stays until all is written.
fn write(
    out: &Path,
    n_sites: u32,
    simulate: impl Fn(u32, DateTime<Utc>) -> Simulation,
) -> anyhow::Result<(usize, usize)> {
    let start = START.parse().context("the first day")?;
    fs_err::create_dir_all(out)?;
    let [events, labels] = FILES.map(|name| out.join(name));
    let mut writer = EventWriter::create(&events, Target::Jsonl)?;
    let mut spans = Vec::new();
    let mut n_events = 0;
    for site_idx in 0..n_sites {
        let simulation = simulate(site_idx, start);
        n_events += simulation.events.len();
        simulation.events.iter().try_for_each(|event| writer.write(event))?;
        spans.extend(simulation.labels);
    }
    writer.finish()?;
    save_labels(&labels, &spans)?;
    Ok((n_events, spans.len()))
}
