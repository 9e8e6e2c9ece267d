//! Canonical JSON lines.

use super::{Parsed, Record};
use crate::error::LineError;
use crate::json;
use crate::normalizer::Normalizer;

pub(super) fn parse(text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
    let event = json::event(text, normalizer)?;
    Ok(Parsed::Record(Record { event, mark: None }))
}
