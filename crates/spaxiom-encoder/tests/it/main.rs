//! Tests of `spaxiom-encoder` through its border, on the flex backend.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod backends;
mod contrastive;
mod fusion;
mod graph;
mod inference;
mod invariance;
mod parity;
mod pca;
mod recurrent;
mod text;
mod transformer;
mod weights;

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn_flex::Flex;
use spaxiom_encoder::{
    BatchLayout, Encoder, EventBatch, Pooling, Preset, TransformerEventEncoder, TransformerEventEncoderConfig,
    apply_weights, collect_weights,
};
use spaxiom_token::TokenSequence;

const FIELD_SIZES: [usize; 3] = [12, 20, 30];

fn layout() -> BatchLayout {
    BatchLayout::new(&FIELD_SIZES)
}

fn config(pooling: Pooling) -> TransformerEventEncoderConfig {
    let shape = Preset::Tiny.into();
    TransformerEventEncoderConfig { d_model: 16, n_heads: 2, d_feed_forward: 32, max_len: 8, pooling, ..shape }
}

/// Larger weights than those that training starts with, which are nearly deaf.
fn louder<B: Backend, M: Module<B>>(module: M) -> M {
    let mut weights = collect_weights(&module, "");
    for (name, tensor) in &mut weights {
        let is_norm = name.ends_with("gamma") || name.ends_with("beta");
        let scale = if is_norm { 1.0 } else { 10.0 };
        tensor.values.iter_mut().for_each(|value| *value *= scale);
    }
    apply_weights(module, "", &weights).unwrap()
}

fn encoder(pooling: Pooling) -> TransformerEventEncoder<Flex> {
    config(pooling).init(&layout(), 1, &Default::default())
}

/// `len` events with ids that depend on `start`.
fn events(start: u32, len: u32) -> TokenSequence {
    let mut tokens = TokenSequence::new(3);
    (start..start + len).for_each(|i| tokens.push([6 + i % 6, 6 + i * 5 % 14, 6 + i * 7 % 24]));
    tokens
}

/// The vectors of whole sequences, encoded together.
fn pooled(encoder: &TransformerEventEncoder<Flex>, sequences: &[&TokenSequence]) -> Vec<Vec<f32>> {
    let windows: Vec<_> = sequences.iter().map(|tokens| tokens.window(0, tokens.len())).collect();
    let batch = EventBatch::new(&layout(), &windows, &Default::default());
    let values: Vec<f32> = encoder.encode(&batch).pooled.into_data().to_vec().unwrap();
    values.chunks_exact(encoder.d_model()).map(<[f32]>::to_vec).collect()
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// As part of the largest of `want`, where that is above 1.
fn relative_distance(want: &[f32], got: &[f32]) -> f32 {
    distance(want, got) / want.iter().fold(1.0, |largest, value| value.abs().max(largest))
}

#[test]
fn base_is_the_seeds_encoder() {
    let base = TransformerEventEncoderConfig::from(Preset::Base);
    assert_eq!((base.n_layers, base.d_model, base.n_heads, base.max_len), (12, 768, 12, 512));
}
