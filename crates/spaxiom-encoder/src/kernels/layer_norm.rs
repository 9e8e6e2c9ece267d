//! Layer normalization: rows of mean 0 and deviation 1, scaled and moved.
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for vector instructions")]

use faer::Par;
use rayon::prelude::*;

use super::gradients::Gradients;
use super::simd::{PART, dot, sum, vectorized};

/// Added to the variance, as in the burn modules.
pub(super) const EPSILON: f32 = 1e-5;

/// Rows whose gradients are summed up together: always the same ones, whatever the number of threads.
const ROWS: usize = 256;

/// Mean of a row, and one over its standard deviation.
#[inline(always)]
fn moments(row: &[f32]) -> (f32, f32) {
    let d = row.len() as f32;
    let mean = sum(row, |value| value) / d;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / d;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

/// `gamma * (x - mean) / sd + beta` for every row of as many numbers as `gamma` has.
pub(crate) fn layer_norm(rows: &[f32], gamma: &[f32], beta: &[f32], out: &mut [f32], par: Par) {
    let d = gamma.len();
    let part = |(rows, out): (&[f32], &mut [f32])| {
        vectorized(
            #[inline(always)]
            || {
                for (row, out) in rows.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
                    let (mean, scale) = moments(row);
                    for (((out, value), gamma), beta) in out.iter_mut().zip(row).zip(gamma).zip(beta) {
                        *out = ((value - mean) * scale).mul_add(*gamma, *beta);
                    }
                }
            },
        );
    };
    if par == Par::Seq || rows.len() < 2 * PART {
        return part((rows, out));
    }
    let size = PART.div_ceil(d) * d;
    rows.par_chunks(size).zip(out.par_chunks_mut(size)).for_each(part);
}

/// What the gradients are computed from.
#[derive(Debug)]
pub(crate) struct Normed {
    gamma: Vec<f32>,
    /// Rows of mean 0 and deviation 1.
    unit: Vec<f32>,
    /// One over the deviation of each row.
    scales: Vec<f32>,
}

/// As [`layer_norm`], with what the gradients need.
pub(crate) fn forward(rows: &[f32], gamma: Vec<f32>, beta: &[f32]) -> (Vec<f32>, Normed) {
    let d = gamma.len();
    let (mut out, mut unit, mut scales) = (vec![0.0; rows.len()], vec![0.0; rows.len()], vec![0.0; rows.len() / d]);
    let parts = rows.par_chunks(ROWS * d).zip(out.par_chunks_mut(ROWS * d));
    parts.zip(unit.par_chunks_mut(ROWS * d)).zip(scales.par_chunks_mut(ROWS)).for_each(
        |(((rows, out), unit), scales)| {
            vectorized(
                #[inline(always)]
                || {
                    let rows = rows.chunks_exact(d).zip(out.chunks_exact_mut(d)).zip(unit.chunks_exact_mut(d));
                    for (((row, out), unit), scale) in rows.zip(scales) {
                        let (mean, factor) = moments(row);
                        *scale = factor;
                        for at in 0..d {
                            unit[at] = (row[at] - mean) * factor;
                            out[at] = unit[at].mul_add(gamma[at], beta[at]);
                        }
                    }
                },
            );
        },
    );
    (out, Normed { gamma, unit, scales })
}

impl Gradients<3> for Normed {
    fn gradients(&self, of_output: &[f32], _: [bool; 3]) -> [Vec<f32>; 3] {
        let Self { gamma, unit, scales } = self;
        let d = gamma.len();
        let mut of_rows = vec![0.0; unit.len()];
        let parts = of_rows.par_chunks_mut(ROWS * d).zip(of_output.par_chunks(ROWS * d));
        let parts = parts.zip(unit.par_chunks(ROWS * d)).zip(scales.par_chunks(ROWS));
        let sums: Vec<[Vec<f32>; 2]> = parts
            .map(|(((of_rows, of_output), unit), scales)| {
                let (mut of_gamma, mut of_beta) = (vec![0.0; d], vec![0.0; d]);
                vectorized(
                    #[inline(always)]
                    || {
                        let rows = of_rows.chunks_exact_mut(d).zip(of_output.chunks_exact(d)).zip(unit.chunks_exact(d));
                        for (((of_row, of_output), unit), scale) in rows.zip(scales) {
                            for at in 0..d {
                                of_gamma[at] = of_output[at].mul_add(unit[at], of_gamma[at]);
                                of_beta[at] += of_output[at];
                                of_row[at] = of_output[at] * gamma[at];
                            }
                            let mean = sum(of_row, |value| value) / d as f32;
                            for value in &mut *of_row {
                                *value -= mean;
                            }
                            let along = dot(of_row, unit) / d as f32;
                            for at in 0..d {
                                of_row[at] = (of_row[at] - unit[at] * along) * scale;
                            }
                        }
                    },
                );
                [of_gamma, of_beta]
            })
            .collect();
        let mut totals = [vec![0.0; d], vec![0.0; d]];
        for sums in sums {
            for (total, sum) in totals.iter_mut().zip(sums) {
                total.iter_mut().zip(sum).for_each(|(total, value)| *total += value);
            }
        }
        let [of_gamma, of_beta] = totals;
        [of_rows, of_gamma, of_beta]
    }
}
