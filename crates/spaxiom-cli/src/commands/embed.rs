//! `embed`: events to a file of vectors.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde_json::json;
use spaxiom_embedding::{Run, SiteId, VectorFile, VectorName};
use xxhash_rust::xxh64::xxh64;

use crate::args::{BackendArgs, DataArgs, vector_parser};
use crate::exit::Exit;
use crate::{observer, output, unknown};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask embed --run runs/warehouse --data data/warehouse --out vectors.parquet\n  \
    cargo xtask embed --run runs/warehouse --data data/warehouse --out vectors.npy --vector encoder\n  \
    cargo xtask embed --run runs/warehouse --data data/warehouse --out part-1.parquet --part 1/8\n\n\
    Parquet has the columns id, site_id, time and vector. Beside FILE.npy are the ids of its rows, FILE.ids.parquet."
)]
pub(crate) struct EmbedArgs {
    /// The run
    #[arg(long)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// File of vectors: .parquet or .npy
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Parts of the vectors
    #[arg(long, value_parser = vector_parser(), default_value = "both")]
    pub(crate) vector: VectorName,
    /// Part I of N: only sites whose hash falls into it; a site is never cut
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub(crate) part: SitePart,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

/// A part of all sites, by the hash of their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SitePart {
    /// From 1.
    number: u64,
    n_parts: u64,
}

impl FromStr for SitePart {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(number, n)| Some((number.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((number, n_parts)) if (1..=n_parts).contains(&number) => Ok(Self { number, n_parts }),
            _ => Err(format!("wanted I/N with I from 1 to N, got `{text}`")),
        }
    }
}

impl SitePart {
    fn has(self, site: &SiteId) -> bool {
        xxh64(site.as_str().as_bytes(), 0) % self.n_parts == self.number - 1
    }
}

pub(crate) fn run(args: &EmbedArgs, json: bool) -> anyhow::Result<Exit> {
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let data = args.data.load()?;
    let vectors = run.vectors(engine.as_ref(), args.vector)?.with_sites(data.sites());
    unknown::warn_of_data(&run, vectors.tokenizer(), &data);
    let is_wanted = |site: &SiteId| args.part.has(site);
    let n_rows = data.n_events_of(is_wanted);
    let mut file = VectorFile::create(&args.out, vectors.dim(), n_rows)?;
    let bar = observer::counter("embed", n_rows);
    vectors.of_data(&data, is_wanted, |events, vectors| {
        file.write(events, vectors)?;
        bar.inc(events.len() as u64);
        Ok(())
    })?;
    bar.finish_and_clear();
    file.finish()?;
    if json {
        output::json(&json!({"vectors": n_rows, "dim": vectors.dim()}))?;
    } else {
        output::text(&format!("{}: {n_rows} vectors of width {}\n", args.out.display(), vectors.dim()));
    }
    Ok(Exit::of_rejected(data.n_rejected() as u64, false))
}
