//! Every kernel beside the same function in 64 bits: values, and gradients by central differences.

use faer::{Accum, MatRef, Par};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::attention::{Bias, Shape, hide_what_comes_later};
use super::functions::{sigmoid, tanh};
use super::gradients::Gradients;
use super::rotary::{Turns, turns_per_sec};
use super::{attention, gelu, gru, layer_norm, linear, lookup, lstm, pool, product, softmax};

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(42)
}

fn numbers(n: usize, rng: &mut impl Rng) -> Vec<f32> {
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[track_caller]
fn assert_close(what: &str, got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    let error = got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs()).fold(0.0, f64::max);
    assert!(error < tolerance, "{what}: {error:e}");
}

/// Compares what a kernel gave for `inputs`, and its gradients, with `oracle`.
#[track_caller]
fn check<const N: usize>(
    inputs: [&[f32]; N],
    oracle: impl Fn(&[Vec<f64>; N]) -> Vec<f64>,
    (out, kernel): (Vec<f32>, impl Gradients<N>),
) {
    let mut inputs = inputs.map(wide);
    assert_close("values", &out, &oracle(&inputs), 2e-6);
    let of_output = numbers(out.len(), &mut rng());
    let gradients = kernel.gradients(&of_output, [true; N]);
    let step = 1e-5;
    for (idx, gradients) in gradients.iter().enumerate() {
        let mut want = Vec::new();
        for at in 0..inputs[idx].len() {
            let value = inputs[idx][at];
            let [above, below] = [value + step, value - step].map(|moved| {
                inputs[idx][at] = moved;
                oracle(&inputs).iter().zip(&of_output).map(|(out, of)| out * f64::from(*of)).sum::<f64>()
            });
            inputs[idx][at] = value;
            want.push((above - below) / (2.0 * step));
        }
        assert_close(&format!("gradient of input {idx}"), gradients, &want, 2e-5);
    }
}

/// `rows * weight`, rows of width `k`.
fn times(rows: &[f64], weight: &[f64], k: usize) -> Vec<f64> {
    let m = weight.len() / k;
    let dot = |row: &[f64], column: usize| row.iter().zip(0..).map(|(x, at)| x * weight[at * m + column]).sum();
    rows.chunks_exact(k).flat_map(|row| (0..m).map(move |column| dot(row, column))).collect()
}

