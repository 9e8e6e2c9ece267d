//! The optimizer against the formula, number by number.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use spaxiom_objective::{AdamW, AdamWOptions, WarmupCosine, clip_global_norm};

use crate::{B, fixture};

#[derive(Module, Debug)]
struct Pair<B: Backend> {
    matrix: Param<Tensor<B, 2>>,
    offset: Param<Tensor<B, 1>>,
}

fn pair() -> Pair<B> {
    let device = Default::default();
    Pair {
        matrix: Param::from_tensor(Tensor::from_data([[0.5f32, -1.0]], &device)),
        offset: Param::from_tensor(Tensor::from_data([2.0f32], &device)),
    }
}

/// The gradient of `sum(matrix * [3, 4]) + 12 * offset` is constant: 3, 4 and 12, of length 13.
fn gradients(pair: &Pair<B>) -> GradientsParams {
    let weights = Tensor::from_data([[3.0f32, 4.0]], &Default::default());
    let loss = (pair.matrix.val() * weights).sum() + pair.offset.val().mul_scalar(12.0).sum();
    GradientsParams::from_grads(loss.backward(), pair)
}

fn values(pair: &Pair<B>) -> Vec<f32> {
    let matrix = pair.matrix.val().into_data().to_vec::<f32>().unwrap();
    [matrix, pair.offset.val().into_data().to_vec::<f32>().unwrap()].concat()
}

#[test]
fn clipping_is_by_the_length_of_all_gradients_together() {
    let pair = pair();
    let (scale, norm) = clip_global_norm::<B>(&pair, &gradients(&pair), 1.3);
    assert!((norm - 13.0).abs() < 1e-5 && (scale - 0.1).abs() < 1e-6, "{norm} {scale}");
    assert_eq!(clip_global_norm::<B>(&pair, &gradients(&pair), 20.0).0, 1.0);
}

#[test]
fn three_steps_are_those_of_the_formula_and_only_matrices_decay() {
    let options = AdamWOptions { beta_1: 0.9, beta_2: 0.99, epsilon: 1e-8, weight_decay: 0.1 };
    let (learning_rate, scale) = (0.01, 0.5);
    let mut want = [0.5f64, -1.0, 2.0];
    let grads = [3.0 * scale, 4.0 * scale, 12.0 * scale];
    let (mut first, mut second) = ([0.0; 3], [0.0; 3]);
    let mut optimizer = AdamW::new(options);
    let mut pair = pair();
    for step in 1..=3 {
        pair = optimizer.step::<B, _>(pair.clone(), &mut gradients(&pair), learning_rate, scale);
        for i in 0..3 {
            first[i] = 0.9 * first[i] + 0.1 * grads[i];
            second[i] = 0.99 * second[i] + 0.01 * grads[i] * grads[i];
            let unbiased = first[i] / (1.0 - 0.9f64.powi(step));
            let deviation = (second[i] / (1.0 - 0.99f64.powi(step))).sqrt() + 1e-8;
            let decay = if i < 2 { 1.0 - learning_rate * 0.1 } else { 1.0 };
            want[i] = want[i] * decay - learning_rate * unbiased / deviation;
        }
        for (got, want) in values(&pair).into_iter().zip(want) {
            assert!((f64::from(got) - want).abs() < 1e-5, "step {step}: {got} {want}");
        }
    }
}

#[test]
fn a_resumed_optimizer_goes_on_as_if_it_had_never_stopped() {
    let options = AdamWOptions::default();
    let mut whole = AdamW::new(options.clone());
    let after_two = (0..2).fold(pair(), |pair, _| whole.step::<B, _>(pair.clone(), &mut gradients(&pair), 0.1, 1.0));
    let mut resumed = AdamW::resumed(options, 2, &whole.state(), &Default::default());
    let a = whole.step::<B, _>(after_two.clone(), &mut gradients(&after_two), 0.1, 1.0);
    let b = resumed.step::<B, _>(after_two.clone(), &mut gradients(&after_two), 0.1, 1.0);
    assert_eq!(values(&a), values(&b));
}

#[test]
fn the_rate_warms_up_and_falls_to_zero() {
    let schedule = WarmupCosine { peak: 1.0, n_warmup: 4, n_steps: 12 };
    let rates: Vec<f64> = (0..=12).map(|step| schedule.rate(step)).collect();
    assert_eq!(rates[..4], [0.25, 0.5, 0.75, 1.0]);
    assert_eq!(rates[4], 1.0);
    assert!((rates[8] - 0.5).abs() < 1e-12 && rates[12].abs() < 1e-12);
    assert!(rates[4..].is_sorted_by(|a, b| a >= b));
}

/// Three steps of PyTorch's AdamW: learning rate 0.01, betas 0.9 and 0.999, decay 0.01 (see the fixture's metadata).
#[test]
fn the_optimizer_agrees_with_pytorch() {
    let [matrix, grads, want] = ["in.adamw.p", "in.adamw.g", "out.adamw.p_after3"].map(fixture);
    let device = Default::default();
    let mut pair = Pair::<B> {
        matrix: Param::from_tensor(Tensor::from_data(TensorData::new(matrix, [5, 4]), &device)),
        offset: Param::from_tensor(Tensor::zeros([1], &device)),
    };
    let mut optimizer = AdamW::new(AdamWOptions { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 });
    for grad in grads.chunks_exact(20) {
        let weights = Tensor::from_data(TensorData::new(grad.to_vec(), [5, 4]), &device);
        let loss = (pair.matrix.val() * weights).sum();
        let mut grads = GradientsParams::from_grads(loss.backward(), &pair);
        pair = optimizer.step::<B, _>(pair, &mut grads, 0.01, 1.0);
    }
    for (got, want) in values(&pair).into_iter().zip(want) {
        assert!((got - want).abs() < 1e-6, "{got} {want}");
    }
}
