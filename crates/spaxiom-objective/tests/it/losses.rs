//! Losses and their gradients against PyTorch (`torch-42.safetensors`), and against formulas number by number.

use burn::tensor::{Int, Tensor, TensorData};
use spaxiom_objective::{
    binary_cross_entropy, cross_entropy, focal_cross_entropy, in_batch_negatives, info_nce, triplet,
};

use crate::{B, fixture};

/// Rows of 32 numbers whose gradients are wanted.
fn rows(name: &str) -> Tensor<B, 2> {
    let values = fixture(&format!("in.loss.{name}"));
    let shape = [values.len() / 32, 32];
    Tensor::from_data(TensorData::new(values, shape), &Default::default()).require_grad()
}

fn same(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 1e-6, "{what}: {got} {want}");
    }
}

/// The loss, and the gradients for all inputs, are those of the fixture.
fn check(loss: &str, inputs: &[(&str, Tensor<B, 2>)], value: &Tensor<B, 1>) {
    same(&value.to_data().to_vec::<f32>().unwrap(), &fixture(&format!("out.loss.{loss}")), loss);
    let grads = value.backward();
    for (name, input) in inputs {
        let got = input.grad(&grads).unwrap().into_data().to_vec::<f32>().unwrap();
        let name = format!("out.loss.{loss}.grad_{name}");
        same(&got, &fixture(&name), &name);
    }
}

#[test]
fn info_nce_is_that_of_pytorch() {
    let (a, b) = (rows("a"), rows("b"));
    let value = info_nce(a.clone(), b.clone(), 0.07, None);
    check("infonce", &[("a", a), ("b", b)], &value);
}

#[test]
fn triplet_is_that_of_pytorch() {
    let (a, p, n) = (rows("a"), rows("p"), rows("n"));
    let value = triplet(a.clone(), p.clone(), n.clone(), 0.5);
    check("triplet", &[("a", a), ("p", p), ("n", n)], &value);
}

fn ints(values: &[i64]) -> Tensor<B, 1, Int> {
    Tensor::from_data(values, &Default::default())
}

/// Bytes of whole numbers, as the fixture has them beside floats.
fn whole(name: &str, width: usize) -> Vec<i64> {
    let bytes = include_bytes!("../../../spaxiom-encoder/tests/fixtures/torch-42.safetensors");
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let read = |chunk: &[u8]| chunk.iter().rev().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    file.tensor(name).unwrap().data().chunks_exact(width).map(read).collect()
}

#[test]
fn cross_entropy_of_masked_positions_is_that_of_pytorch() {
    let logits = fixture("in.loss.logits");
    let logits = Tensor::<B, 2>::from_data(TensorData::new(logits, [24, 11]), &Default::default()).require_grad();
    let (targets, mask) = (whole("in.loss.target", 8), whole("in.loss.mask", 1));
    let chosen: Vec<i64> = (0..24).filter(|at| mask[usize::try_from(*at).unwrap()] == 1).collect();
    let targets: Vec<i64> = chosen.iter().map(|at| targets[usize::try_from(*at).unwrap()]).collect();
    let value = cross_entropy(logits.clone().select(0, ints(&chosen)), ints(&targets));
    check("masked_ce", &[("logits", logits)], &value);
}

fn matrix<const C: usize>(rows: &[[f32; C]]) -> Tensor<B, 2> {
    Tensor::from_data(TensorData::new(rows.concat(), [rows.len(), C]), &Default::default())
}

fn number(value: Tensor<B, 1>) -> f32 {
    value.into_data().to_vec().unwrap()[0]
}

#[test]
fn a_pair_that_is_taken_out_is_as_if_it_were_not_there() {
    let (a, b) = (matrix(&[[1.0, 0.0], [0.0, 1.0]]), matrix(&[[1.0, 0.2], [0.9, 0.1]]));
    let out = matrix(&[[0.0, -1e9], [-1e9, 0.0]]);
    assert!(number(info_nce(a.clone(), b.clone(), 0.07, Some(out))).abs() < 1e-6);
    assert!(number(info_nce(a, b, 0.07, None)) > 1.0);
}

#[test]
fn focal_loss_is_the_weighted_formula_and_cross_entropy_at_gamma_zero() {
    let logits = matrix(&[[2.0, 0.0], [0.5, 0.0]]);
    let weights = || Tensor::<B, 1>::from_data([1.0f32, 3.0], &Default::default());
    let targets = || ints(&[0, 1]);
    let p = [1.0 / (1.0 + (-2.0f32).exp()), 1.0 / (1.0 + 0.5f32.exp())];
    let want = |gamma: f32| {
        let of = |at: usize, weight: f32| -weight * (1.0 - p[at]).powf(gamma) * p[at].ln();
        (of(0, 1.0) + of(1, 3.0)) / 4.0
    };
    for gamma in [0.0f32, 2.0] {
        let got = number(focal_cross_entropy(logits.clone(), targets(), weights(), f64::from(gamma)));
        assert!((got - want(gamma)).abs() < 1e-6, "{gamma}: {got} {}", want(gamma));
    }
}

#[test]
fn an_extra_hard_negative_costs_what_its_score_says() {
    let queries = matrix(&[[1.0, 0.0]]);
    let alone = number(in_batch_negatives(queries.clone(), matrix(&[[2.0, 0.0]])));
    assert!(alone.abs() < 1e-6);
    let with_hard = number(in_batch_negatives(queries, matrix(&[[2.0, 0.0], [1.0, 5.0]])));
    assert!((with_hard - (1.0 + (-1.0f32).exp()).ln()).abs() < 1e-6);
}

#[test]
fn yes_and_no_cost_their_log_likelihood() {
    let scores = Tensor::<B, 1>::from_data([2.0f32, 2.0], &Default::default());
    let signs = Tensor::<B, 1>::from_data([1.0f32, -1.0], &Default::default());
    let want = f32::midpoint((1.0 + (-2.0f32).exp()).ln(), (1.0 + 2.0f32.exp()).ln());
    assert!((number(binary_cross_entropy(scores, signs)) - want).abs() < 1e-6);
}
