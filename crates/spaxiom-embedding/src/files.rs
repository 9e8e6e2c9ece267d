//! JSON files, with a format number where another build may read them.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use spaxiom_file::replace_file;

use crate::error::EmbeddingError;

/// Replaces a file by a value as indented JSON.
pub(crate) fn save_json(path: &Path, value: &impl Serialize) -> Result<(), EmbeddingError> {
    let text =
        serde_json::to_vec_pretty(value).map_err(|source| EmbeddingError::Json { path: path.to_owned(), source })?;
    Ok(replace_file(path, &text)?)
}

/// Reads a file whose member `format` is at most `newest`.
///
/// # Errors
/// [`EmbeddingError::RunFormat`] for one of a newer build, [`EmbeddingError::Json`] for a file that is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, newest: u32) -> Result<T, EmbeddingError> {
    #[derive(Deserialize)]
    struct Header {
        format: u32,
    }
    let bytes = fs_err::read(path)?;
    let damaged = |source| EmbeddingError::Json { path: path.to_owned(), source };
    let Header { format } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if !(1..=newest).contains(&format) {
        return Err(EmbeddingError::RunFormat { path: path.to_owned(), found: format, want: newest });
    }
    serde_json::from_slice(&bytes).map_err(damaged)
}
