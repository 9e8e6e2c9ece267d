//! The transformer over packed rows.

use std::collections::BTreeMap;
use std::ops::Range;

use faer::{MatMut, MatRef, Par};
use rayon::prelude::*;
use spaxiom_token::TokenWindow;

use super::linear::DenseLinear;
use super::rows::{Norm, RowEmbedding};
use super::walk::RecurrentWalk;
use crate::batch::BatchLayout;
use crate::encoders::transformer::TransformerEventEncoderConfig;
use crate::error::EncoderError;
use crate::kernels::attention::{attend, hide_what_comes_later};
use crate::kernels::gelu::add_bias_gelu;
use crate::kernels::linear::add_bias;
use crate::kernels::pool::{mean, mean_by_age, mean_by_attention};
use crate::kernels::rotary::Turns;
use crate::layers::pool::Pooling;
use crate::weights::{NamedTensor, take};

/// Rows that one thread works on at a time: enough for the products, few enough for the cache.
const CHUNK_ROWS: usize = 256;

/// Rows times width squared, below which waking another thread takes longer than it saves.
const WORTH_SHARING: usize = 500_000;

/// [`crate::TransformerEventEncoder`] for encoding on the CPU.
#[derive(Debug, Clone)]
pub struct TransformerInference {
    embedding: RowEmbedding,
    layers: Vec<Layer>,
    norm: Norm,
    d_model: usize,
    n_heads: usize,
    pooling: Pooling,
    /// Of a read-out that is learned.
    readout: Vec<f32>,
    causal: bool,
    rotary: bool,
}

#[derive(Debug, Clone)]
struct Layer {
    attention_norm: Norm,
    qkv: DenseLinear,
    output: DenseLinear,
    feed_forward_norm: Norm,
    expand: DenseLinear,
    contract: DenseLinear,
}

