//! Sizes of encoders.

use serde::{Deserialize, Serialize};

/// Sizes that are known to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Preset {
    /// 2 layers of width 64 with 4 heads, 32 events of context; minutes on two cores
    Tiny,
    /// 4 layers of width 256 with 4 heads, 128 events of context
    Small,
    /// The seed's encoder: 12 layers of width 768 with 12 heads, 512 events of context; for a GPU
    Base,
}
