//! GELU (Hendrycks and Gimpel 2016).

use std::f32::consts::PI;

use rayon::prelude::*;

use super::Gradients;
use crate::inference::elementwise::{normal, vectorised};

/// Numbers that one thread takes at a time.
const PART: usize = 1 << 15;

/// What the gradients are computed from.
#[derive(Debug)]
pub(super) struct Inputs(Vec<f32>);

/// `x (1 + erf(x / sqrt 2)) / 2` of every number.
pub(super) fn forward(inputs: Vec<f32>) -> (Vec<f32>, Inputs) {
    let mut out = vec![0.0; inputs.len()];
    inputs.par_chunks(PART).zip(out.par_chunks_mut(PART)).for_each(|(inputs, out)| {
        vectorised(
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
            vectorised(
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
