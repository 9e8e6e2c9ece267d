//! The words that say how events are read, the same for every command.

#![expect(clippy::doc_markdown, reason = "these docs are printed as help, where back-ticks are noise")]

use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::{Context, anyhow};
use chrono_tz::Tz;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use spaxiom_embedding::{ColumnMap, Format, Pseudonymizer, ReadOptions, Registry, SiteId, SiteMap, TextEncoding};

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
    /// Map columns of text and Parquet, or paths of JSON, to members: time=1,type='TagRead',x=3 (datasets/README.md)
    #[arg(long, value_name = "MAP", help_heading = "Reading events")]
    pub(crate) columns: Option<ColumnMap>,
    /// Column map by name (zigbee2mqtt, frigate, rtl_433, meds, ...) or from a file (TOML)
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "columns", help_heading = "Reading events")]
    pub(crate) mapping: Option<String>,
    /// Encoding of text that is not UTF-8, like latin1 or windows-1252; UTF-16 is detected
    #[arg(long, value_name = "NAME", help_heading = "Reading events")]
    pub(crate) encoding: Option<TextEncoding>,
    /// Site of events that name none
    #[arg(long = "site-id", value_name = "SITE", help_heading = "Reading events")]
    pub(crate) site_id: Option<String>,
    /// Time zone of times without one, like Europe/Berlin or +01:00 [default: that of the site map; otherwise UTC for text and Parquet, and JSON is rejected]
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
        let Self { format, columns, mapping, encoding, site_id, time_zone, site_map, registry, pseudonymize_key_file } =
            self;
        let mapping = mapping.as_deref().map(ColumnMap::named).transpose().context("`--mapping`")?;
        Ok(ReadOptions {
            format: format.0,
            source: None,
            site_id: site_id.as_deref().map(SiteId::from),
            time_zone: time_zone.as_deref().map(zone).transpose()?,
            registry: registry.as_deref().map(Registry::load).transpose().context("`--registry`")?,
            site_map: site_map.as_deref().map(SiteMap::load).transpose().context("`--site-map`")?,
            pseudonymizer: pseudonymize_key_file
                .as_deref()
                .map(Pseudonymizer::from_file)
                .transpose()
                .context("`--pseudonymize-key-file`")?,
            columns: columns.clone().or(mapping),
            encoding: *encoding,
            max_line_bytes: None,
            threads: Some(std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_THREADS))),
        })
    }
}

/// A place of the time zone database, or whole hours east of Greenwich.
fn zone(name: &str) -> anyhow::Result<Tz> {
    if let Ok(zone) = name.parse() {
        return Ok(zone);
    }
    let wrong = || anyhow!("`--time-zone`: `{name}` is no time zone; wanted one like `Europe/Berlin` or `+01:00`");
    let hours = name.strip_suffix(":00").or_else(|| name.strip_suffix("00").filter(|hours| hours.len() == 3));
    let hours: i32 = match hours.unwrap_or(name).strip_prefix('+') {
        Some(east) if east.bytes().all(|byte| byte.is_ascii_digit()) => east.parse().ok(),
        Some(_) => None,
        None => hours.unwrap_or(name).strip_prefix('-').and_then(|west| west.parse::<i32>().ok()).map(|west| -west),
    }
    .with_context(|| {
        let is_offset = name.starts_with(['+', '-']) && name.contains(':');
        let hint = if is_offset {
            "; an offset has whole hours, others are named by a place, like `Asia/Kolkata`"
        } else {
            ""
        };
        format!("{}{hint}", wrong())
    })?;
    // In the database the sign of these zones is that of POSIX.
    format!("Etc/GMT{:+}", -hours).replace("+0", "").parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::zone;

    #[test]
    fn an_offset_of_whole_hours_is_a_time_zone() {
        for (name, want) in [("+01:00", "Etc/GMT-1"), ("-0500", "Etc/GMT+5"), ("+14:00", "Etc/GMT-14"), ("UTC", "UTC")]
        {
            assert_eq!(zone(name).unwrap().name(), want, "{name}");
        }
        assert!(zone("+00:00").is_ok());
        assert!(zone("+05:30").unwrap_err().to_string().contains("Asia/Kolkata"));
        assert!(zone("Mars/Base").is_err());
    }
}
