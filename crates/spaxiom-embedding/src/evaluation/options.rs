//! Options of an evaluation.

use crate::vector::VectorName;

/// Options of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// Labeled training events for the linear probes, at most, evenly spread; 10,000.
    pub n_probe: usize,
    /// Labeled test events that are ranked and classified, at most, evenly spread; 8,000.
    pub n_test: usize,
    /// Queries among them, at most, evenly spread; 800.
    pub n_queries: usize,
    /// Whether events without a label are those of a class of their own, in place of being left out; no.
    pub with_other: bool,
    /// Whether probes are fitted on the training and validation part together once they are chosen; no.
    pub refit: bool,
    /// Whether vectors of sites without order and without times are judged too, and what vectors give away of site, day and hour; no.
    pub with_controls: bool,
    /// The parts of the vectors of an ablation; both.
    pub parts: VectorName,
    /// Seed of resampling and of the untrained encoder.
    pub seed: u64,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            n_probe: 10_000,
            n_test: 8_000,
            n_queries: 800,
            with_other: false,
            refit: false,
            with_controls: false,
            parts: VectorName::Both,
            seed: 0,
        }
    }
}
