//! What can go wrong while events are read.

use std::io;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use crate::unit::Unit;

/// Why a file of events cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The file cannot be opened, read or written; the message names it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Apart from "all lines rejected": there is nothing to repair.
    #[error("`{path}` holds no event")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Not one byte could be read: a damaged or truncated compressed file.
    #[error("`{path}` cannot be read; if it is compressed, unpack it with its own tool to see how much is left")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What the decompressor said.
        #[source]
        source: io::Error,
    },
    /// The caller can name the format and try again.
    #[error("cannot tell the format of `{path}` from its first line; name it with `--format {wanted}`")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The formats that there are.
        wanted: String,
    },
    /// The format needs a word from the user.
    #[error("the format `columns` needs `--columns`, for example `--columns time=1,type=2,zone=3`")]
    NoColumns,
    /// The column map does not fit the file.
    #[error("`--columns` does not fit `{path}`")]
    Columns {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        #[source]
        source: ColumnMapError,
    },
    /// Another build can read it.
    #[error("`{path}` needs the feature `{feature}`, which is not compiled in")]
    NotCompiledIn {
        /// The file.
        path: PathBuf,
        /// The cargo feature.
        feature: &'static str,
    },
    /// Parquet has its directory at its end.
    #[error("Parquet cannot be read from a stream: name the file")]
    ParquetStream,
    /// A Parquet file that holds something else.
    #[error("`{path}`: wanted the columns {wanted}, got {got}")]
    ParquetColumns {
        /// The file.
        path: PathBuf,
        /// What an event file has.
        wanted: String,
        /// What this file has.
        got: String,
    },
    /// A damaged Parquet file.
    #[cfg(feature = "parquet")]
    #[error("`{path}` is no sound Parquet file")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What its reader said.
        #[source]
        source: ::parquet::errors::ParquetError,
    },
    /// A file that a person wrote: registry or site map.
    #[error("`{path}` is wrong")]
    Settings {
        /// The file.
        path: PathBuf,
        /// Where and what.
        #[source]
        source: toml::de::Error,
    },
    /// Short keys can be found by trying.
    #[error("a key for pseudonyms needs {want} bytes or more, got {got}; make one with `openssl rand -hex 32`")]
    ShortKey {
        /// Bytes that are needed.
        want: usize,
        /// Bytes that are there.
        got: usize,
    },
    /// A label file is made by a program: one bad line means that it is damaged.
    #[error("line {line} of the label file `{path}` is wrong")]
    Label {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
}

/// Why a column map is wrong, by itself or for a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnMapError {
    /// Not of the form `member=column`.
    #[error("wanted `member=column` with commas between them, got `{got}`")]
    NoPair {
        /// The part.
        got: String,
    },
    /// A member that every event has.
    #[error("`{member}=` is missing; a constant is written in quotes: `{member}='...'`")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// One member from two sources.
    #[error("`{member}=` is there twice")]
    Twice {
        /// The member.
        member: String,
    },
    /// Columns are counted from 1.
    #[error("columns are counted from 1")]
    ZeroColumn,
    /// A unit that no time counts in.
    #[error("a time counts in `s`, `ms`, `us`, `ns`, `min`, `h`, `d` or `ticks`, got `{got}`")]
    TimeUnit {
        /// The unit.
        got: String,
    },
    /// A delimiter that is not known.
    #[error("`delimiter=` is `comma`, `semicolon`, `tab`, `tabs` or `blanks`, got `{got}`")]
    Delimiter {
        /// The delimiter.
        got: String,
    },
    /// The first line names no such column.
    #[error("no column `{name}`; the first line has `{known}`")]
    NoColumn {
        /// The column.
        name: String,
        /// The columns that are there.
        known: String,
    },
    /// The first line has fewer columns.
    #[error("column {wanted} is wanted, but the first line has {got} columns; `delimiter=` may be wrong")]
    TooFew {
        /// The column, from 1.
        wanted: usize,
        /// Columns that are there.
        got: usize,
    },
}

/// A line that was not read; all other lines of the file were.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Rejected {
    /// Counted from 1; in Parquet the row.
    pub line: u64,
    /// Bytes before the line, after decompression.
    pub offset: u64,
    /// What was wanted and what was found.
    pub reason: LineError,
    /// The line, with bytes that are not UTF-8 replaced; of a line that is too long its beginning.
    pub raw: String,
}

