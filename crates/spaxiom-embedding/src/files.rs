//! JSON files.

use std::path::Path;

use serde::Serialize;
use spaxiom_file::replace_file;

use crate::error::EmbeddingError;

/// Replaces a file by a value as indented JSON.
pub(crate) fn save_json(path: &Path, value: &impl Serialize) -> Result<(), EmbeddingError> {
    let text =
        serde_json::to_vec_pretty(value).map_err(|source| EmbeddingError::Json { path: path.to_owned(), source })?;
    Ok(replace_file(path, &text)?)
}