impl TransformerInference {
    /// Takes the weights that [`crate::collect_weights`] gives of the encoder, each name preceded by `prefix`.
    ///
    /// # Errors
    /// The first name that is missing or has another shape; [`EncoderError::Setting`] for an encoder with a relative bias,
    /// which is computed by its burn module alone.
    pub fn from_weights(
        config: &TransformerEventEncoderConfig,
        layout: &BatchLayout,
        tensors: &BTreeMap<String, NamedTensor>,
        prefix: &str,
    ) -> Result<Self, EncoderError> {
        let TransformerEventEncoderConfig { d_model, n_layers, n_heads, d_feed_forward, max_len, .. } = *config;
        if config.relative_bias {
            let want = "false for encoding without a backend";
            return Err(EncoderError::Setting { name: "relative-bias", want, got: "true".into() });
        }
        let name = |rest: &str| if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}.{rest}") };
        let layer = |idx: usize| {
            let norm = |part: &str| Norm::from_weights(tensors, &name(&format!("stack.layers.{idx}.{part}")), d_model);
            let linear = |part: &str, shape| {
                DenseLinear::from_weights(tensors, &name(&format!("stack.layers.{idx}.{part}")), shape)
            };
            Ok(Layer {
                attention_norm: norm("attention_norm")?,
                qkv: linear("attention.qkv", [d_model, 3 * d_model])?,
                output: linear("attention.output", [d_model, d_model])?,
                feed_forward_norm: norm("feed_forward_norm")?,
                expand: linear("expand", [d_model, d_feed_forward])?,
                contract: linear("contract", [d_feed_forward, d_model])?,
            })
        };
        Ok(Self {
            embedding: RowEmbedding::from_weights(tensors, &name("embedding"), layout, [max_len, d_model])?,
            layers: (0..n_layers).map(layer).collect::<Result<_, EncoderError>>()?,
            norm: Norm::from_weights(tensors, &name("stack.norm"), d_model)?,
            d_model,
            n_heads,
            pooling: config.pooling,
            readout: if config.pooling.is_learned() {
                take(tensors, &name("readout.weights"), &[d_model])?
            } else {
                Vec::new()
            },
            causal: config.causal,
            rotary: config.rotary,
        })
    }

    /// Width of the vectors.
    #[must_use]
    pub fn d_model(&self) -> usize {
        self.d_model
    }

    /// The longest window in events.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.embedding.max_len()
    }

    /// None: what it says of an event is computed from a whole window.
    #[expect(clippy::unused_self, reason = "encoders are asked by one name")]
    pub(crate) fn walk(&self) -> Option<RecurrentWalk<'_>> {
        None
    }

    /// One vector per window, row after row.
    ///
    /// Chunks of windows run side by side; where there are fewer chunks than threads, the threads share the products of one.
    ///
    /// # Panics
    /// Where a window is longer than [`TransformerInference::max_len`].
    #[must_use]
    pub fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        let chunks = chunks(windows);
        if chunks.len() < rayon::current_num_threads() {
            let n_rows: usize = windows.iter().map(|window| 1 + window.len()).sum();
            let par = if n_rows * self.d_model * self.d_model < WORTH_SHARING { Par::Seq } else { Par::rayon(0) };
            return chunks.into_iter().flat_map(|chunk| self.encode_chunk(&windows[chunk], par)).collect();
        }
        chunks.into_par_iter().flat_map_iter(|chunk| self.encode_chunk(&windows[chunk], Par::Seq)).collect()
    }

    fn encode_chunk(&self, windows: &[TokenWindow<'_>], par: Par) -> Vec<f32> {
        let (mut rows, ranges) = self.embedding.embed(windows, par);
        let chosen = match self.pooling {
            Pooling::Cls => Some(ranges.iter().map(|range| range.start).collect::<Vec<usize>>()),
            Pooling::Last => Some(ranges.iter().map(|range| range.end - 1).collect()),
            Pooling::Mean | Pooling::Age | Pooling::Attention => None,
        };
        let Some((last, before)) = self.layers.split_last() else { return rows };
        let turns = self.rotary.then(|| Turns::new(windows.iter().flat_map(ages), self.d_model / self.n_heads));
        let mut work = Work { turns, ..Work::default() };
        for layer in before {
            self.layer(layer, &mut rows, &ranges, &mut work, par);
        }
        if let Some(chosen) = chosen {
            let states = self.last_layer(last, &rows, &ranges, &chosen, &mut work, par);
            return self.normed(&states);
        }
        self.layer(last, &mut rows, &ranges, &mut work, par);
        let states = self.normed(&rows);
        match self.pooling {
            Pooling::Age => {
                let ages: Vec<f32> = windows.iter().flat_map(ages).collect();
                mean_by_age(&states, &ranges, &ages, &self.readout)
            }
            Pooling::Attention => mean_by_attention(&states, &ranges, &self.readout),
            _ => mean(&states, &ranges, self.d_model),
        }
    }

    fn normed(&self, rows: &[f32]) -> Vec<f32> {
        let mut normed = vec![0.0; rows.len()];
        self.norm.forward(rows, &mut normed, Par::Seq);
        normed
    }

    /// A whole layer, in place.
    fn layer(&self, layer: &Layer, rows: &mut [f32], ranges: &[Range<usize>], work: &mut Work, par: Par) {
        let (d, n) = (self.d_model, rows.len() / self.d_model);
        let Work { normed, qkv, mixed, turns, .. } = work;
        normed.resize(n * d, 0.0);
        layer.attention_norm.forward(rows, normed, par);
        qkv.resize(n * 3 * d, 0.0);
        layer.qkv.multiply(normed, qkv, par);
        add_bias(qkv, &layer.qkv.bias, par);
        if let Some(turns) = turns {
            // Heads of queries, then of keys.
            turns.apply(qkv, 3 * d, 2 * d, 0..n);
        }
        mixed.resize(n * d, 0.0);
        let key_value = Strided { values: qkv, stride: 3 * d, key: d, value: 2 * d };
        self.attend(Queries { values: qkv, stride: 3 * d }, key_value, ranges, ranges, mixed, par);
        layer.output.multiply_add(mixed, rows, par);
        add_bias(rows, &layer.output.bias, par);
        Self::feed_forward(layer, rows, work, par);
    }

    /// A layer for the chosen rows alone: one of each window; keys and values are those of all rows.
    fn last_layer(
        &self,
        layer: &Layer,
        rows: &[f32],
        ranges: &[Range<usize>],
        chosen: &[usize],
        work: &mut Work,
        par: Par,
    ) -> Vec<f32> {
        let (d, n) = (self.d_model, rows.len() / self.d_model);
        let Work { normed, qkv, mixed, turns, .. } = work;
        normed.resize(n * d, 0.0);
        layer.attention_norm.forward(rows, normed, par);
        qkv.resize(n * 2 * d, 0.0);
        layer.qkv.multiply_columns(normed, d, 3 * d, qkv, par);
        add_bias(qkv, &layer.qkv.bias[d..], par);
        let gathered = |from: &[f32]| -> Vec<f32> {
            chosen.iter().flat_map(|row| &from[row * d..(row + 1) * d]).copied().collect()
        };
        let mut queries = vec![0.0; chosen.len() * d];
        layer.qkv.multiply_columns(&gathered(normed), 0, d, &mut queries, par);
        add_bias(&mut queries, &layer.qkv.bias[..d], par);
        if let Some(turns) = turns {
            turns.apply(qkv, 2 * d, d, 0..n);
            turns.apply(&mut queries, d, d, chosen.iter().copied());
        }
        mixed.resize(chosen.len() * d, 0.0);
        let single: Vec<Range<usize>> = (0..chosen.len()).map(|row| row..row + 1).collect();
        let key_value = Strided { values: qkv, stride: 2 * d, key: 0, value: d };
        self.attend(Queries { values: &queries, stride: d }, key_value, &single, ranges, mixed, par);
        let mut states = gathered(rows);
        layer.output.multiply_add(mixed, &mut states, par);
        add_bias(&mut states, &layer.output.bias, par);
        Self::feed_forward(layer, &mut states, work, par);
        states
    }

    fn feed_forward(layer: &Layer, rows: &mut [f32], work: &mut Work, par: Par) {
        let Work { normed, expanded, .. } = work;
        normed.resize(rows.len(), 0.0);
        layer.feed_forward_norm.forward(rows, normed, par);
        expanded.resize(rows.len() / layer.contract.d_out() * layer.expand.d_out(), 0.0);
        layer.expand.multiply(normed, expanded, par);
        add_bias_gelu(expanded, &layer.expand.bias, par);
        layer.contract.multiply_add(expanded, rows, par);
        add_bias(rows, &layer.contract.bias, par);
    }

    /// Every query attends to the keys of its window; windows and heads side by side where one chunk has all threads.
    fn attend(
        &self,
        queries: Queries<'_>,
        key_value: Strided<'_>,
        of_queries: &[Range<usize>],
        of_keys: &[Range<usize>],
        mixed: &mut [f32],
        par: Par,
    ) {
        let d = self.d_model;
        let mut rest = mixed;
        let mut windows = Vec::with_capacity(of_keys.len());
        for (queries, keys) in of_queries.iter().zip(of_keys) {
            let (out, after) = rest.split_at_mut(queries.len() * d);
            rest = after;
            windows.push((queries.clone(), keys.clone(), out));
        }
        let one = |(queries_of, keys, out): (Range<usize>, Range<usize>, &mut [f32])| {
            self.attend_window(queries, key_value, &queries_of, &keys, out, par);
        };
        windows.into_iter().for_each(one);
    }

    fn attend_window(
        &self,
        queries: Queries<'_>,
        key_value: Strided<'_>,
        of_queries: &Range<usize>,
        of_keys: &Range<usize>,
        out: &mut [f32],
        par: Par,
    ) {
        let d_head = self.d_model / self.n_heads;
        let (n_queries, n_keys) = (of_queries.len(), of_keys.len());
        let head = |head: usize, out: &mut [f32], scores: &mut Vec<f32>| {
            let query = queries.part(of_queries, head * d_head, d_head);
            let key = key_value.part(of_keys, key_value.key + head * d_head, d_head);
            let value = key_value.part(of_keys, key_value.value + head * d_head, d_head);
            scores.resize(n_queries * n_keys, 0.0);
            let hide = |scores: &mut [f32]| {
                // The one query of a last layer is the last row, for which nothing comes later.
                if self.causal && n_queries == n_keys {
                    hide_what_comes_later(scores, n_keys);
                }
            };
            attend([query, key, value], scores, hide, MatMut::from_row_major_slice_mut(out, n_queries, d_head));
        };
        // Heads give columns; each is computed apart and put in its place.
        let mut heads = vec![0.0; n_queries * self.d_model];
        let parts = n_queries * d_head;
        if par == Par::Seq || n_queries * n_keys < 4096 {
            let mut scores = Vec::new();
            heads.chunks_exact_mut(parts).enumerate().for_each(|(idx, out)| head(idx, out, &mut scores));
        } else {
            heads.par_chunks_exact_mut(parts).enumerate().for_each_init(Vec::new, |scores, (idx, out)| {
                head(idx, out, scores);
            });
        }
        for (idx, part) in heads.chunks_exact(parts).enumerate() {
            for (row, values) in part.chunks_exact(d_head).enumerate() {
                out[row * self.d_model + idx * d_head..][..d_head].copy_from_slice(values);
            }
        }
    }
}

