//! Training, validation and test.

use serde::{Deserialize, Serialize};

/// What a moment of a site may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Vocabularies, bins, scales and weights come from here.
    Train,
    /// Early stopping, thresholds and other choices come from here.
    Validation,
    /// Figures come from here, and nothing else.
    Test,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}
