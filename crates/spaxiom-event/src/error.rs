//! What can go wrong while events are read.

mod event;
mod line;
mod map;

pub use self::event::EventError;
pub use self::line::{LineError, Rejected};
pub use self::map::ColumnMapError;

/// A setting of the sequencer that is out of range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`: wanted {want}, got `{got}`")]
pub struct SequenceError {
    /// The setting.
    pub name: &'static str,
    /// Its range.
    pub want: &'static str,
    /// What it was.
    pub got: String,
}
