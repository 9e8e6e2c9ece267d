//! What a store records about itself.

use serde::{Deserialize, Serialize};

use crate::settings::KindRecord;

/// What made the vectors of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHeader {
    /// Dimension of the vectors.
    pub dim: usize,
    /// Fingerprint of the tokenizer.
    pub tokenizer: String,
    /// Fingerprint of the weights of the encoder.
    pub encoder: String,
}

/// What a store says of itself.
pub(super) struct Meta {
    /// Random, drawn when the store is created: an index file of another store is no index of this one.
    pub(super) id: String,
    pub(super) header: StoreHeader,
    pub(super) kind: KindRecord,
}
