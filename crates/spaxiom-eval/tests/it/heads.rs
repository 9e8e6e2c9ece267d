//! The network of one hidden layer, and scores as probabilities.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spaxiom_eval::{BinaryRows, Mlp, MlpOptions, Platt, calibration, reliability};

/// Rows of two numbers of which exactly one has to be positive: no linear model tells more than chance.
fn exclusive(seed: u64, n: usize) -> (Vec<f32>, Vec<bool>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let features: Vec<f32> = (0..2 * n).map(|_| rng.random_range(-1.0..1.0)).collect();
    let labels = features.chunks_exact(2).map(|row| (row[0] > 0.0) != (row[1] > 0.0)).collect();
    (features, labels)
}

#[test]
fn a_network_learns_what_no_linear_model_can() {
    let (train, validation, test) = (exclusive(1, 1_000), exclusive(2, 200), exclusive(3, 500));
    let rows =
        |(features, labels): &(Vec<f32>, Vec<bool>)| -> (Vec<f32>, Vec<bool>) { (features.clone(), labels.clone()) };
    let (train, validation) = (rows(&train), rows(&validation));
    let options = MlpOptions { width: 32, learning_rate: 5e-3, dropout: 0.0, ..MlpOptions::default() };
    let fit = || {
        let train = BinaryRows { features: &train.0, labels: &train.1 };
        Mlp::fit(&options, train, BinaryRows { features: &validation.0, labels: &validation.1 }, 2)
    };
    let network = fit();
    let right =
        network.scores(&test.0).iter().zip(&test.1).filter(|(score, is_yes)| (**score > 0.0) == **is_yes).count();
    assert!(right >= 470, "{right} of 500");
    assert_eq!(network, fit(), "the same rows and seed give the same network");
}

#[test]
fn a_curve_gives_back_the_probabilities_that_outcomes_were_drawn_from() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let truth = Platt { slope: 1.5, intercept: -2.0 };
    let draw = |rng: &mut ChaCha8Rng| {
        let score = rng.random_range(-3.0..3.0);
        (score, rng.random::<f64>() < truth.probability(score))
    };
    let scored: Vec<(f64, bool)> = (0..20_000).map(|_| draw(&mut rng)).collect();
    let found = Platt::fit(&scored);
    assert!((found.slope - 1.5).abs() < 0.06 && (found.intercept + 2.0).abs() < 0.06, "{found:?}");
    let predicted: Vec<(f64, bool)> =
        scored.iter().map(|&(score, is_yes)| (truth.probability(score), is_yes)).collect();
    let figures = calibration(&predicted);
    assert!(figures.intercept.abs() < 0.06 && (figures.slope - 1.0).abs() < 0.05, "{figures:?}");
    assert!(figures.expected_error < 0.015, "{figures:?}");
    // Twice the log-odds are too extreme: half of them is right.
    let extreme: Vec<(f64, bool)> = predicted
        .iter()
        .map(|&(p, is_yes)| {
            let odds = (p / (1.0 - p)).powi(2);
            (odds / (1.0 + odds), is_yes)
        })
        .collect();
    assert!((calibration(&extreme).slope - 0.5).abs() < 0.03);
}

#[test]
fn scores_that_separate_have_a_finite_curve() {
    let scored = [(0.1, false), (0.2, false), (0.8, true), (0.9, true)];
    let found = Platt::fit(&scored);
    assert!(found.slope.is_finite() && found.probability(0.9) > 0.6 && found.probability(0.1) < 0.4, "{found:?}");
    assert!(calibration(&[(0.2, false), (0.3, false)]).slope.is_nan());
    assert_eq!(reliability(&scored, 2).iter().map(|bin| bin.n).collect::<Vec<_>>(), [2, 2]);
    assert!(reliability(&[], 10).is_empty());
}
