//! Fingerprints and JSON files.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use spaxiom_encoder::replace_file;

use crate::error::EmbeddingError;

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Replaces a file by a value as indented JSON.
pub(crate) fn save_json(path: &Path, value: &impl Serialize) -> Result<(), EmbeddingError> {
    let text =
        serde_json::to_vec_pretty(value).map_err(|source| EmbeddingError::Json { path: path.to_owned(), source })?;
    Ok(replace_file(path, &text)?)
}
