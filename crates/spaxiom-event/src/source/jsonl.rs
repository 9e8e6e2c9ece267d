//! Canonical JSON lines.

use crate::error::LineError;
use crate::event::Event;
use crate::source::Record;

pub(super) fn parse(text: &str) -> Result<Record, LineError> {
    Event::from_json(text).map(|event| Record { event, mark: None })
}
