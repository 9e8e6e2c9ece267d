//! What can go wrong around vectors and stores.

use std::path::PathBuf;

/// Why an index or store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Nothing was added or searched: the caller mixed encoders of two widths.
    #[error("vectors have {got} dimensions, the index has {want}")]
    Dimension {
        /// Width of the index.
        want: usize,
        /// Width of the vector.
        got: usize,
    },
    /// Vectors of two encoders cannot be compared, whatever their width.
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
        /// The number in the store.
        found: u32,
        /// The number of this build.
        want: u32,
    },
    /// A filter that nothing can pass is a typing error more often than a question.
    #[error("no event in the store has the {field} `{got}`; there are {known}")]
    NothingPasses {
        /// `type`, `zone` or `site`.
        field: &'static str,
        /// The value of the filter.
        got: String,
        /// Values that the store has.
        known: String,
    },
    /// FAISS refused a call; the text is its own.
    #[error("faiss: {message}")]
    Faiss {
        /// What FAISS said.
        message: String,
    },
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
    /// The database cannot be read or written; a full disk leaves it as it was.
    #[error("the database of the store cannot be read or written; what was committed before is kept")]
    Sqlite(#[from] rusqlite::Error),
    /// A file of the store cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The description of the FAISS file is damaged; the caller rebuilds it.
    #[error("the store says nothing sensible of itself: build another with `index build`")]
    Json(#[from] serde_json::Error),
}
