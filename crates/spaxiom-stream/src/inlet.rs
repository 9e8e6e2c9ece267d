//! A program's own way into a worker, instead of a source.

use std::sync::mpsc::{SyncSender, TrySendError};

use crate::error::StreamError;
use crate::item::{Given, Item};

/// The way into a worker.
#[derive(Debug, Clone)]
pub struct Inlet(pub(crate) SyncSender<Item>);

impl Inlet {
    /// Hands something to the worker.
    ///
    /// # Errors
    /// [`StreamError::Busy`] while as much waits as may, [`StreamError::Over`] once nobody takes anything any more.
    pub fn give(&self, given: Given) -> Result<(), StreamError> {
        self.0.try_send(Item::Given(Box::new(given))).map_err(|error| match error {
            TrySendError::Full(_) => StreamError::Busy,
            TrySendError::Disconnected(_) => StreamError::Over,
        })
    }
}
