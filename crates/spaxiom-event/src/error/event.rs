//! Why a file cannot be used at all.

use std::io;
use std::path::PathBuf;

use super::map::ColumnMapError;

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
    #[error("cannot tell the format of `{path}`: {hint}\nor name the format with `--format {wanted}`")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// How it begins, or a column map that may fit.
        hint: String,
        /// The formats that there are.
        wanted: String,
    },
    /// No encoding of the WHATWG's list.
    #[error("no encoding is called `{got}`; wanted one like `latin1`, `windows-1252`, `utf-16le` or `shift_jis`")]
    UnknownEncoding {
        /// The name.
        got: String,
    },
    /// Archives hold files, not lines.
    #[error("`{path}` is a zip archive; unpack it and name its files, or its folder")]
    Archive {
        /// The file.
        path: PathBuf,
    },
    /// An option that would change nothing.
    #[error(
        "`--columns` and `--mapping` do not go with the format `{format}` of `{path}`; leave them out, or name another `--format`"
    )]
    ColumnsNotUsed {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: &'static str,
    },
    /// Neither a built-in mapping nor a file.
    #[error("no mapping is called `{name}`, and no file either; there are {known}")]
    UnknownMapping {
        /// What was asked for.
        name: String,
        /// The built-in ones.
        known: String,
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
    /// Parquet has its directory at its end, and SQLite is read by queries.
    #[error("Parquet and SQLite cannot be read from a stream: name the file")]
    TableStream,
    /// A Parquet file whose columns have other names.
    #[error(
        "`{path}` has no column `{missing}`: say what its columns mean, for example\n  --columns \"{hint}\"\nit has {got}"
    )]
    ParquetColumns {
        /// The file.
        path: PathBuf,
        /// The member that is missing.
        missing: &'static str,
        /// What this file has.
        got: String,
        /// A column map that may fit.
        hint: String,
    },
    /// Numbers that count something since some time.
    #[error(
        "`{path}`: the times in `{name}` are numbers ({found}); say what they count, as in `--columns \"time={name}[s],type=type,*\"` (or `[ms]`, `[us]`, `[ns]`)"
    )]
    ParquetTime {
        /// The file.
        path: PathBuf,
        /// The column.
        name: String,
        /// Its type.
        found: String,
    },
    /// A database that cannot be read.
    #[cfg(feature = "sqlite")]
    #[error("`{path}` cannot be read as a SQLite database; if another program writes to it, read a copy")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A database of some other program.
    #[error("`{path}` is no recorder database of Home Assistant: it has no table `states`")]
    NoRecorder {
        /// The file.
        path: PathBuf,
    },
    /// Tables as they were before 2024.
    #[error("`{path}` has schema {found} of Home Assistant's recorder, older than {oldest}; start it once with a newer Home Assistant", found = found.map_or("an old".to_owned(), |found| found.to_string()))]
    OldRecorder {
        /// The file.
        path: PathBuf,
        /// Its schema, where it says it.
        found: Option<i64>,
        /// The oldest that is read.
        oldest: i64,
    },
    /// A registry of Home Assistant beside its database.
    #[error("`{path}` is no registry of Home Assistant")]
    Registry {
        /// The file.
        path: PathBuf,
        /// Where and what.
        #[source]
        source: serde_json::Error,
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
