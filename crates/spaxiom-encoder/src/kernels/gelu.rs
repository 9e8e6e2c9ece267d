//! GELU (Hendrycks and Gimpel 2016): `x (1 + erf(x / sqrt 2)) / 2`.

use std::f32::consts::PI;

use faer::Par;
use rayon::prelude::*;

use super::functions::normal;
use super::gradients::Gradients;
use super::simd::{by_rows, vectorized};

/// Numbers that one thread takes at a time.
const PART: usize = 1 << 15;

/// Adds `bias` to every row, then applies GELU.
pub(crate) fn add_bias_gelu(rows: &mut [f32], bias: &[f32], par: Par) {
    by_rows(rows, bias.len(), par, |rows| {
        vectorized(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(bias.len()) {
                    for (value, bias) in row.iter_mut().zip(bias) {
                        let x = *value + bias;
                        *value = x * normal(x)[0];
                    }
                }
            },
        );
    });
}

/// What the gradients are computed from.
#[derive(Debug)]
pub(crate) struct Inputs(Vec<f32>);

/// `x (1 + erf(x / sqrt 2)) / 2` of every number.
pub(crate) fn forward(inputs: Vec<f32>) -> (Vec<f32>, Inputs) {
    let mut out = vec![0.0; inputs.len()];
    inputs.par_chunks(PART).zip(out.par_chunks_mut(PART)).for_each(|(inputs, out)| {
        vectorized(
            #[inline(always)]
            || {
                for (&x, out) in inputs.iter().zip(out) {
                    *out = x * normal(x)[0];
                }
            },
        );
    });
    (out, Inputs(inputs))
}

impl Gradients<1> for Inputs {
    fn gradients(&self, of_output: &[f32], _: [bool; 1]) -> [Vec<f32>; 1] {
        let density_at_0 = 1.0 / (2.0 * PI).sqrt();
        let mut of_inputs = vec![0.0; self.0.len()];
        let parts = of_inputs.par_chunks_mut(PART).zip(of_output.par_chunks(PART)).zip(self.0.par_chunks(PART));
        parts.for_each(|((of_inputs, of_output), inputs)| {
            vectorized(
                #[inline(always)]
                || {
                    for ((gradient, of_output), &x) in of_inputs.iter_mut().zip(of_output).zip(inputs) {
                        let [below, bell] = normal(x);
                        *gradient = of_output * (x * density_at_0).mul_add(bell, below);
                    }
                },
            );
        });
        [of_inputs]
    }
}
