//! Sums of rows of an embedding table.

use rayon::prelude::*;

use super::gradients::Gradients;

/// Columns that one thread takes at a time where gradients are added up.
const COLUMNS: usize = 64;

/// Adds one row to another.
pub(crate) fn add_row(sum: &mut [f32], row: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += value;
    }
}

/// What the gradients are computed from.
#[derive(Debug)]
pub(crate) struct Named {
    /// `[n, n_fields]`.
    rows: Vec<usize>,
    n_fields: usize,
    n_rows: usize,
    d: usize,
}

/// For every `n_fields` rows their sum, `[n, d]`.
pub(crate) fn forward(table: &[f32], d: usize, rows: Vec<usize>, n_fields: usize) -> (Vec<f32>, Named) {
    let mut sums = vec![0.0; rows.len() / n_fields * d];
    sums.par_chunks_mut(d).zip(rows.par_chunks(n_fields)).with_min_len(256).for_each(|(sum, rows)| {
        for row in rows {
            add_row(sum, &table[row * d..][..d]);
        }
    });
    (sums, Named { rows, n_fields, n_rows: table.len() / d, d })
}

impl Gradients<1> for Named {
    fn gradients(&self, of_sums: &[f32], _: [bool; 1]) -> [Vec<f32>; 1] {
        let Self { rows, n_fields, n_rows, d } = self;
        let d = *d;
        // Columns know nothing of each other, and each is summed in the order of the events.
        let blocks: Vec<Vec<f32>> = (0..d)
            .step_by(COLUMNS)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|start| {
                let width = COLUMNS.min(d - start);
                let mut block = vec![0.0; n_rows * width];
                for (of_sum, rows) in of_sums.chunks_exact(d).zip(rows.chunks_exact(*n_fields)) {
                    for row in rows {
                        for (sum, value) in block[row * width..][..width].iter_mut().zip(&of_sum[start..]) {
                            *sum += value;
                        }
                    }
                }
                block
            })
            .collect();
        let mut of_table = vec![0.0; n_rows * d];
        for (block, start) in blocks.iter().zip((0..d).step_by(COLUMNS)) {
            let width = COLUMNS.min(d - start);
            for (of_row, block) in of_table.chunks_exact_mut(d).zip(block.chunks_exact(width)) {
                of_row[start..start + width].copy_from_slice(block);
            }
        }
        [of_table]
    }
}
