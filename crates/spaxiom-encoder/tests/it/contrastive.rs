//! What has to hold for the projection head.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn_flex::Flex;
use spaxiom_encoder::{ContrastiveEventEncoder, Encoder, EventBatch, Pooling, collect_weights};

use crate::transformer::{Auto, WithoutGradient};
use crate::{config, distance, encoder, events, layout};

#[test]
fn the_head_is_dropped_and_the_base_stays() {
    let base = encoder(Pooling::Mean);
    let (tokens, device) = (events(0, 5), Default::default());
    let batch = EventBatch::<Flex>::new(&layout(), &[tokens.window(0, 5), tokens.window(1, 3)], &device);
    let want: Vec<f32> = base.encode(&batch).pooled.into_data().to_vec().unwrap();
    let weights = collect_weights(&base, "encoder");
    let contrastive = ContrastiveEventEncoder::new(base, 6, 2, &device);
    let all = collect_weights(&contrastive, "");
    assert!(weights.iter().all(|(name, tensor)| all[name] == *tensor));
    let projected: Vec<f32> = contrastive.project(&batch).into_data().to_vec().unwrap();
    assert_eq!(projected.len(), 2 * 6);
    for row in projected.chunks_exact(6) {
        assert!((row.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let got: Vec<f32> = contrastive.into_base().encode(&batch).pooled.into_data().to_vec().unwrap();
    assert!(distance(&got, &want) < 1e-9);
}

#[test]
fn a_gradient_reaches_the_head_and_the_base() {
    let (tokens, device) = (events(0, 5), Default::default());
    let base = config(Pooling::Mean).init::<Auto>(&layout(), 1, &device);
    let contrastive = ContrastiveEventEncoder::new(base, 6, 2, &device);
    let batch = EventBatch::<Auto>::new(&layout(), &[tokens.window(0, 5)], &device);
    let weights = Tensor::arange(0..6, &device).float().reshape([1, 6]);
    let loss = (contrastive.project(&batch) * weights).sum();
    let grads = GradientsParams::from_grads(loss.backward(), &contrastive);
    let mut visitor = WithoutGradient { grads: &grads, n: 0, without: Vec::new() };
    Module::<Auto>::visit(&contrastive, &mut visitor);
    assert_eq!(visitor.without, Vec::<Vec<usize>>::new());
}
