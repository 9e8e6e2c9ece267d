//! A source that is open.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::error::StreamError;

/// A source that is open.
pub(crate) struct Opened {
    /// Its text; a read waits until there is some.
    pub(crate) input: Box<dyn Read + Send>,
    /// Whether it may deliver a message again.
    pub(crate) delivers_again: bool,
    /// Messages that were given so far.
    pub(crate) n_given: Arc<AtomicU64>,
    /// Tells the source how many of them are durable.
    pub(crate) acknowledge: Box<dyn FnMut(u64) -> Result<(), StreamError> + Send>,
}