/// Why one line is no event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not a JSON object, or a member of another type than wanted.
    #[error("wanted one JSON object with the members of an event, got: {0}")]
    Json(serde_json::Error),
    /// A member that every event has.
    #[error("`{field}` is missing")]
    Missing {
        /// The member.
        field: &'static str,
    },
    /// Two values where there can be one; nobody knows which is right.
    #[error("`{field}` is given twice with different values")]
    Twice {
        /// The member or attribute.
        field: String,
    },
    /// A time that cannot be placed on the UTC axis.
    #[error(
        "`{field}`: wanted RFC 3339 with an offset (2025-01-06T10:23:45Z) or seconds since 1970, before 2262, got `{got}`"
    )]
    Time {
        /// The member.
        field: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// A time in a column.
    #[error(
        "`{field}`: wanted RFC 3339 or `2025-01-06 10:23:45`, got `{got}`; a count needs its unit, as in `time=1[s]`"
    )]
    ColumnTime {
        /// The member.
        field: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// A count that is no time.
    #[error("`{field}`: wanted {unit} between 1970 and 2262, got `{got}`")]
    CountedTime {
        /// The member.
        field: &'static str,
        /// The unit that was declared.
        unit: String,
        /// As it stands in the line.
        got: String,
    },
    /// Clocks jumped over it.
    #[error("there was no {wall} in {zone}: clocks jumped over it")]
    NoSuchWallTime {
        /// The time on the wall.
        wall: NaiveDateTime,
        /// The zone of the site.
        zone: Tz,
    },
    /// An interval that runs backwards.
    #[error("`end_time` {end} is before `time` {start}")]
    EndsBeforeStart {
        /// `time`.
        start: DateTime<Utc>,
        /// `end_time`.
        end: DateTime<Utc>,
    },
    /// A member that is a number of some range.
    #[error("`{field}`: wanted {want}, got `{got}`")]
    Number {
        /// The member.
        field: &'static str,
        /// The range.
        want: &'static str,
        /// As it stands in the line.
        got: String,
    },
    /// Severities are few.
    #[error("`severity`: wanted info, warn or alert, got `{got}`")]
    Severity {
        /// As it stands in the line.
        got: String,
    },
    /// Attributes are finite numbers, flags and words.
    #[error("attribute `{name}`: wanted a finite number, a flag or a word, got `{got}`")]
    Attribute {
        /// The attribute.
        name: String,
        /// As it stands in the line.
        got: String,
    },
    /// A word where the registry declares a number.
    #[error("attribute `{name}`: wanted a number in {unit}, got `{got}`")]
    NotANumber {
        /// The attribute.
        name: String,
        /// The declared unit.
        unit: Unit,
        /// As it stands in the line.
        got: String,
    },
    /// Never guessed: 0.5 of either is a sensible value.
    #[error(
        "attribute `{name}` = {got} could be a percentage (0 to 100) or a fraction (0 to 1); name it `{name}_pct` or `{name}_fraction`, or declare it in a registry"
    )]
    PercentOrFraction {
        /// The attribute.
        name: String,
        /// Its value.
        got: f64,
    },
    /// The unit beside the number is of another dimension than the declared one.
    #[error("attribute `{name}`: wanted a unit that can become {want}, got {got}")]
    Unit {
        /// The attribute.
        name: String,
        /// The declared unit.
        want: Unit,
        /// The unit in the line.
        got: Unit,
    },
    /// A unit that is not known.
    #[error("attribute `{name}`: unknown unit `{got}`")]
    UnknownUnit {
        /// The attribute.
        name: String,
        /// As it stands in the line.
        got: String,
    },
    /// CloudEvents of another version.
    #[error("`specversion`: wanted 1.0, got `{got}`")]
    SpecVersion {
        /// As it stands in the line.
        got: String,
    },
    /// `data_base64` that is not.
    #[error("`data_base64`: wanted base64 of a JSON document")]
    Base64,
    /// The line has other columns than CASAS text has.
    #[error("wanted `date time sensor value [activity begin|end]`, got {got} columns")]
    Columns {
        /// How many there are.
        got: usize,
    },
    /// The line has fewer columns than the first one.
    #[error("wanted {want} columns, got {got}")]
    TooFewColumns {
        /// Columns of the first line.
        want: usize,
        /// Columns of this one.
        got: usize,
    },
    /// A CASAS reading that stands for no event.
    #[error("sensor `{sensor}`: wanted ON, OFF, OPEN, CLOSE, PRESENT, ABSENT or a number, got `{got}`")]
    SensorValue {
        /// The sensor.
        sensor: String,
        /// Its value.
        got: String,
    },
    /// Text is UTF-8 here.
    #[error("wanted UTF-8, got other bytes")]
    Encoding,
    /// An event has some hundred bytes.
    #[error("wanted {limit} bytes at most, got {n_bytes}")]
    TooLong {
        /// How long it is.
        n_bytes: u64,
        /// How long it may be.
        limit: usize,
    },
    /// Everything before it was read.
    #[error("the input breaks off here ({0}); all lines before were read")]
    BreaksOff(io::Error),
}

/// A setting of the sequencer that is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`: wanted {want}, got `{got}`")]
pub struct SequenceError {
    /// The setting.
    pub name: &'static str,
    /// Its range.
    pub want: &'static str,
    /// What it was.
    pub got: String,
}
