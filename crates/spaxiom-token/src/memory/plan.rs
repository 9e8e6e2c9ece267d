//! What is remembered: the vocabulary, by the clocks of the options.

use super::clocks::{Clocks, N_TIMES};
use super::options::MemoryOptions;
use super::vocabulary::Vocabulary;
use super::zones::N_STATISTICS;

/// What is remembered, and where it stands in a row of numbers.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) options: MemoryOptions,
    pub(super) vocabulary: Vocabulary,
    pub(super) clocks: Clocks,
    /// Of the artifact.
    pub(super) fingerprint: String,
}

impl Plan {
    /// Tokens, bins, and repeats.
    pub(super) fn n_counted(&self) -> usize {
        self.vocabulary.n_tokens() * (1 + self.clocks.repeats_ns.len()) + self.vocabulary.n_bins()
    }

    /// Numbers in a row.
    pub(super) fn n_features(&self) -> usize {
        let Self { vocabulary, clocks, .. } = self;
        let n_counts = self.n_counted() * clocks.half_lives_ns.len();
        let n_recent = vocabulary.n_tokens() * clocks.half_lives_events.len();
        let n_elapsed = vocabulary.n_tokens() * (1 + clocks.elapsed_secs.len());
        let n_means = vocabulary.n_measures() * clocks.zone_half_lives_ns.len();
        n_counts + n_recent + vocabulary.n_pairs() + n_elapsed + n_means + N_TIMES + self.n_zone_features()
    }

    /// Numbers at the end of a row that are read out over zones.
    pub(super) fn n_zone_features(&self) -> usize {
        let n_half_lives = self.clocks.zone_half_lives_ns.len();
        let n_quantities =
            self.vocabulary.n_groups() * (1 + n_half_lives) + self.vocabulary.n_zone_measures() * n_half_lives;
        n_quantities * N_STATISTICS
    }
}
