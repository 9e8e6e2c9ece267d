//! Encoding without a backend: the burn modules are the oracle, on ndarray, which goes through burn's own operations.

use burn::backend::NdArray;
use spaxiom_encoder::{
    BatchLayout, Encoder, EncoderError, EventBatch, Pooling, Preset, RecurrentEventEncoderConfig, RecurrentInference,
    TransformerEventEncoder, TransformerEventEncoderConfig, TransformerInference, collect_weights,
};
use spaxiom_token::{TokenSequence, TokenWindow};

use crate::{config, distance, events, layout, louder, recurrent, transformer};

fn pair(
    config: &TransformerEventEncoderConfig,
    layout: &BatchLayout,
) -> (TransformerEventEncoder<NdArray>, TransformerInference) {
    let encoder = louder(config.init::<NdArray>(layout, 3, &Default::default()));
    let weights = collect_weights(&encoder, "encoder");
    let inference = TransformerInference::from_weights(config, layout, &weights, "encoder").unwrap();
    (encoder, inference)
}

fn check(config: &TransformerEventEncoderConfig, layout: &BatchLayout, windows: &[TokenWindow<'_>]) {
    let (encoder, inference) = pair(config, layout);
    let want: Vec<f32> =
        encoder.encode(&EventBatch::new(layout, windows, &Default::default())).pooled.into_data().to_vec().unwrap();
    let got = inference.encode(windows);
    assert_eq!(got.len(), want.len());
    let greatest = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // 2e-6 when this was written.
    assert!(greatest < 1e-5, "{:?}: {greatest:e}", config.pooling);
}

#[test]
fn vectors_are_those_of_the_burn_module() {
    let tokens: Vec<TokenSequence> = (0..40).map(|i| events(i % 5, 1 + i * 3 % 8)).collect();
    let windows: Vec<TokenWindow<'_>> = tokens.iter().map(|tokens| tokens.window(0, tokens.len())).collect();
    for pooling in [Pooling::Cls, Pooling::Mean, Pooling::Last, Pooling::Age, Pooling::Attention] {
        check(&config(pooling), &layout(), &windows);
        check(&config(pooling), &layout(), &windows[..1]);
        check(&TransformerEventEncoderConfig { n_layers: 1, ..config(pooling) }, &layout(), &windows);
    }
}

#[test]
fn every_choice_of_attention_is_that_of_the_burn_module_or_refused() {
    let tokens: Vec<TokenSequence> = (0..40).map(|i| events(i % 5, 1 + i * 3 % 8)).collect();
    let windows: Vec<TokenWindow<'_>> = tokens.iter().map(|tokens| tokens.window(0, tokens.len())).collect();
    for choice in transformer::choices() {
        let layout = transformer::choice_layout(&choice);
        for pooling in [Pooling::Mean, Pooling::Last, Pooling::Age, Pooling::Attention] {
            let with_bias = TransformerEventEncoderConfig { pooling, ..choice.clone() };
            let config = TransformerEventEncoderConfig { relative_bias: false, ..with_bias.clone() };
            check(&config, &layout, &windows);
            check(&config, &layout, &windows[..1]);
            if with_bias.relative_bias {
                let weights = collect_weights(&with_bias.init::<NdArray>(&layout, 1, &Default::default()), "encoder");
                let refused = TransformerInference::from_weights(&with_bias, &layout, &weights, "encoder");
                assert!(matches!(refused, Err(EncoderError::Setting { name: "relative-bias", .. })));
            }
        }
    }
}

/// Long enough that threads share the heads, wide enough that every vector instruction is used.
#[test]
fn a_long_window_of_a_wide_encoder_is_encoded_alike() {
    let tokens = events(0, 120);
    let config = TransformerEventEncoderConfig { pooling: Pooling::Mean, n_layers: 2, ..Preset::Small.into() };
    check(&config, &layout(), &[tokens.window(0, 120)]);
}

/// Many windows, so that there are chunks; one, so that threads share its steps.
#[test]
fn recurrent_vectors_are_those_of_the_burn_module() {
    let tokens: Vec<TokenSequence> = (0..90).map(|i| events(i % 5, i * 3 % 9)).collect();
    let windows: Vec<TokenWindow<'_>> = tokens.iter().map(|tokens| tokens.window(0, tokens.len())).collect();
    for (cell, config) in recurrent::all() {
        for (config, n) in [(config.clone(), 90), (config.clone(), 3), (wide(&config), 1), (wide(&config), 3)] {
            let (windows, layout) = (&windows[..n], layout());
            let encoder = config.init::<NdArray>(cell, &layout, 1, &Default::default());
            let weights = collect_weights(&encoder, "encoder");
            let inference = RecurrentInference::from_weights(cell, &config, &layout, &weights, "encoder").unwrap();
            let batch = EventBatch::new(&layout, windows, &Default::default());
            let want: Vec<f32> = encoder.encode(&batch).pooled.into_data().to_vec().unwrap();
            let greatest = distance(&inference.encode(windows), &want);
            assert!(greatest < 1e-5, "{cell:?}, {n} windows, {config:?}: {greatest:e}");
        }
    }
}

/// Wide enough that threads share a step.
fn wide(config: &RecurrentEventEncoderConfig) -> RecurrentEventEncoderConfig {
    RecurrentEventEncoderConfig { d_hidden: 260, n_layers: 1, ..config.clone() }
}

#[test]
#[should_panic(expected = "a window of 9 events, at most 8 are taken")]
fn a_longer_window_is_refused() {
    let tokens = events(0, 9);
    let _ = pair(&config(Pooling::Cls), &layout()).1.encode(&[tokens.window(0, 9)]);
}

#[test]
fn a_missing_or_misshapen_tensor_is_named() {
    let config = config(Pooling::Cls);
    let mut weights = collect_weights(&config.init::<NdArray>(&layout(), 1, &Default::default()), "encoder");
    let of = |weights| TransformerInference::from_weights(&config, &layout(), weights, "encoder").unwrap_err();
    let wider = TransformerEventEncoderConfig { d_feed_forward: 64, ..config.clone() };
    let error = TransformerInference::from_weights(&wider, &layout(), &weights, "encoder").unwrap_err();
    assert!(matches!(error, EncoderError::Shape { want, .. } if want == [16, 64]));
    weights.remove("encoder.stack.layers.1.expand.bias");
    assert!(
        matches!(of(&weights), EncoderError::MissingTensor { name } if name == "encoder.stack.layers.1.expand.bias")
    );
}
