//! What a person may set about vectors.

use serde::{Deserialize, Serialize};

/// What a person may set about vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VectorOptions {
    /// Numbers that the memory is projected to, by the principal components of the training part; 128, and fewer where it has fewer.
    pub memory_width: usize,
}

impl Default for VectorOptions {
    fn default() -> Self {
        Self { memory_width: 128 }
    }
}
