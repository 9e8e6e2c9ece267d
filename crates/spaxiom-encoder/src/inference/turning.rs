//! Rotary embedding of packed rows, as [`crate::attention::Rotation`] defines it.

use spaxiom_token::TokenWindow;

use crate::attention::turns_per_sec;

/// Cosine and sine of each pair of columns, row after row.
#[derive(Debug)]
pub(super) struct Turns {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Turns {
    /// For the rows of all windows, each with its `[CLS]` first.
    pub(super) fn new(windows: &[TokenWindow<'_>], d_head: usize) -> Self {
        let turns = turns_per_sec(d_head);
        let ages = windows.iter().flat_map(|window| {
            let ages = window.ages();
            // `[CLS]` stands at the first event.
            [ages.first().copied().unwrap_or(0.0)].into_iter().chain(ages)
        });
        let (sin, cos) = ages.flat_map(|age| turns.iter().map(move |turn| (age * turn).sin_cos())).unzip();
        Self { half: d_head / 2, cos, sin }
    }

    /// Turns the heads in the first `width` of every `stride` values; the rows are those of `of_rows`.
    pub(super) fn apply(&self, values: &mut [f32], stride: usize, width: usize, of_rows: impl Iterator<Item = usize>) {
        for (values, row) in values.chunks_exact_mut(stride).zip(of_rows) {
            let cos = &self.cos[row * self.half..(row + 1) * self.half];
            let sin = &self.sin[row * self.half..(row + 1) * self.half];
            for head in values[..width].chunks_exact_mut(2 * self.half) {
                let (first, second) = head.split_at_mut(self.half);
                for ((first, second), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
                    (*first, *second) = (*first * cos - *second * sin, *second * cos + *first * sin);
                }
            }
        }
    }
}
