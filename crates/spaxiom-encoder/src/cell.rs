//! The gates of recurrent layers.

use serde::{Deserialize, Serialize};

/// The gates of a recurrent layer, as PyTorch orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// Input, forget, candidate, output.
    Lstm,
    /// Reset, update, candidate; the reset comes after the product.
    Gru,
}

impl Cell {
    pub(crate) fn n_gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}
