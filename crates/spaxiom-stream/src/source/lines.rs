//! Standard input and files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::opened::Opened;
use crate::error::StreamError;

pub(super) fn stdin() -> Opened {
    of(Box::new(std::io::stdin()))
}

pub(super) fn file(path: &Path) -> Result<Opened, StreamError> {
    Ok(of(Box::new(fs_err::File::open(path)?)))
}

/// What is behind a pipe cannot be given again, and a file stays as it is: nobody is told.
fn of(input: Box<dyn std::io::Read + Send>) -> Opened {
    Opened { input, delivers_again: false, n_given: Arc::new(AtomicU64::new(0)), acknowledge: Box::new(|_| Ok(())) }
}
