//! Texts learn to find the vectors of what they ask for.

use burn::tensor::backend::AutodiffBackend;
use spaxiom_encoder::{TextBatch, TextQueryEncoder, TextQueryEncoderConfig};
use spaxiom_objective::{Flow, TextPairs, TextTrainOptions, train_texts};

use crate::B;

type Inner = <B as AutodiffBackend>::InnerBackend;

const DIM: usize = 8;

/// Eight texts of three pieces, and an axis of the space for each; the last two ask for the same events.
fn pairs() -> TextPairs {
    let texts: Vec<Vec<u32>> = (0..8u32).map(|at| vec![2, 3 + at.min(6), 12]).collect();
    let events = (0..8).flat_map(|own| (0..DIM).map(move |at| if at == own { 1.0 } else { 0.0 })).collect();
    let is_asked_for = (0..8).flat_map(|text| (0..8).map(move |event| text == event || (text > 5 && event > 5)));
    TextPairs { texts, events, is_asked_for: is_asked_for.collect() }
}

fn trained(seed: u64, max_steps: u64) -> (TextQueryEncoder<Inner>, Vec<f64>) {
    let config = TextQueryEncoderConfig { d_text: 16, n_layers: 1, n_heads: 2, max_len: 4 };
    let device = Default::default();
    let options = TextTrainOptions { max_steps, learning_rate: 1e-2, ..TextTrainOptions::default() };
    let mut losses = Vec::new();
    let mut told = |_, loss| {
        losses.push(loss);
        Flow::Continue
    };
    let encoder = config.init::<B>(16, DIM, seed, &device);
    let encoder = train_texts(encoder, &options, &mut |_| pairs(), &mut told, &device).unwrap();
    (encoder, losses)
}

#[test]
fn eight_texts_find_what_they_ask_for() {
    let (encoder, losses) = trained(1, 120);
    assert!(losses[losses.len() - 1] < 0.1, "{losses:?}");
    let vectors = encoder.encode(&TextBatch::new(&pairs().texts, &Default::default()));
    let vectors: Vec<f32> = vectors.into_data().to_vec().unwrap();
    for (at, vector) in vectors.chunks_exact(DIM).enumerate().take(6) {
        let greatest = (0..DIM).max_by(|a, b| vector[*a].total_cmp(&vector[*b])).unwrap();
        assert_eq!(greatest, at);
    }
    // The same text asks for both of the last two: neither pushes the other away.
    let last = &vectors[6 * DIM..7 * DIM];
    assert!(last[6] > last[..6].iter().copied().fold(f32::MIN, f32::max) && last[7] > last[0], "{last:?}");
}

#[test]
fn the_same_seed_has_the_same_losses_and_may_be_stopped() {
    assert_eq!(trained(3, 5).1, trained(3, 5).1);
    let options = TextTrainOptions::default();
    let config = TextQueryEncoderConfig { d_text: 16, n_layers: 1, n_heads: 2, max_len: 4 };
    let encoder = config.init::<B>(16, DIM, 0, &Default::default());
    let mut n_steps = 0;
    let mut told = |step, _| {
        n_steps = step;
        if step == 2 { Flow::Stop } else { Flow::Continue }
    };
    train_texts(encoder, &options, &mut |_| pairs(), &mut told, &Default::default()).unwrap();
    assert_eq!(n_steps, 2);
    let options = TextTrainOptions { temperature: 0.0, ..options };
    assert!(options.check().unwrap_err().to_string().contains("text.temperature"));
}