fn softmax_of(scores: &mut [f64]) {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in &mut *scores {
        *score = (*score - greatest).exp();
    }
    let sum: f64 = scores.iter().sum();
    for score in scores {
        *score /= sum;
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// State and memory of one unit after an event, from the gates before their activations.
fn lstm_unit(gates: [f64; 4], memory: f64) -> [f64; 2] {
    let memory = logistic(gates[1]) * memory + logistic(gates[0]) * gates[2].tanh();
    [logistic(gates[3]) * memory.tanh(), memory]
}

fn gru_unit(input: [f64; 3], state: [f64; 3], hidden: f64) -> f64 {
    let [reset, update] = [0, 1].map(|gate| logistic(input[gate] + state[gate]));
    let candidate = (input[2] + reset * state[2]).tanh();
    (1.0 - update) * candidate + update * hidden
}

/// A whole window after the other; `unit` gives state and memory from the gates of the input, those of the state, and both.
fn recurrent<const G: usize>(
    [inputs, weight, bias]: [&[f64]; 3],
    keep: &[f32],
    seq: usize,
    unit: impl Fn([f64; G], [f64; G], [f64; 2]) -> [f64; 2],
) -> Vec<f64> {
    let d = bias.len() / G;
    let mut states = Vec::new();
    for (window, keep) in keep.chunks_exact(seq).enumerate() {
        let mut cells = vec![[0.0; 2]; d];
        for (at, keep) in keep.iter().enumerate() {
            let hidden: Vec<f64> = cells.iter().map(|cell| cell[0]).collect();
            let from_state = times(&hidden, weight, d);
            let input = &inputs[(window * seq + at) * G * d..][..G * d];
            for (idx, cell) in cells.iter_mut().enumerate() {
                let gates = std::array::from_fn(|gate| input[gate * d + idx]);
                let of_state = std::array::from_fn(|gate| from_state[gate * d + idx] + bias[gate * d + idx]);
                let after = unit(gates, of_state, *cell);
                *cell = std::array::from_fn(|part| cell[part] + f64::from(*keep) * (after[part] - cell[part]));
            }
            states.extend(cells.iter().map(|cell| cell[0]));
        }
    }
    states
}

#[test]
fn activations_are_those_of_64_bits() {
    for at in -20_000..=20_000i16 {
        let x = f32::from(at) / 1000.0;
        let wide = f64::from(x);
        let of_tanh = (f64::from(tanh(x)) - wide.tanh()).abs() / wide.tanh().abs().max(1e-9);
        assert!(of_tanh < 5e-7, "tanh({x}): {of_tanh:e}");
        let of_sigmoid = (f64::from(sigmoid(x)) - logistic(wide)).abs();
        assert!(of_sigmoid < 1e-7, "sigmoid({x}): {of_sigmoid:e}");
    }
    assert!(tanh(0.0).abs() < f32::MIN_POSITIVE && (tanh(f32::INFINITY) - 1.0).abs() < 5e-7);
}

#[test]
fn products_are_those_of_64_bits_for_any_number_of_rows() {
    let mut rng = rng();
    for (n, k, m) in [(1, 3, 5), (1, 600, 7), (2, 17, 33), (13, 64, 48), (40, 520, 20)] {
        let (left, right, before) = (numbers(n * k, &mut rng), numbers(k * m, &mut rng), numbers(n * m, &mut rng));
        let want = times(&wide(&left), &wide(&right), k);
        let right = MatRef::from_row_major_slice(&right, k, m);
        for par in [Par::Seq, Par::rayon(0)] {
            let mut out = before.clone();
            product::multiply_rows(&mut out, Accum::Replace, &left, right, par);
            assert_close("replaced", &out, &want, 2e-5);
            let mut out = before.clone();
            product::multiply_rows(&mut out, Accum::Add, &left, right, par);
            let want: Vec<f64> = want.iter().zip(wide(&before)).map(|(product, before)| product + before).collect();
            assert_close("added", &out, &want, 2e-5);
        }
    }
}

#[test]
fn a_linear_layer_is_that_of_64_bits() {
    let mut rng = rng();
    let (n, d_in, d_out) = (5, 6, 7);
    let (rows, weight, bias) = (numbers(n * d_in, &mut rng), numbers(d_in * d_out, &mut rng), numbers(d_out, &mut rng));
    check(
        [&rows, &weight, &bias],
        |[rows, weight, bias]| {
            times(rows, weight, d_in).iter().enumerate().map(|(at, value)| value + bias[at % d_out]).collect()
        },
        linear::forward(rows.clone(), weight.clone(), Some(&bias), d_in),
    );
    check(
        [&rows, &weight],
        |[rows, weight]| times(rows, weight, d_in),
        linear::forward(rows.clone(), weight.clone(), None, d_in),
    );
    let mut rectified = rows.clone();
    linear::add_bias_relu(&mut rectified, &bias[..d_in]);
    let want: Vec<f64> = rows.iter().enumerate().map(|(at, x)| f64::from(x + bias[at % d_in]).max(0.0)).collect();
    assert_close("relu", &rectified, &want, 1e-9);
}

#[test]
fn a_layer_norm_is_that_of_64_bits() {
    let mut rng = rng();
    let (n, d) = (5, 11);
    let (rows, gamma, beta) = (numbers(n * d, &mut rng), numbers(d, &mut rng), numbers(d, &mut rng));
    let (out, kernel) = layer_norm::forward(&rows, gamma.clone(), &beta);
    let mut encoded = vec![0.0; n * d];
    layer_norm::layer_norm(&rows, &gamma, &beta, &mut encoded, Par::Seq);
    assert_eq!(out, encoded, "training and encoding norm alike");
    let oracle = |[rows, gamma, beta]: &[Vec<f64>; 3]| {
        let norm = |row: &[f64]| {
            let mean = row.iter().sum::<f64>() / d as f64;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d as f64;
            let scale = 1.0 / (variance + f64::from(layer_norm::EPSILON)).sqrt();
            row.iter().enumerate().map(|(at, x)| (x - mean) * scale * gamma[at] + beta[at]).collect::<Vec<f64>>()
        };
        rows.chunks_exact(d).flat_map(norm).collect()
    };
    check([&rows, &gamma, &beta], oracle, (out, kernel));
}

#[test]
fn gelu_is_that_of_64_bits() {
    let oracle = |x: &f64| 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt()));
    let inputs: Vec<f32> = (-60..=60i8).map(|at| f32::from(at) / 10.0).collect();
    check([&inputs], |[inputs]| inputs.iter().map(oracle).collect(), gelu::forward(inputs.clone()));
    let (mut rows, bias) = (inputs.clone(), numbers(11, &mut rng()));
    gelu::add_bias_gelu(&mut rows, &bias, Par::Seq);
    let want: Vec<f64> = inputs.iter().enumerate().map(|(at, x)| oracle(&f64::from(x + bias[at % 11]))).collect();
    assert_close("with a bias", &rows, &want, 2e-6);
}

