//! Which events of a window are hidden, for objectives that predict hidden events.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::WindowRows;
use spaxiom_token::special;

/// A batch in which some events have to be predicted.
#[derive(Debug)]
pub struct MaskedBatch {
    /// The changed windows.
    pub(crate) windows: Vec<WindowRows>,
    /// Positions of the events to predict, in `[batch * seq]`.
    pub(crate) positions: Vec<usize>,
    /// Their true ids, row after row.
    pub(crate) targets: Vec<u32>,
}

/// How many events are chosen, and how many in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaskChoice {
    /// Share of the events that are chosen.
    pub(crate) ratio: f64,
    /// Maximum number of consecutive events that are chosen together.
    pub(crate) max_span: usize,
}

impl MaskChoice {
    /// Each position with probability `ratio`, alone or in spans; at least one. Separators are never chosen.
    pub(crate) fn positions(self, window: &WindowRows, n_fields: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let rows = window.ids.chunks_exact(n_fields).enumerate();
        let all: Vec<usize> = rows.filter(|(_, row)| row[0] != special::SEP).map(|(at, _)| at).collect();
        let chosen = if self.max_span == 1 {
            all.iter().copied().filter(|_| rng.random_bool(self.ratio)).collect()
        } else {
            self.spans(&all, rng)
        };
        if chosen.is_empty() && !all.is_empty() { vec![all[rng.random_range(0..all.len())]] } else { chosen }
    }

    /// Spans of 1 to `max_span` events, all lengths equally likely, until `ratio` of the events are chosen.
    fn spans(self, all: &[usize], rng: &mut ChaCha8Rng) -> Vec<usize> {
        let Self { ratio, max_span } = self;
        // A renewal process: the gaps between spans are such that the share is right.
        let mean = (max_span + 1) as f64 / 2.0;
        let start = (ratio / (ratio + mean * (1.0 - ratio))).min(1.0);
        let mut chosen = Vec::new();
        let mut at = 0;
        while at < all.len() {
            if rng.random_bool(start) {
                let end = (at + rng.random_range(1..=max_span)).min(all.len());
                chosen.extend_from_slice(&all[at..end]);
                at = end;
            } else {
                at += 1;
            }
        }
        chosen
    }
}
