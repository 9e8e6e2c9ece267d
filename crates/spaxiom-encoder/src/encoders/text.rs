//! Texts into the space of events.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use spaxiom_token::WordPieces;

use crate::error::EncoderError;
use crate::init::{WeightRng, layer_norm};
use crate::layers::embedding::sum_of_fields;
use crate::layers::pool::masked_mean;
use crate::layers::transformer::TransformerStack;

/// Shape of a [`TextQueryEncoder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TextQueryEncoderConfig {
    /// Width inside; 128.
    pub d_text: usize,
    /// Number of layers; 2.
    pub n_layers: usize,
    /// Number of attention heads, which divides `d_text`; 4.
    pub n_heads: usize,
    /// Longest text in word pieces, `[CLS]` included; 32.
    pub max_len: usize,
}

impl Default for TextQueryEncoderConfig {
    fn default() -> Self {
        Self { d_text: 128, n_layers: 2, n_heads: 4, max_len: 32 }
    }
}

impl TextQueryEncoderConfig {
    /// Fails where the shape is impossible.
    pub fn check(&self) -> Result<(), EncoderError> {
        let Self { d_text, n_layers, n_heads, max_len } = *self;
        EncoderError::at_least_one(&[
            ("d-text", d_text),
            ("n-layers", n_layers),
            ("n-heads", n_heads),
            ("max-len", max_len),
        ])?;
        EncoderError::divides("n-heads", "a part of d-text", n_heads, d_text)
    }

    /// An encoder of texts of `n_pieces` different pieces into vectors of `d_model` numbers, with the weights that `seed` gives.
    pub fn init<B: Backend>(
        &self,
        n_pieces: usize,
        d_model: usize,
        seed: u64,
        device: &B::Device,
    ) -> TextQueryEncoder<B> {
        let Self { d_text, n_layers, n_heads, max_len } = *self;
        let mut rng = WeightRng::new(seed);
        TextQueryEncoder {
            table: rng.matrix([n_pieces, d_text], device),
            positions: rng.matrix([max_len, d_text], device),
            norm: layer_norm(d_text, device),
            stack: TransformerStack::new(d_text, n_layers, n_heads, 4 * d_text, &mut rng, device),
            output: rng.linear(d_text, d_model, device),
        }
    }
}

/// Texts as word pieces, padded to the longest.
#[derive(Debug, Clone)]
pub struct TextBatch<B: Backend> {
    /// Ids of pieces, `[batch, seq]`.
    pub pieces: Tensor<B, 2, Int>,
    /// 1 for a piece, 0 for padding, `[batch, seq]`.
    pub keep: Tensor<B, 2>,
}

impl<B: Backend> TextBatch<B> {
    /// Puts the ids of [`WordPieces::encode`] side by side.
    #[must_use]
    pub fn new(texts: &[Vec<u32>], device: &B::Device) -> Self {
        let seq = texts.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let padded =
            texts.iter().flat_map(|ids| ids.iter().copied().chain(std::iter::repeat(WordPieces::PAD)).take(seq));
        let pieces: Vec<i64> = padded.map(i64::from).collect();
        let keep = texts.iter().flat_map(|ids| (0..seq).map(|at| if at < ids.len() { 1f32 } else { 0.0 })).collect();
        Self {
            pieces: Tensor::from_data(TensorData::new(pieces, [texts.len(), seq]), device),
            keep: Tensor::from_data(TensorData::new::<f32, _>(keep, [texts.len(), seq]), device),
        }
    }
}

/// The seed's `query_encoder` for texts: a small transformer over word pieces, and a map into the space of events.
///
/// ```
/// use burn_flex::Flex;
/// use spaxiom_encoder::{TextBatch, TextQueryEncoderConfig};
/// use spaxiom_token::WordPieces;
///
/// let texts = ["long queue at the loading dock", "a door that nobody closed"];
/// let pieces = WordPieces::train(texts, 100)?;
/// let config = TextQueryEncoderConfig::default();
/// let device = Default::default();
/// let encoder = config.init::<Flex>(pieces.n_pieces(), 768, 0, &device);
/// let ids = texts.map(|text| pieces.encode(text, config.max_len)).into_iter().collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(encoder.encode(&TextBatch::new(&ids, &device)).dims(), [2, 768]);
/// # Ok::<(), spaxiom_token::TokenError>(())
/// ```
#[derive(Module, Debug)]
pub struct TextQueryEncoder<B: Backend> {
    /// One row per piece, `[n_pieces, d_text]`.
    table: Param<Tensor<B, 2>>,
    /// One row per place, `[max_len, d_text]`.
    positions: Param<Tensor<B, 2>>,
    norm: LayerNorm<B>,
    stack: TransformerStack<B>,
    output: Linear<B>,
}

impl<B: Backend> TextQueryEncoder<B> {
    /// The longest text in word pieces.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.positions.dims()[0]
    }

    /// The vectors of texts, `[batch, d_model]`: the mean over their pieces, mapped.
    ///
    /// # Panics
    /// Where a text is longer than [`TextQueryEncoder::max_len`]: [`WordPieces::encode`] cuts it.
    pub fn encode(&self, batch: &TextBatch<B>) -> Tensor<B, 2> {
        let [n_texts, seq] = batch.keep.dims();
        assert!(seq <= self.max_len(), "a text of {seq} word pieces, at most {} are taken", self.max_len());
        let pieces = sum_of_fields(&self.table, batch.pieces.clone().reshape([n_texts, seq, 1]));
        let places = self.positions.val().narrow(0, 0, seq).unsqueeze::<3>();
        let states = self.stack.forward(self.norm.forward(pieces + places), &batch.keep);
        self.output.forward(masked_mean(states, batch.keep.clone()))
    }
}