#[test]
fn attention_is_that_of_64_bits() {
    let mut rng = rng();
    let shape = Shape { seq: 5, d: 6, heads: 2 };
    let Shape { seq, d, heads } = shape;
    let (n_windows, d_head) = (2, d / heads);
    let qkv = numbers(n_windows * seq * 3 * d, &mut rng);
    let values = numbers(n_windows * heads * seq * seq, &mut rng);
    let bias = Bias { values: values.clone(), shape: [n_windows, heads, seq, seq] };
    let oracle = |[qkv]: &[Vec<f64>; 1]| {
        let mut out = vec![0.0; n_windows * seq * d];
        let part = |window: usize, at: usize, part: usize, head: usize| {
            &qkv[(window * seq + at) * 3 * d + part * d + head * d_head..][..d_head]
        };
        for (window, head, at) in
            (0..n_windows * heads * seq).map(|idx| (idx / seq / heads, idx / seq % heads, idx % seq))
        {
            let score = |key: usize| {
                let products = part(window, at, 0, head).iter().zip(part(window, key, 1, head)).map(|(q, k)| q * k);
                let bias = f64::from(values[((window * heads + head) * seq + at) * seq + key]);
                products.sum::<f64>() / (d_head as f64).sqrt() + bias
            };
            let mut scores: Vec<f64> = (0..seq).map(score).collect();
            softmax_of(&mut scores);
            for (key, weight) in scores.iter().enumerate() {
                let to = &mut out[(window * seq + at) * d + head * d_head..][..d_head];
                to.iter_mut().zip(part(window, key, 2, head)).for_each(|(to, value)| *to += weight * value);
            }
        }
        out
    };
    check([&qkv], oracle, attention::forward(shape, qkv.clone(), &bias));
}

#[test]
fn softmax_gives_nothing_to_what_is_hidden() {
    let mut scores = numbers(16, &mut rng());
    let mut want = wide(&scores);
    hide_what_comes_later(&mut scores, 4);
    softmax::softmax(&mut scores, 4);
    for (at, row) in want.chunks_exact_mut(4).enumerate() {
        softmax_of(&mut row[..=at]);
        row[at + 1..].fill(0.0);
    }
    assert_close("weights", &scores, &want, 1e-6);
    assert!(scores[1].abs() < f32::MIN_POSITIVE);
}

#[test]
fn sums_of_rows_are_those_of_64_bits() {
    let (n_rows, d, rows) = (9, 70, vec![0, 3, 3, 8, 1, 0]);
    let table = numbers(n_rows * d, &mut rng());
    let oracle = |[table]: &[Vec<f64>; 1]| {
        let sum = |rows: &[usize]| (0..d).map(|at| rows.iter().map(|row| table[row * d + at]).sum()).collect();
        rows.chunks_exact(2).flat_map(|rows| -> Vec<f64> { sum(rows) }).collect()
    };
    check([&table], oracle, lookup::forward(&table, d, rows.clone(), 2));
}

