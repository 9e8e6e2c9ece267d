//! Tests of `spaxiom-objective` through its border, on the flex backend.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod examples;
mod losses;
mod masking;
mod objectives;
mod optimizer;
mod outside;
mod texts;
mod trainer;

use burn::backend::Autodiff;
use burn_flex::Flex;
use spaxiom_encoder::{BatchLayout, Pooling, Preset, TransformerEventEncoder, TransformerEventEncoderConfig};
use spaxiom_objective::{MaskedEvent, MaskedEventOptions, ObjectiveContext, ObjectiveOptions};
use spaxiom_token::TokenSequence;

type B = Autodiff<Flex>;

fn layout() -> BatchLayout {
    BatchLayout::new(&[12, 16])
}

fn encoder(seed: u64) -> TransformerEventEncoder<B> {
    let config = TransformerEventEncoderConfig {
        d_model: 32,
        n_layers: 2,
        n_heads: 2,
        d_feed_forward: 64,
        max_len: 8,
        pooling: Pooling::Mean,
        ..Preset::Tiny.into()
    };
    config.init(&layout(), seed, &Default::default())
}

fn masked_event(seed: u64) -> MaskedEvent<B> {
    let context = ObjectiveContext::default();
    MaskedEventOptions::default().init(32, &layout(), &context, seed, &Default::default())
}

/// Eight sequences of eight events; in each the second field follows from the sequence and the place.
fn sequences() -> Vec<TokenSequence> {
    let sequence = |s: u32| {
        let mut tokens = TokenSequence::new(2);
        (0..8).for_each(|i| tokens.push([6 + s % 6, 6 + (s + i) % 10]));
        tokens
    };
    (0..8).map(sequence).collect()
}

/// Numbers of PyTorch; the fixture's metadata say how they were made.
fn fixture(name: &str) -> Vec<f32> {
    let bytes = include_bytes!("../../../spaxiom-encoder/tests/fixtures/torch-42.safetensors");
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let data = file.tensor(name).unwrap().data().to_vec();
    data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
