//! What takes alerts.

use crate::alerts::{Notice, Outcome};
use crate::error::StreamError;

/// Takes notices, oldest first.
pub trait Sink: Send {
    /// Sends them on; each at least once, and one that is sent again is told by its number and the id of its alert.
    ///
    /// # Errors
    /// [`StreamError::Send`]: all of them are given again later.
    fn send(&mut self, notices: &[Notice]) -> Result<(), StreamError>;

    /// Ids of alerts that somebody acknowledged there since the last time, and what was found.
    fn acknowledged(&mut self) -> Vec<(String, Option<Outcome>)> {
        Vec::new()
    }
}
