//! Counts that fall by half in every half-life, at the cost of one event per event.

use serde::{Deserialize, Serialize};

use super::bits;
use super::functions::log_1p;

/// Powers of two above which counts are brought back to the present, so that a 32-bit float holds them.
const MAX_EXPONENT: f64 = 48.0;

/// Counts of cells at several half-lives.
///
/// Instead of letting all counts fall with every event, each event counts more than the ones before it, by `2^(t / half-life)`,
/// and a reader divides by that of its own moment (forward decay; Cormode, Shkapenyuk, Srivastava and Xu 2009).
/// Half-lives are the caller's, in ticks of its clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decayed {
    /// By half-life: the tick at which an event counts 1.
    references: Vec<i64>,
    /// By cell, and then by half-life.
    #[serde(with = "bits")]
    counts: Vec<f32>,
}

impl Decayed {
    pub(super) fn new(n_cells: usize, n_half_lives: usize) -> Self {
        Self { references: vec![0; n_half_lives], counts: vec![0.0; n_cells * n_half_lives] }
    }

    /// Whether it has so many half-lives, and this many cells.
    pub(super) fn has_shape(&self, n_cells: usize, n_half_lives: usize) -> bool {
        self.references.len() == n_half_lives && self.counts.len() == n_cells * n_half_lives
    }

    /// Adds cells that were never counted.
    pub(super) fn grow(&mut self, n_cells: usize) {
        self.counts.resize(self.counts.len() + n_cells * self.references.len(), 0.0);
    }

    /// What an event of this tick counts, by half-life.
    pub(super) fn weights(&mut self, tick: i64, half_lives: &[f64], weights: &mut Vec<f32>) {
        weights.clear();
        for (at, half_life) in half_lives.iter().enumerate() {
            let mut age = half_lives_since(self.references[at], tick, *half_life);
            if age > MAX_EXPONENT {
                let left = single((-age).exp2());
                self.counts.iter_mut().skip(at).step_by(half_lives.len()).for_each(|count| *count *= left);
                self.references[at] = tick;
                age = 0.0;
            }
            weights.push(single(age.exp2()));
        }
    }

    /// Counts an event in a cell.
    pub(super) fn add(&mut self, cell: usize, weights: &[f32]) {
        let counts = &mut self.counts[cell * weights.len()..(cell + 1) * weights.len()];
        counts.iter_mut().zip(weights).for_each(|(count, weight)| *count += weight);
    }

    /// Adds a number to a cell, as an event of these weights.
    pub(super) fn add_number(&mut self, cell: usize, number: f32, weights: &[f32]) {
        let counts = &mut self.counts[cell * weights.len()..(cell + 1) * weights.len()];
        counts.iter_mut().zip(weights).for_each(|(count, weight)| *count += number * weight);
    }

    /// By half-life: what the counts have to be multiplied by at this tick.
    pub(super) fn scales(&self, tick: i64, half_lives: &[f64], scales: &mut Vec<f32>) {
        scales.clear();
        let scale =
            |(reference, half_life): (&i64, &f64)| single((-half_lives_since(*reference, tick, *half_life)).exp2());
        scales.extend(self.references.iter().zip(half_lives).map(scale));
    }

    /// Logarithms of one and the counts of all cells, by cell and then by half-life.
    pub(super) fn read(&self, scales: &[f32], logs: &mut [f32]) {
        // Without half-lives there are no counts either.
        let n = scales.len().max(1);
        for (logs, counts) in logs.chunks_exact_mut(n).zip(self.counts.chunks_exact(n)) {
            for ((log, count), scale) in logs.iter_mut().zip(counts).zip(scales) {
                *log = count * scale;
            }
        }
        for log in logs {
            *log = log_1p(*log);
        }
    }

    /// The mean of the numbers of a cell, of which the next one counts how many there were; near 0 for few of them.
    pub(super) fn mean(&self, cell: usize, half_life: usize, scale: f32, shrinkage: f32) -> f32 {
        self.count(cell, half_life) * scale / (self.count(cell + 1, half_life) * scale + shrinkage)
    }

    /// The count of a cell at one of the half-lives, still to be multiplied by its scale.
    pub(super) fn count(&self, cell: usize, half_life: usize) -> f32 {
        self.counts[cell * self.references.len() + half_life]
    }
}

fn half_lives_since(reference: i64, tick: i64, half_life: f64) -> f64 {
    tick.saturating_sub(reference) as f64 / half_life
}

#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
fn single(value: f64) -> f32 {
    value as f32
}
