//! Linear layers.

use faer::{Accum, MatMut, MatRef, Par};

use super::gradients::Gradients;
use super::product::{multiply, multiply_rows};
use super::simd::{by_rows, vectorized};

/// Adds `bias` to every row.
pub(crate) fn add_bias(rows: &mut [f32], bias: &[f32], par: Par) {
    by_rows(rows, bias.len(), par, |rows| {
        vectorized(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(bias.len()) {
                    for (value, bias) in row.iter_mut().zip(bias) {
                        *value += bias;
                    }
                }
            },
        );
    });
}

/// Adds `bias` to every row and applies `ReLU`.
pub(crate) fn add_bias_relu(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value = (*value + bias).max(0.0);
        }
    }
}

/// What the gradients are computed from.
#[derive(Debug)]
pub(crate) struct Product {
    /// `[n, d_in]`.
    rows: Vec<f32>,
    /// `[d_in, d_out]`.
    weight: Vec<f32>,
    d_in: usize,
    d_out: usize,
}

/// `rows * weight + bias`, `[n, d_out]`.
pub(crate) fn forward(rows: Vec<f32>, weight: Vec<f32>, bias: Option<&[f32]>, d_in: usize) -> (Vec<f32>, Product) {
    let d_out = weight.len() / d_in;
    let product = Product { rows, weight, d_in, d_out };
    let mut out = vec![0.0; product.n() * d_out];
    multiply_rows(&mut out, Accum::Replace, &product.rows, product.weight(), threads());
    if let Some(bias) = bias {
        add_bias(&mut out, bias, threads());
    }
    (out, product)
}

fn threads() -> Par {
    Par::rayon(0)
}

impl Product {
    fn n(&self) -> usize {
        self.rows.len() / self.d_in
    }

    fn rows(&self) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice(&self.rows, self.n(), self.d_in)
    }

    fn weight(&self) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice(&self.weight, self.d_in, self.d_out)
    }

    /// Of the rows, where they are wanted, and of the weights.
    fn of_factors(&self, of_output: &[f32], wants_rows: bool) -> [Vec<f32>; 2] {
        let Self { d_in, d_out, .. } = *self;
        let gradient = MatRef::from_row_major_slice(of_output, self.n(), d_out);
        let mut of_rows = Vec::new();
        if wants_rows {
            of_rows.resize(self.rows.len(), 0.0);
            let out = MatMut::from_row_major_slice_mut(&mut of_rows, self.n(), d_in);
            multiply(out, Accum::Replace, gradient, self.weight().transpose(), threads());
        }
        let mut of_weight = vec![0.0; self.weight.len()];
        let out = MatMut::from_row_major_slice_mut(&mut of_weight, d_in, d_out);
        multiply(out, Accum::Replace, self.rows().transpose(), gradient, threads());
        [of_rows, of_weight]
    }
}

impl Gradients<2> for Product {
    fn gradients(&self, of_output: &[f32], [wants_rows, _]: [bool; 2]) -> [Vec<f32>; 2] {
        self.of_factors(of_output, wants_rows)
    }
}

impl Gradients<3> for Product {
    fn gradients(&self, of_output: &[f32], [wants_rows, ..]: [bool; 3]) -> [Vec<f32>; 3] {
        let [of_rows, of_weight] = self.of_factors(of_output, wants_rows);
        let mut of_bias = vec![0.0; self.d_out];
        for gradient in of_output.chunks_exact(self.d_out) {
            for (sum, value) in of_bias.iter_mut().zip(gradient) {
                *sum += value;
            }
        }
        [of_rows, of_weight, of_bias]
    }
}
