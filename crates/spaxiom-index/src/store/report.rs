//! What a store reports about a build, about its content and about its condition.

use serde::Serialize;

use crate::settings::KindRecord;
use crate::store::header::StoreHeader;

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Vectors in the index; all of them for a kind without one.
    pub n_vectors: usize,
    /// Size of the index file in bytes; 0 for a kind without a file.
    pub n_bytes: u64,
}

/// Statistics of a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreStats {
    /// Vectors in the store.
    pub n_vectors: usize,
    /// Vectors in the index; the others are compared one by one.
    pub n_indexed: usize,
    /// Rows of deleted or replaced vectors, which `compact` gives back.
    pub n_dead: usize,
    /// Kind of the index.
    pub index: KindRecord,
    /// What made the vectors.
    pub header: StoreHeader,
    /// Bytes on the disk.
    pub n_bytes: StoreBytes,
}

/// Bytes of the files of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StoreBytes {
    /// Ids, metadata and their indices.
    pub database: u64,
    /// Vectors in half precision.
    pub vectors: u64,
    /// The index file.
    pub index: u64,
}

/// What a check of a store found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Result of SQLite's integrity check; `ok` if it found nothing.
    pub database: String,
    /// Vectors that are missing, or not what was written.
    pub n_bad_vectors: usize,
    /// Rows that are both there and deleted, or neither.
    pub n_misplaced: usize,
    /// Whether the index file exists, is intact and belongs to this store.
    pub index_is_sound: bool,
}

impl VerifyReport {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.database == "ok" && self.n_bad_vectors == 0 && self.n_misplaced == 0 && self.index_is_sound
    }
}