#[test]
fn an_lstm_is_that_of_64_bits() {
    let (d, seq) = (5, 4);
    let keep = vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    let mut rng = rng();
    let (inputs, weight, bias) =
        (numbers(keep.len() * 4 * d, &mut rng), numbers(d * 4 * d, &mut rng), numbers(4 * d, &mut rng));
    let unit = |input: [f64; 4], state: [f64; 4], [_, memory]: [f64; 2]| {
        lstm_unit(std::array::from_fn(|gate| input[gate] + state[gate]), memory)
    };
    check(
        [&inputs, &weight, &bias],
        |[inputs, weight, bias]| recurrent([inputs, weight, bias], &keep, seq, unit),
        lstm::forward(&inputs, weight.clone(), &bias, keep.clone(), seq),
    );
    let (gates, before) = (numbers(4 * d, &mut rng), numbers(d, &mut rng));
    let (mut hidden, mut memory) = (vec![0.0; d], before.clone());
    lstm::step(&gates, &mut hidden, &mut memory);
    let want = |at: usize| lstm_unit([0, 1, 2, 3].map(|gate| f64::from(gates[gate * d + at])), f64::from(before[at]));
    let [of_hidden, of_memory] = [0, 1].map(|part| (0..d).map(|at| want(at)[part]).collect::<Vec<f64>>());
    assert_close("hidden after a step", &hidden, &of_hidden, 1e-6);
    assert_close("memory after a step", &memory, &of_memory, 1e-6);
}

#[test]
fn a_gru_is_that_of_64_bits() {
    let (d, seq) = (5, 4);
    let keep = vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    let mut rng = rng();
    let (inputs, weight, bias) =
        (numbers(keep.len() * 3 * d, &mut rng), numbers(d * 3 * d, &mut rng), numbers(3 * d, &mut rng));
    let unit = |input, state, [hidden, _]: [f64; 2]| [gru_unit(input, state, hidden), 0.0];
    check(
        [&inputs, &weight, &bias],
        |[inputs, weight, bias]| recurrent([inputs, weight, bias], &keep, seq, unit),
        gru::forward(&inputs, weight.clone(), &bias, keep.clone(), seq),
    );
    let (input, gates, before) = (numbers(3 * d, &mut rng), numbers(3 * d, &mut rng), numbers(d, &mut rng));
    let mut hidden = before.clone();
    gru::step(&input, &gates, &bias[2 * d..], &mut hidden);
    let want = |at: usize| {
        let of = |values: &[f32]| [0, 1, 2].map(|gate| f64::from(values[gate * d + at]));
        let mut state = of(&gates);
        state[2] += f64::from(bias[2 * d + at]);
        gru_unit(of(&input), state, f64::from(before[at]))
    };
    assert_close("state after a step", &hidden, &(0..d).map(want).collect::<Vec<f64>>(), 1e-6);
}

#[test]
fn turns_and_means_are_those_of_64_bits() {
    let (d_head, ages) = (6, [0.0, 3.5, 900.0]);
    let rows = numbers(3 * 2 * d_head, &mut rng());
    let mut turned = rows.clone();
    Turns::new(ages.into_iter(), d_head).apply(&mut turned, 2 * d_head, d_head, 0..3);
    let mut want = wide(&rows);
    for (row, age) in want.chunks_exact_mut(2 * d_head).zip(ages) {
        for (pair, turn) in turns_per_sec(d_head).into_iter().enumerate() {
            let (sin, cos) = (f64::from(age) * f64::from(turn)).sin_cos();
            let (first, second) = (row[pair], row[pair + d_head / 2]);
            (row[pair], row[pair + d_head / 2]) = (first * cos - second * sin, second * cos + first * sin);
        }
    }
    // An angle of many turns has few digits left after the point.
    assert_close("turned", &turned, &want, 1e-4);
    let means = pool::mean(&rows, &[0..2, 2..3], 12);
    let mean = |at: usize| f64::midpoint(f64::from(rows[at]), f64::from(rows[12 + at]));
    let want: Vec<f64> = (0..12).map(mean).chain(wide(&rows[24..])).collect();
    assert_close("means", &means, &want, 1e-6);
}
