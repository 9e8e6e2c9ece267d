//! Scaled dot-product attention (Vaswani et al. 2017), head by head.
//!
//! Calls faer without [`super::product`]: a window is multiplied with itself alone, so that no other window can change its sums.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::gradients::Gradients;
use super::softmax::{softmax, through_softmax};

/// Mixes the values of one head of one window by the softmax of the scores, which is left in `scores`.
///
/// `change` is what happens to the scores before the softmax: a bias, a mask.
///
/// # Shapes
/// - query: `[n_queries, d_head]`; key, value: `[n_keys, d_head]`
/// - scores: `[n_queries, n_keys]`, out: `[n_queries, d_head]`
pub(crate) fn attend(
    [query, key, value]: [MatRef<'_, f32>; 3],
    scores: &mut [f32],
    change: impl FnOnce(&mut [f32]),
    out: MatMut<'_, f32>,
) {
    let (n_queries, n_keys) = (query.nrows(), key.nrows());
    let to = MatMut::from_row_major_slice_mut(scores, n_queries, n_keys);
    matmul(to, Accum::Replace, query, key.transpose(), scale(query.ncols()), Par::Seq);
    change(scores);
    softmax(scores, n_keys);
    matmul(out, Accum::Replace, MatRef::from_row_major_slice(scores, n_queries, n_keys), value, 1.0, Par::Seq);
}

/// Hides from every position those after it, in scores `[n, n]`.
pub(crate) fn hide_what_comes_later(scores: &mut [f32], n: usize) {
    for (query, scores) in scores.chunks_exact_mut(n).enumerate() {
        scores[query + 1..].fill(f32::NEG_INFINITY);
    }
}

fn scale(d_head: usize) -> f32 {
    1.0 / (d_head as f32).sqrt()
}

/// Positions of a window, numbers of a state, and heads that share them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) seq: usize,
    pub(crate) d: usize,
    pub(crate) heads: usize,
}

/// Added to the scores, `[1 or batch, 1 or heads, 1 or seq, seq]`.
pub(crate) struct Bias {
    pub(crate) values: Vec<f32>,
    pub(crate) shape: [usize; 4],
}

impl Bias {
    /// What is added to the scores of a query.
    fn row(&self, window: usize, head: usize, query: usize) -> &[f32] {
        let [n_windows, n_heads, n_queries, seq] = self.shape;
        let [window, head, query] =
            [(window, n_windows), (head, n_heads), (query, n_queries)].map(|(at, n)| at.min(n - 1));
        &self.values[((window * n_heads + head) * n_queries + query) * seq..][..seq]
    }
}

/// What the gradients are computed from.
#[derive(Debug)]
pub(crate) struct Attended {
    shape: Shape,
    /// `[batch, seq, 3 * d]`.
    qkv: Vec<f32>,
    /// The shares of all positions, `[batch, heads, seq, seq]`.
    shares: Vec<f32>,
}

impl Shape {
    fn d_head(self) -> usize {
        self.d / self.heads
    }

    /// Queries, keys and values of a head of one window, `[seq, d_head]` each.
    fn parts(self, qkv: &[f32], head: usize) -> [MatRef<'_, f32>; 3] {
        [0, 1, 2].map(|part| self.rows(&qkv[part * self.d + head * self.d_head()..], 3 * self.d))
    }

    /// The columns of a head of one window, `[seq, d_head]`, from the first number on.
    fn rows(self, from: &[f32], stride: usize) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice_with_stride(from, self.seq, self.d_head(), stride)
    }

    fn rows_mut(self, from: &mut [f32], stride: usize) -> MatMut<'_, f32> {
        // Not `from_row_major_slice_with_stride_mut`: faer 0.24 takes its stride for that of columns there and writes beyond the slice.
        MatMut::from_column_major_slice_with_stride_mut(from, self.d_head(), self.seq, stride).transpose_mut()
    }

    fn square(self, of: &[f32]) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice(of, self.seq, self.seq)
    }
}

/// The values of every window mixed by the softmax of the scores, `[batch, seq, d]`.
pub(crate) fn forward(shape: Shape, qkv: Vec<f32>, bias: &Bias) -> (Vec<f32>, Attended) {
    let Shape { seq, d, heads } = shape;
    let n_windows = qkv.len() / (seq * 3 * d);
    let mut mixed = vec![0.0; n_windows * seq * d];
    let mut shares = vec![0.0; n_windows * heads * seq * seq];
    let windows = mixed.par_chunks_exact_mut(seq * d).zip(shares.par_chunks_exact_mut(heads * seq * seq));
    windows.zip(qkv.par_chunks_exact(seq * 3 * d)).enumerate().for_each(|(window, ((mixed, shares), qkv))| {
        for (head, shares) in shares.chunks_exact_mut(seq * seq).enumerate() {
            let add_bias = |scores: &mut [f32]| {
                for (at, scores) in scores.chunks_exact_mut(seq).enumerate() {
                    for (score, bias) in scores.iter_mut().zip(bias.row(window, head, at)) {
                        *score += bias;
                    }
                }
            };
            let mixed = shape.rows_mut(&mut mixed[head * shape.d_head()..], d);
            attend(shape.parts(qkv, head), shares, add_bias, mixed);
        }
    });
    (mixed, Attended { shape, qkv, shares })
}

impl Gradients<1> for Attended {
    fn gradients(&self, of_mixed: &[f32], _: [bool; 1]) -> [Vec<f32>; 1] {
        let Self { shape, qkv, shares } = self;
        let Shape { seq, d, heads } = *shape;
        let mut of_qkv = vec![0.0; qkv.len()];
        let windows = of_qkv.par_chunks_exact_mut(seq * 3 * d).zip(qkv.par_chunks_exact(seq * 3 * d));
        let windows = windows.zip(shares.par_chunks_exact(heads * seq * seq)).zip(of_mixed.par_chunks_exact(seq * d));
        windows.for_each(|(((of_qkv, qkv), shares), of_mixed)| {
            let mut of_scores = vec![0.0; seq * seq];
            for (head, shares) in shares.chunks_exact(seq * seq).enumerate() {
                let [query, key, value] = shape.parts(qkv, head);
                let of_mixed = shape.rows(&of_mixed[head * shape.d_head()..], d);
                let of_shares = MatMut::from_row_major_slice_mut(&mut of_scores, seq, seq);
                matmul(of_shares, Accum::Replace, of_mixed, value.transpose(), 1.0, Par::Seq);
                through_softmax(shares, &mut of_scores, seq);
                let (scores, shares) = (shape.square(&of_scores), shape.square(shares));
                let products = [
                    (scores, key, scale(shape.d_head())),
                    (scores.transpose(), query, scale(shape.d_head())),
                    (shares.transpose(), of_mixed, 1.0),
                ];
                for (part, (left, right, scale)) in products.into_iter().enumerate() {
                    let of_part = shape.rows_mut(&mut of_qkv[part * d + head * shape.d_head()..], 3 * d);
                    matmul(of_part, Accum::Replace, left, right, scale, Par::Seq);
                }
            }
        });
        [of_qkv]
    }
}
