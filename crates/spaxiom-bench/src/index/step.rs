//! A step that has a process of its own.

use std::path::PathBuf;

/// What a process of its own is asked for.
#[derive(Debug, Clone)]
pub struct IndexStep {
    /// The store.
    pub store: PathBuf,
    /// The kind as a store records it.
    pub kind: String,
    /// The exact answers.
    pub truth: PathBuf,
    /// Threads.
    pub threads: u32,
}
