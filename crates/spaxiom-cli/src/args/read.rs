//! The words that say how events are read, the same for every command.

#![expect(clippy::doc_markdown, reason = "these docs are printed as help, where back-ticks are noise")]

use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::{Context, anyhow};
use chrono_tz::Tz;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use spaxiom_embedding::{ColumnMap, Format, Pseudonymizer, ReadOptions, Registry, SiteId, SiteMap};

/// Parsing scales to a few threads; beyond them the disk and the one thread behind it are slower.
const MAX_THREADS: usize = 4;

/// A format, or the one that the input looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FormatChoice(Option<Format>);

impl ValueEnum for FormatChoice {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<FormatChoice>> = LazyLock::new(|| {
            let known = Format::value_variants().iter().copied().map(Some);
            std::iter::once(None).chain(known).map(FormatChoice).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self.0 {
            Some(format) => format.to_possible_value(),
            None => Some(PossibleValue::new("auto").help("Detect the format from the input")),
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ReadArgs {
    /// Input format
    #[arg(long, value_enum, default_value = "auto", help_heading = "Reading events")]
    pub(crate) format: FormatChoice,
    /// Column map of delimited text: time=1,type='TagRead',x=3,label=activity (datasets/README.md)
    #[arg(long, value_name = "MAP", help_heading = "Reading events")]
    pub(crate) columns: Option<ColumnMap>,
    /// Site of events that name none
    #[arg(long = "site-id", value_name = "SITE", help_heading = "Reading events")]
    pub(crate) site_id: Option<String>,
    /// Time zone of times without one, like Europe/Berlin [default: that of the site map, or UTC]
    #[arg(long, value_name = "ZONE", help_heading = "Reading events")]
    pub(crate) time_zone: Option<String>,
    /// Site map (TOML): zones, shapes and sensors
    #[arg(long, value_name = "FILE", help_heading = "Reading events")]
    pub(crate) site_map: Option<PathBuf>,
    /// Registry (TOML): types and attributes in addition to the built-in ones
    #[arg(long, value_name = "FILE", help_heading = "Reading events")]
    pub(crate) registry: Option<PathBuf>,
    /// Replace entity ids by a keyed hash, with the key in this file
    #[arg(long, value_name = "FILE", help_heading = "Reading events")]
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
            format: format.0,
            source: None,
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
