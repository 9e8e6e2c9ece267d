//! A vector is the same to the last bit whatever is encoded beside it and however many threads work.

use burn::backend::NdArray;
use proptest::prelude::*;
use spaxiom_encoder::{
    EncoderKind, EventEncoderConfig, EventEncoderInference, Pooling, Preset, RecurrentEventEncoderConfig,
    TransformerEventEncoderConfig, collect_weights,
};
use spaxiom_token::{TokenSequence, TokenWindow};

use crate::{events, layout, louder};

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(work)
}

fn inference(config: &EventEncoderConfig) -> EventEncoderInference {
    let encoder = louder(config.init::<NdArray>(&layout(), 3, &Default::default()));
    let weights = collect_weights(&encoder, "encoder");
    EventEncoderInference::from_weights(config, &layout(), &weights, "encoder").unwrap().unwrap()
}

fn bits(vectors: &[f32]) -> Vec<u32> {
    vectors.iter().map(|value| value.to_bits()).collect()
}

/// Encodes windows of these lengths one by one on one thread, then all together on several.
fn check(config: &EventEncoderConfig, lengths: &[u32], n_threads: usize) -> Result<(), TestCaseError> {
    let inference = inference(config);
    let tokens: Vec<TokenSequence> = lengths.iter().zip(0..).map(|(&length, start)| events(start, length)).collect();
    let windows: Vec<TokenWindow<'_>> = tokens.iter().map(|tokens| tokens.window(0, tokens.len())).collect();
    let alone: Vec<f32> = on_threads(1, || windows.iter().flat_map(|&window| inference.encode(&[window])).collect());
    let together = on_threads(n_threads, || inference.encode(&windows));
    prop_assert!(bits(&alone) == bits(&together), "{config:?}, {n_threads} threads, lengths {lengths:?}");
    Ok(())
}

const KINDS: [EncoderKind; 3] = [EncoderKind::Transformer, EncoderKind::Lstm, EncoderKind::Gru];

/// Any of the encoders that have a way on the CPU, of a width of `4 * quarter`.
fn shape(kind: EncoderKind, quarter: usize, pooling: Pooling, switches: [bool; 2]) -> EventEncoderConfig {
    let (d, max_len) = (4 * quarter, 40);
    let recurrent =
        RecurrentEventEncoderConfig { d_embed: d, d_hidden: d + 1, n_layers: 2, bidirectional: switches[0], max_len };
    match kind {
        EncoderKind::Lstm => EventEncoderConfig::Lstm(recurrent),
        EncoderKind::Gru => EventEncoderConfig::Gru(recurrent),
        _ => EventEncoderConfig::Transformer(TransformerEventEncoderConfig {
            d_model: d,
            d_feed_forward: 4 * d,
            n_heads: 2,
            n_layers: 2,
            max_len,
            pooling,
            causal: switches[0] && pooling != Pooling::Cls,
            rotary: switches[1],
            ..Preset::Tiny.into()
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_vector_does_not_depend_on_what_is_encoded_beside_it(
        kind in prop::sample::select(&KINDS[..]),
        quarter in 1usize..40,
        pooling in prop::sample::select(&[Pooling::Cls, Pooling::Mean, Pooling::Last, Pooling::Age, Pooling::Attention][..]),
        switches in any::<[bool; 2]>(),
        lengths in prop::collection::vec(0u32..40, 1..80),
        n_threads in 1usize..5,
    ) {
        check(&shape(kind, quarter, pooling, switches), &lengths, n_threads)?;
    }
}

/// Sums of more than 512 products, and steps that threads share.
#[test]
fn a_vector_of_a_wide_encoder_does_not_either() {
    for kind in KINDS {
        let config = shape(kind, 66, Pooling::Last, [false, false]);
        for n_threads in [1, 2, 3] {
            check(&config, &[39, 1, 0, 17], n_threads).unwrap();
            check(&config, &[20; 60], n_threads).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Read in pieces of any length, every position has the vector of the window up to there.
    #[test]
    fn a_walk_has_the_bits_of_its_windows(
        is_lstm: bool,
        quarter in 1usize..40,
        pieces in prop::collection::vec(1usize..7, 1..7),
    ) {
        let kind = if is_lstm { EncoderKind::Lstm } else { EncoderKind::Gru };
        let inference = inference(&shape(kind, quarter, Pooling::Last, [false, false]));
        let n_events: usize = pieces.iter().sum();
        let tokens = events(5, u32::try_from(n_events).unwrap());
        let windows: Vec<TokenWindow<'_>> = (1..=n_events).map(|end| tokens.window(0, end)).collect();
        let mut walk = inference.walk().unwrap();
        let (mut walked, mut start) = (Vec::new(), 0);
        for piece in pieces {
            walked.extend(walk.read(tokens.window(start, start + piece)));
            start += piece;
        }
        prop_assert_eq!(bits(&walked), bits(&inference.encode(&windows)));
    }
}

#[test]
fn what_has_to_know_the_end_has_no_walk() {
    assert!(inference(&shape(EncoderKind::Gru, 2, Pooling::Last, [true, false])).walk().is_none());
    assert!(inference(&shape(EncoderKind::Transformer, 2, Pooling::Last, [false, false])).walk().is_none());
}
