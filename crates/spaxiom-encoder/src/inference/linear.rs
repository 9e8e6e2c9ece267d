//! Linear layers as encoding needs them.

use std::collections::BTreeMap;
use std::ops::Range;

use faer::{Accum, MatRef, Par};

use crate::error::EncoderError;
use crate::kernels::linear::{add_bias, add_bias_relu};
use crate::kernels::product::multiply_rows;
use crate::weights::{NamedTensor, take};

/// Weights `[d_in, d_out]` and a bias, as they are used without gradients.
#[derive(Debug, Clone)]
pub struct DenseLinear {
    weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    d_in: usize,
    d_out: usize,
}

impl DenseLinear {
    /// Takes `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// The first of them that is missing or has another shape.
    pub fn from_weights(
        tensors: &BTreeMap<String, NamedTensor>,
        name: &str,
        [d_in, d_out]: [usize; 2],
    ) -> Result<Self, EncoderError> {
        Ok(Self {
            weight: take(tensors, &format!("{name}.weight"), &[d_in, d_out])?,
            bias: take(tensors, &format!("{name}.bias"), &[d_out])?,
            d_in,
            d_out,
        })
    }

    /// The same for some of the columns that it gives, side by side.
    pub(super) fn columns(&self, columns: &[Range<usize>]) -> Self {
        let of_row = |row: &[f32]| columns.iter().flat_map(|range| row[range.clone()].to_vec()).collect::<Vec<f32>>();
        let weight = self.weight.chunks_exact(self.d_out).flat_map(of_row).collect();
        Self { weight, bias: of_row(&self.bias), d_in: self.d_in, d_out: columns.iter().map(Range::len).sum() }
    }

    /// Number of columns that it takes.
    pub(super) fn d_in(&self) -> usize {
        self.d_in
    }

    /// Number of columns that it gives.
    #[must_use]
    pub fn d_out(&self) -> usize {
        self.d_out
    }

    /// `rows` times the weights, and the bias.
    ///
    /// # Shapes
    /// - rows: `[n, d_in]`, row after row
    /// - output: `[n, d_out]`
    #[must_use]
    pub fn forward(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; rows.len() / self.d_in * self.d_out];
        self.multiply(rows, &mut out, Par::Seq);
        add_bias(&mut out, &self.bias, Par::Seq);
        out
    }

    /// As [`DenseLinear::forward`], but nothing below 0.
    #[must_use]
    pub fn forward_relu(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; rows.len() / self.d_in * self.d_out];
        self.multiply(rows, &mut out, Par::Seq);
        add_bias_relu(&mut out, &self.bias);
        out
    }

    /// `out = rows * weight`, without the bias.
    pub(super) fn multiply(&self, rows: &[f32], out: &mut [f32], par: Par) {
        self.product(rows, 0, self.d_out, out, Accum::Replace, par);
    }

    /// `out += rows * weight`, without the bias.
    pub(super) fn multiply_add(&self, rows: &[f32], out: &mut [f32], par: Par) {
        self.product(rows, 0, self.d_out, out, Accum::Add, par);
    }

    /// `out = rows * weight[:, from..to]`, without the bias.
    pub(super) fn multiply_columns(&self, rows: &[f32], from: usize, to: usize, out: &mut [f32], par: Par) {
        self.product(rows, from, to, out, Accum::Replace, par);
    }

    fn product(&self, rows: &[f32], from: usize, to: usize, out: &mut [f32], accum: Accum, par: Par) {
        let columns = &self.weight[from..];
        let weight = MatRef::from_row_major_slice_with_stride(columns, self.d_in, to - from, self.d_out);
        multiply_rows(out, accum, rows, weight, par);
    }
}
