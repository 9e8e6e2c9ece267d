//! What has to hold for recurrent encoders.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn_flex::Flex;
use spaxiom_encoder::{
    Cell, Encoder, EncoderConfig, EncoderError, EventBatch, Preset, RecurrentEventEncoder, RecurrentEventEncoderConfig,
};
use spaxiom_token::TokenSequence;

use crate::transformer::{Auto, WithoutGradient};
use crate::{distance, events, layout};

pub(crate) fn config(bidirectional: bool) -> RecurrentEventEncoderConfig {
    RecurrentEventEncoderConfig { d_embed: 12, d_hidden: 8, n_layers: 2, bidirectional, max_len: 8 }
}

pub(crate) fn all() -> [(Cell, RecurrentEventEncoderConfig); 4] {
    [(Cell::Lstm, config(false)), (Cell::Lstm, config(true)), (Cell::Gru, config(false)), (Cell::Gru, config(true))]
}

pub(crate) fn encoder(cell: Cell, config: &RecurrentEventEncoderConfig) -> RecurrentEventEncoder<Flex> {
    config.init::<Flex>(cell, &layout(), 1, &Default::default())
}

fn batch(sequences: &[&TokenSequence]) -> EventBatch<Flex> {
    let windows: Vec<_> = sequences.iter().map(|tokens| tokens.window(0, tokens.len())).collect();
    EventBatch::new(&layout(), &windows, &Default::default())
}

fn rows(vectors: Tensor<Flex, 2>) -> Vec<Vec<f32>> {
    let [_, d] = vectors.dims();
    let values: Vec<f32> = vectors.into_data().to_vec().unwrap();
    values.chunks_exact(d).map(<[f32]>::to_vec).collect()
}

fn pooled(encoder: &RecurrentEventEncoder<Flex>, sequences: &[&TokenSequence]) -> Vec<Vec<f32>> {
    rows(encoder.encode(&batch(sequences)).pooled)
}

#[test]
fn padding_changes_nothing_in_either_direction() {
    for (cell, config) in all() {
        let encoder = encoder(cell, &config);
        let (short, long) = (events(3, 2), events(7, 8));
        let together = pooled(&encoder, &[&short, &long]);
        assert_eq!(together[0].len(), config.d_model());
        assert!(distance(&together[0], &pooled(&encoder, &[&short])[0]) < 1e-5, "{cell:?} {config:?}");
        assert!(distance(&together[1], &pooled(&encoder, &[&long])[0]) < 1e-5, "{cell:?} {config:?}");
        let states = encoder.encode(&batch(&[&short, &long])).states;
        let alone = encoder.encode(&batch(&[&short])).states;
        let kept = states.slice([0..1, 0..3]).into_data().to_vec::<f32>().unwrap();
        assert!(distance(&kept, &alone.into_data().to_vec::<f32>().unwrap()) < 1e-5, "{cell:?} {config:?}");
    }
}

#[test]
fn order_matters_and_the_output_is_finite() {
    for (cell, config) in all() {
        let encoder = encoder(cell, &config);
        let (first, second) = ([6, 7, 8], [9, 10, 11]);
        let (mut there, mut back) = (TokenSequence::new(3), TokenSequence::new(3));
        there.push(first);
        there.push(second);
        back.push(second);
        back.push(first);
        let vectors = pooled(&encoder, &[&there, &back, &events(0, 1), &events(0, 8)]);
        assert!(distance(&vectors[0], &vectors[1]) > 1e-3, "{cell:?} {config:?}");
        assert!(vectors.concat().iter().all(|value| value.is_finite()));
    }
}

#[test]
fn event_by_event_gives_the_vectors_of_the_whole_window() {
    for cell in [Cell::Lstm, Cell::Gru] {
        let encoder = encoder(cell, &config(false));
        let windows = [events(2, 6), events(9, 6)];
        let mut state = encoder.start(&batch(&[&windows[0], &windows[1]])).unwrap();
        for at in 0..6 {
            let single: Vec<_> = windows.iter().map(|tokens| tokens.window(at, at + 1)).collect();
            let (next, vectors) = encoder.step(state, &EventBatch::new(&layout(), &single, &Default::default()));
            state = next;
            let until: Vec<_> = windows.iter().map(|tokens| tokens.window(0, at + 1)).collect();
            let want = encoder.encode(&EventBatch::new(&layout(), &until, &Default::default())).pooled;
            for (got, want) in rows(vectors).iter().zip(rows(want)) {
                assert!(distance(got, &want) < 1e-5, "{cell:?} at {at}");
            }
        }
    }
}

#[test]
fn an_encoder_that_reads_backwards_cannot_go_on_event_by_event() {
    let error = encoder(Cell::Gru, &config(true)).start(&batch(&[&events(0, 1)])).unwrap_err();
    assert!(matches!(error, EncoderError::Setting { name: "bidirectional", .. }), "{error}");
}

#[test]
fn a_gradient_reaches_every_parameter() {
    for (cell, config) in all() {
        let encoder = config.init::<Auto>(cell, &layout(), 1, &Default::default());
        let tokens = events(0, 6);
        let batch = EventBatch::<Auto>::new(&layout(), &[tokens.window(0, 6)], &Default::default());
        let pooled = encoder.encode(&batch).pooled;
        let grads = GradientsParams::from_grads(pooled.sum().backward(), &encoder);
        let mut visitor = WithoutGradient { grads: &grads, n: 0, without: Vec::new() };
        Module::<Auto>::visit(&encoder, &mut visitor);
        assert_eq!(visitor.without, Vec::<Vec<usize>>::new(), "{cell:?} {config:?}");
        // A table and a norm, and four per direction of a layer.
        assert_eq!(visitor.n, 3 + 4 * 2 * if config.bidirectional { 2 } else { 1 });
    }
}

#[test]
fn the_seeds_encoder_has_vectors_of_1024() {
    let config = RecurrentEventEncoderConfig::from(Preset::Base);
    assert_eq!((config.d_embed, config.d_hidden, config.n_layers, config.d_model()), (256, 512, 2, 1024));
    config.check().unwrap();
    let error = RecurrentEventEncoderConfig { n_layers: 0, ..config }.check().unwrap_err();
    assert!(error.to_string().contains("`n-layers` has to be 1 or more"), "{error}");
}

#[test]
#[should_panic(expected = "a window of 9 events, at most 8 are taken")]
fn a_longer_window_is_refused() {
    pooled(&encoder(Cell::Gru, &config(false)), &[&events(0, 9)]);
}
