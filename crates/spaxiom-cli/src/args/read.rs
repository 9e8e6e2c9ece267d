//! The words that say how events are read, the same for every command.

#![expect(clippy::doc_markdown, reason = "these docs are printed as help, where back-ticks are noise")]

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use chrono_tz::Tz;
use clap::{Args, ValueEnum};
use spaxiom_embedding::{ColumnMap, Format, Pseudonymizer, ReadOptions, Registry, SiteId, SiteMap};

/// Parsing scales to a few threads; beyond them the disk and the one thread behind it are slower.
const MAX_THREADS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// Told by the first line
    Auto,
    /// One canonical event per line
    Jsonl,
    /// CloudEvents 1.0: one per line, a batch, or a single one
    Cloudevents,
    /// What the spaxiom package emits: pattern events, edge records, bus frames
    Spaxiom,
    /// state_changed of Home Assistant
    HomeAssistant,
    /// Text or CSV of the CASAS smart homes
    Casas,
    /// Delimited text, with --columns
    Columns,
    /// Apache Parquet
    Parquet,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "How events are read")]
pub(crate) struct ReadArgs {
    /// How the events are written down
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) format: FormatArg,
    /// What the columns of delimited text are: time=1,type='TagRead',x=3,label=activity (datasets/README.md)
    #[arg(long, value_name = "MAP")]
    pub(crate) columns: Option<ColumnMap>,
    /// The site of events that name none
    #[arg(long = "site-id", value_name = "SITE")]
    pub(crate) site_id: Option<String>,
    /// The zone of times that name none, like Europe/Berlin [default: that of the site map, or UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Zones, shapes and sensors (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) site_map: Option<PathBuf>,
    /// Types and attributes over the built-in ones (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) registry: Option<PathBuf>,
    /// Replace entity ids by a hash with the key in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) pseudonymize_key_file: Option<PathBuf>,
}

impl ReadArgs {
    /// Reads the files that are named.
    pub(crate) fn options(&self) -> anyhow::Result<ReadOptions> {
        let Self { format, columns, site_id, time_zone, site_map, registry, pseudonymize_key_file } = self;
        let zone = |name: &String| {
            let wrong = |_| anyhow!("`--time-zone`: `{name}` is no time zone; wanted one like `Europe/Berlin`");
            name.parse::<Tz>().map_err(wrong)
        };
        Ok(ReadOptions {
            format: format.format(),
            site_id: site_id.as_deref().map(SiteId::from),
            time_zone: time_zone.as_ref().map(zone).transpose()?,
            registry: registry.as_deref().map(Registry::load).transpose().context("`--registry`")?,
            site_map: site_map.as_deref().map(SiteMap::load).transpose().context("`--site-map`")?,
            pseudonymizer: pseudonymize_key_file
                .as_deref()
                .map(Pseudonymizer::from_file)
                .transpose()
                .context("`--pseudonymize-key-file`")?,
            columns: columns.clone(),
            max_line_bytes: None,
            threads: Some(std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS))),
        })
    }
}

impl FormatArg {
    fn format(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::Jsonl => Some(Format::Jsonl),
            Self::Cloudevents => Some(Format::CloudEvents),
            Self::Spaxiom => Some(Format::Spaxiom),
            Self::HomeAssistant => Some(Format::HomeAssistant),
            Self::Casas => Some(Format::Casas),
            Self::Columns => Some(Format::Columns),
            Self::Parquet => Some(Format::Parquet),
        }
    }
}
