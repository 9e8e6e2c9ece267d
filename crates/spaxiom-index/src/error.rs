//! What can go wrong in indices and stores.

use std::path::PathBuf;

/// Why an index or a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Nothing was added or searched: the caller mixed encoders of two dimensions.
    #[error("vectors have {got} dimensions, the index has {want}")]
    Dimension {
        /// Dimension of the index.
        want: usize,
        /// Dimension of the vector.
        got: usize,
    },
    /// Vectors of two encoders cannot be compared, even if their dimensions agree.
    #[error("the store in `{path}` was built with the {what} {found}, this run has {want}: build another store for it")]
    OtherRun {
        /// The store.
        path: PathBuf,
        /// `width`, `tokenizer` or `encoder`.
        what: &'static str,
        /// Fingerprint in the store.
        found: String,
        /// Fingerprint of the run.
        want: String,
    },
    /// There is nothing to search yet.
    #[error("`{path}` is no store: build one with `index build`")]
    NoStore {
        /// The folder.
        path: PathBuf,
    },
    /// Apart from damage, so that the caller can ask for a newer build.
    #[error("the store has format {found}, this build reads {want}: build another store with `index build`")]
    Format {
        /// The format number of the store.
        found: u32,
        /// The format number of this build.
        want: u32,
    },
    /// Vectors or records that are not what was written: from a disk that failed, or by another program.
    #[error("`{path}` is damaged: {what}; restore a snapshot, or build another store from the events")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Nothing was added: a similarity to it would be no number.
    #[error("the vector of `{id}` has a value that is not finite")]
    NotFinite {
        /// Id of the record.
        id: String,
    },
    /// Another thread or process builds the index, or compactions come again and again.
    #[error("the store is being rebuilt by somebody else: try again later")]
    Busy,
    /// The work was ended on purpose.
    #[error("stopped")]
    Stopped,
    /// A copy would replace something.
    #[error("`{path}` is there already: name a folder that is not")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A filter that cannot be read.
    #[error("invalid filter: expected {want} at column {column}\n  {text}\n  {:>column$}", "^")]
    FilterSyntax {
        /// The filter.
        text: String,
        /// Number of the character, from 1 on.
        column: usize,
        /// What could stand there.
        want: &'static str,
    },
    /// A filter that matches nothing is more often a typo than a question.
    #[error("no event in the store has the {field} `{got}`; there are {known}")]
    NothingPasses {
        /// `type`, `zone`, `site` or `attribute`.
        field: &'static str,
        /// The value of the filter.
        got: String,
        /// Values in the store.
        known: String,
    },
    /// Apart from an unknown kind: another build of the program has it.
    #[error(
        "index kind `{kind}` is not compiled in: build with the feature `{feature}`, or rebuild the index with another kind by `index build --kind`"
    )]
    KindNotCompiledIn {
        /// The kind.
        kind: &'static str,
        /// The cargo feature that compiles it in.
        feature: &'static str,
    },
    /// A kind from outside, which only its owner can open, or a store of a later version.
    #[error("unknown index kind `{kind}`; this build knows {known}")]
    UnknownKind {
        /// The kind that was asked for.
        kind: String,
        /// The kinds of this build.
        known: String,
    },
    /// Settings that are missing, unknown or of another type.
    #[error("index settings are invalid")]
    Settings(#[source] serde_json::Error),
    /// A setting outside its range.
    #[error("`{name}` has to be {want}, got {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The range.
        want: &'static str,
        /// The value.
        got: String,
    },
    /// FAISS refused a call; the text is its own.
    #[error("faiss: {message}")]
    Faiss {
        /// What FAISS said.
        message: String,
    },
    /// An index kind from outside this crate failed, for a reason of its own.
    #[error("index kind failed")]
    Kind(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A server outside keeps the store, and cannot be reached or refuses.
    #[error("the database server of the store cannot be reached, or refuses; what was committed before is kept")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database cannot be read or written; a full disk leaves it as it was.
    #[error("the database of the store cannot be read or written; what was committed before is kept")]
    Sqlite(#[from] rusqlite::Error),
    /// A file of the store cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The store's description of itself is damaged.
    #[error("store metadata is corrupt: build another store with `index build`")]
    Json(#[from] serde_json::Error),
}

/// Number of values of a store that an error message lists.
const N_LISTED: usize = 20;

impl IndexError {
    /// That no record has a name of a filter, with those that are there; the most alike first where there are many.
    #[must_use]
    pub fn nothing_passes(field: &'static str, got: &str, mut known: Vec<String>) -> Self {
        if known.len() > N_LISTED {
            let lower = got.to_lowercase();
            let likeness = |name: &String| strsim::jaro_winkler(&name.to_lowercase(), &lower);
            known.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then(a.cmp(b)));
            let n_more = known.len() - N_LISTED;
            known.truncate(N_LISTED);
            known.push(format!("and {n_more} more"));
        }
        Self::NothingPasses { field, got: got.into(), known: known.join(", ") }
    }
}