/// Queries row after row, so many values apart.
#[derive(Clone, Copy)]
struct Queries<'a> {
    values: &'a [f32],
    stride: usize,
}

impl<'a> Queries<'a> {
    fn part(&self, rows: &Range<usize>, from: usize, width: usize) -> MatRef<'a, f32> {
        strided(self.values, self.stride, rows, from, width)
    }
}

/// Keys and values side by side in rows that are so many values apart.
#[derive(Clone, Copy)]
struct Strided<'a> {
    values: &'a [f32],
    stride: usize,
    /// The columns at which keys and values begin.
    key: usize,
    value: usize,
}

impl<'a> Strided<'a> {
    fn part(&self, rows: &Range<usize>, from: usize, width: usize) -> MatRef<'a, f32> {
        strided(self.values, self.stride, rows, from, width)
    }
}

fn strided<'a>(values: &'a [f32], stride: usize, rows: &Range<usize>, from: usize, width: usize) -> MatRef<'a, f32> {
    let begin = rows.start * stride + from;
    let end = (rows.end - 1) * stride + from + width;
    MatRef::from_row_major_slice_with_stride(&values[begin..end], rows.len(), width, stride)
}

/// Memory that one chunk uses again for every layer.
#[derive(Default)]
struct Work {
    normed: Vec<f32>,
    qkv: Vec<f32>,
    mixed: Vec<f32>,
    expanded: Vec<f32>,
    turns: Option<Turns>,
}

/// Windows in order, together about [`CHUNK_ROWS`] rows each.
fn chunks(windows: &[TokenWindow<'_>]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut start, mut n_rows) = (0, 0);
    for (idx, window) in windows.iter().enumerate() {
        if n_rows > 0 && n_rows + window.len() >= CHUNK_ROWS {
            chunks.push(start..idx);
            (start, n_rows) = (idx, 0);
        }
        n_rows += 1 + window.len();
    }
    if start < windows.len() {
        chunks.push(start..windows.len());
    }
    chunks
}

/// Of the rows of a window: `[CLS]` stands at the first event.
fn ages(window: &TokenWindow<'_>) -> impl Iterator<Item = f32> {
    let ages = window.ages();
    [ages.first().copied().unwrap_or(0.0)].into_iter().chain(ages)
}
