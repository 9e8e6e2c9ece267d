//! Windows as embedded rows, one after the other.

use std::collections::BTreeMap;
use std::ops::Range;

use faer::Par;
use spaxiom_token::{TokenWindow, special};

use super::linear::DenseLinear;
use crate::batch::BatchLayout;
use crate::error::EncoderError;
use crate::kernels::layer_norm::layer_norm;
use crate::kernels::lookup::add_row;
use crate::weights::{NamedTensor, take};

/// Scale and bias of a layer norm.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

impl Norm {
    pub(super) fn from_weights(
        tensors: &BTreeMap<String, NamedTensor>,
        name: &str,
        d_model: usize,
    ) -> Result<Self, EncoderError> {
        Ok(Self {
            gamma: take(tensors, &format!("{name}.gamma"), &[d_model])?,
            beta: take(tensors, &format!("{name}.beta"), &[d_model])?,
        })
    }

    pub(super) fn forward(&self, rows: &[f32], out: &mut [f32], par: Par) {
        layer_norm(rows, &self.gamma, &self.beta, out, par);
    }
}

/// The embedding of events, as [`crate::EventEmbedding`] defines it.
#[derive(Debug, Clone)]
pub(super) struct RowEmbedding {
    layout: BatchLayout,
    d_model: usize,
    max_len: usize,
    table: Vec<f32>,
    positions: Option<Vec<f32>>,
    numbers: Option<DenseLinear>,
    norm: Norm,
}

impl RowEmbedding {
    pub(super) fn from_weights(
        tensors: &BTreeMap<String, NamedTensor>,
        name: &str,
        layout: &BatchLayout,
        [max_len, d_model]: [usize; 2],
    ) -> Result<Self, EncoderError> {
        let positions = take(tensors, &format!("{name}.positions"), &[max_len + 1, d_model])?;
        let embedding = Self::without_positions(tensors, name, layout, [max_len, d_model])?;
        Ok(Self { positions: Some(positions), ..embedding })
    }

    pub(super) fn without_positions(
        tensors: &BTreeMap<String, NamedTensor>,
        name: &str,
        layout: &BatchLayout,
        [max_len, d_model]: [usize; 2],
    ) -> Result<Self, EncoderError> {
        let n_features = layout.n_features();
        let numbers = || DenseLinear::from_weights(tensors, &format!("{name}.numbers"), [n_features, d_model]);
        Ok(Self {
            layout: layout.clone(),
            d_model,
            max_len,
            table: take(tensors, &format!("{name}.table"), &[layout.n_rows(), d_model])?,
            positions: None,
            numbers: (n_features > 0).then(numbers).transpose()?,
            norm: Norm::from_weights(tensors, &format!("{name}.norm"), d_model)?,
        })
    }

    pub(super) fn max_len(&self) -> usize {
        self.max_len
    }

    /// The rows of all windows, each with its `[CLS]` first, and where each window is.
    ///
    /// # Panics
    /// Where a window is longer than `max_len`: windows are cut by whoever makes them.
    pub(super) fn embed(&self, windows: &[TokenWindow<'_>], par: Par) -> (Vec<f32>, Vec<Range<usize>>) {
        for window in windows {
            assert!(
                window.len() <= self.max_len,
                "a window of {} events, at most {} are taken",
                window.len(),
                self.max_len
            );
        }
        self.embed_any(windows, par)
    }

    /// The same for windows of any length, where rows have no positions.
    pub(super) fn embed_any(&self, windows: &[TokenWindow<'_>], par: Par) -> (Vec<f32>, Vec<Range<usize>>) {
        let mut ranges = Vec::with_capacity(windows.len());
        let mut n_rows = 0;
        for window in windows {
            ranges.push(n_rows..n_rows + 1 + window.len());
            n_rows += 1 + window.len();
        }
        let mut rows = vec![0.0; n_rows * self.d_model];
        if let Some(numbers) = &self.numbers {
            numbers.multiply(&self.features(windows, n_rows), &mut rows, par);
        }
        let bias = self.numbers.as_ref().map(|numbers| numbers.bias.as_slice());
        for (window, range) in windows.iter().zip(&ranges) {
            let cls = self.layout.offsets().iter().map(|offset| offset + special::CLS as usize);
            self.add(&mut rows, range.start, cls, 0, bias);
            for (at, ids) in window.rows().enumerate() {
                let ids = self.layout.offsets().iter().zip(ids).map(|(offset, &id)| offset + id as usize);
                self.add(&mut rows, range.start + 1 + at, ids, window.len() - at, bias);
            }
        }
        let mut normed = vec![0.0; rows.len()];
        self.norm.forward(&rows, &mut normed, par);
        (normed, ranges)
    }

    /// Adds to a row the embeddings of its ids, of its position and the bias of the numbers.
    fn add(
        &self,
        rows: &mut [f32],
        row: usize,
        ids: impl Iterator<Item = usize>,
        position: usize,
        bias: Option<&[f32]>,
    ) {
        let d = self.d_model;
        let row = &mut rows[row * d..(row + 1) * d];
        let at = |row: usize| row * d..(row + 1) * d;
        for id in ids {
            add_row(row, &self.table[at(id)]);
        }
        if let Some(positions) = &self.positions {
            add_row(row, &positions[at(position)]);
        }
        if let Some(bias) = bias {
            add_row(row, bias);
        }
    }

    /// Features of numbers and ages of every row, 0 for `[CLS]`.
    fn features(&self, windows: &[TokenWindow<'_>], n_rows: usize) -> Vec<f32> {
        let n_features = self.layout.n_features();
        let mut features = Vec::with_capacity(n_rows * n_features);
        for window in windows {
            features.resize(features.len() + n_features, 0.0);
            self.layout.push_features(&window.values(), &window.ages(), &mut features);
        }
        features
    }
}
