//! Format numbers of artifacts.

use serde::Deserialize;

use crate::error::TokenError;

/// Fails for an artifact of a newer build, before anything else of it is read.
///
/// # Errors
/// [`TokenError::Format`] for a number above `newest`, [`TokenError::Json`] for a text without one.
pub(crate) fn require(text: &str, newest: u32) -> Result<(), TokenError> {
    #[derive(Deserialize)]
    struct Header {
        format: u32,
    }
    let Header { format } = serde_json::from_str(text)?;
    if (1..=newest).contains(&format) { Ok(()) } else { Err(TokenError::Format { found: format, want: newest }) }
}
