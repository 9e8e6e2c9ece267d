//! What a store reports about a build, about its content and about its condition.

use serde::Serialize;

use crate::settings::KindRecord;
use crate::store::header::StoreHeader;

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Vectors in the index.
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
    /// Kind of the index.
    pub index: KindRecord,
    /// What made the vectors.
    pub header: StoreHeader,
}

/// What a check of a store found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Result of SQLite's integrity check; `ok` if it found nothing.
    pub database: String,
    /// Vectors of another dimension than the store's, or with a value that is not finite.
    pub n_bad_vectors: usize,
    /// Whether the index file exists, is intact and belongs to this store.
    pub index_is_sound: bool,
}
