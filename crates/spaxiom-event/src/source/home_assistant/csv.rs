//! The CSV of "Download data" in Home Assistant's history.

use super::super::interface::RecordParser;
use super::super::mapping::Delimiter;
use super::super::record::Parsed;
use super::states::{Change, States};
use crate::error::LineError;
use crate::normalizer::Normalizer;
use crate::time::parse_rfc3339;

const COLUMNS: [&str; 3] = ["entity_id", "state", "last_changed"];

/// Whether a first line names the columns of a download.
pub(super) fn is_header(line: &str) -> bool {
    let names = Delimiter::Byte(b',').split(line);
    COLUMNS.iter().all(|column| names.iter().any(|name| name == column))
}

/// Parses the lines of a download in their order.
#[derive(Debug)]
pub(super) struct Download {
    places: [usize; 3],
    width: usize,
    states: States,
}

impl Download {
    pub(super) fn new(header: &str) -> Self {
        let names = Delimiter::Byte(b',').split(header);
        let place = |column: &str| names.iter().position(|name| name == column).unwrap_or_default();
        Self { places: COLUMNS.map(place), width: names.len(), states: States::default() }
    }
}

impl RecordParser for Download {
    fn n_header_lines(&self) -> usize {
        1
    }

    fn is_ordered(&self) -> bool {
        true
    }

    fn quoted_after(&self) -> Option<u8> {
        Some(b',')
    }

    fn parse(&self, text: &str, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let row = Delimiter::Byte(b',').split(text);
        if row.len() != self.width {
            return Err(LineError::TooFewColumns { want: self.width, got: row.len() });
        }
        let [entity, state, time] = self.places.map(|place| row[place].as_str());
        let time =
            parse_rfc3339(time).ok_or_else(|| LineError::ColumnTime { field: "last_changed", got: time.into() })?;
        self.states.take(
            Change {
                entity,
                state,
                old: None,
                attributes: None,
                time,
                context: None,
                parent: None,
                zone: None,
                sensor_name: None,
            },
            normalizer,
        )
    }
}
