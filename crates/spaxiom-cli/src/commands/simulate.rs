//! `simulate`: a scenario to a folder of events and labels.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::json;
use spaxiom_embedding::{write_jsonl, write_labels};
use spaxiom_sim::{Warehouse, WarehouseOptions};

use crate::args::{ScenarioArg, SimulateArgs};
use crate::exit::Exit;
use crate::output;

/// The first day: a Monday.
const START: &str = "2025-01-06T00:00:00Z";

pub(crate) fn run(args: &SimulateArgs, json: bool) -> anyhow::Result<Exit> {
    let SimulateArgs { scenario, seed, sites, days, out } = args;
    let ScenarioArg::Warehouse = scenario;
    let (n_events, n_episodes) = warehouse(out, *seed, *sites, *days)?;
    if json {
        output::json(&json!({"events": n_events, "episodes": n_episodes, "sites": sites, "days": days, "seed": seed}))?;
    } else {
        let out = out.display();
        output::text(&format!("{n_events} events and {n_episodes} labelled episodes of {sites} sites in {out}\n"));
    }
    Ok(Exit::Done)
}

/// Writes site after site, so that memory does not grow with their number.
pub(crate) fn warehouse(out: &Path, seed: u64, n_sites: u32, n_days: u32) -> anyhow::Result<(usize, usize)> {
    let warehouse = Warehouse::new(WarehouseOptions::default())?;
    let start = START.parse().context("the first day")?;
    fs_err::create_dir_all(out)?;
    let mut events = BufWriter::new(fs_err::File::create(out.join("events.jsonl"))?);
    let mut labels = BufWriter::new(fs_err::File::create(out.join("labels.jsonl"))?);
    let (mut n_events, mut n_episodes) = (0, 0);
    for site_idx in 0..n_sites {
        let simulation = warehouse.simulate(seed, site_idx, start, n_days);
        n_events += simulation.events.len();
        n_episodes += simulation.labels.len();
        write_jsonl(&mut events, &simulation.events)?;
        write_labels(&mut labels, &simulation.labels)?;
    }
    events.flush()?;
    labels.flush()?;
    Ok((n_events, n_episodes))
}
