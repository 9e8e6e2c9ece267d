//! Windows of tokens as tensors.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use spaxiom_token::{TokenWindow, special};

/// Where the ids of each field stand in the one embedding table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLayout {
    offsets: Vec<usize>,
    n_rows: usize,
}

impl BatchLayout {
    /// `field_sizes` as [`spaxiom_token::Tokenizer::field_sizes`] gives them.
    #[must_use]
    pub fn new(field_sizes: &[usize]) -> Self {
        let mut n_rows = 0;
        let offsets = field_sizes
            .iter()
            .map(|size| {
                n_rows += size;
                n_rows - size
            })
            .collect();
        Self { offsets, n_rows }
    }

    /// Number of fields.
    #[must_use]
    pub fn n_fields(&self) -> usize {
        self.offsets.len()
    }

    /// Rows of the embedding table.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// First row of each field.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }
}

/// A batch of windows; before the events of each stands one `[CLS]`, after them padding.
#[derive(Debug, Clone)]
pub struct EventBatch<B: Backend> {
    /// Rows of the embedding table, `[batch, seq, n_fields]`.
    pub rows: Tensor<B, 3, Int>,
    /// How far before the end of its window an event is, `[batch, seq]`:
    /// 0 for `[CLS]` and padding, 1 for the last event, 2 for the one before it.
    pub positions: Tensor<B, 2, Int>,
    /// 1 for `[CLS]` and events, 0 for padding, `[batch, seq]`.
    pub keep: Tensor<B, 2>,
}

impl<B: Backend> EventBatch<B> {
    /// Puts windows side by side; `seq` is the longest window and one more for `[CLS]`.
    #[must_use]
    pub fn new(layout: &BatchLayout, windows: &[TokenWindow<'_>], device: &B::Device) -> Self {
        Self::with_ids(layout, &windows.iter().map(TokenWindow::ids).collect::<Vec<_>>(), device)
    }

    /// As [`EventBatch::new`], from ids row after row: masking changes ids before they become a batch.
    #[must_use]
    pub fn with_ids(layout: &BatchLayout, windows: &[&[u32]], device: &B::Device) -> Self {
        let n_fields = layout.n_fields();
        let batch = windows.len();
        let seq = 1 + windows.iter().map(|ids| ids.len() / n_fields).max().unwrap_or(0);
        let mut rows = Vec::with_capacity(batch * seq * n_fields);
        let mut positions = Vec::with_capacity(batch * seq);
        let mut keep = Vec::with_capacity(batch * seq);
        for ids in windows {
            let len = ids.len() / n_fields;
            rows.extend(layout.offsets.iter().map(|&offset| int(offset) + i64::from(special::CLS)));
            for row in ids.chunks_exact(n_fields) {
                rows.extend(layout.offsets.iter().zip(row).map(|(&offset, &id)| int(offset) + i64::from(id)));
            }
            let n_padding = seq - 1 - len;
            let padding = layout.offsets.iter().map(|&offset| int(offset) + i64::from(special::PAD));
            rows.extend(std::iter::repeat_n(padding, n_padding).flatten());
            positions.push(0);
            positions.extend((1..=len).rev().map(int));
            positions.extend(std::iter::repeat_n(0, n_padding));
            keep.extend(std::iter::repeat_n(1f32, len + 1));
            keep.extend(std::iter::repeat_n(0f32, n_padding));
        }
        Self {
            rows: Tensor::from_data(TensorData::new(rows, [batch, seq, n_fields]), device),
            positions: Tensor::from_data(TensorData::new(positions, [batch, seq]), device),
            keep: Tensor::from_data(TensorData::new(keep, [batch, seq]), device),
        }
    }
}

fn int(index: usize) -> i64 {
    i64::try_from(index).expect("an index into a tensor fits")
}
