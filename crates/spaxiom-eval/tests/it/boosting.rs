//! Gradient boosting: what no linear probe can tell.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spaxiom_eval::{Boosting, BoostingOptions, BoostingRows, EvalError};

/// Two numbers whose signs are alike, or not; with a third that says nothing.
fn alike(n: usize, seed: u64) -> (Vec<f32>, Vec<usize>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let [a, b, c] = [0; 3].map(|_| rng.random_range(-1.0..1.0f32));
        features.extend([a, b, c]);
        labels.push(usize::from(a * b > 0.0));
    }
    (features, labels)
}

fn rows((features, labels): &(Vec<f32>, Vec<usize>)) -> BoostingRows<'_> {
    BoostingRows { features, labels }
}

#[test]
fn products_of_features_are_found_and_models_are_read_as_they_were_written() {
    let [train, validation, test] = [alike(2_000, 1), alike(500, 2), alike(500, 3)];
    let fitted = || Boosting::fit(&BoostingOptions::default(), rows(&train), Some(rows(&validation)), 3, 2).unwrap();
    let model = fitted();
    let predicted = model.predict(&test.0).unwrap();
    let n_right = predicted.iter().zip(&test.1).filter(|(got, want)| got == want).count();
    // 487 when this was written; a linear probe has about 250.
    assert!(n_right >= 475, "{n_right} of 500");
    let again = Boosting::from_text(&model.to_text().unwrap()).unwrap();
    assert_eq!(again.predict(&test.0).unwrap(), predicted);
    let n_rounds = model.n_rounds();
    assert!((1..=200).contains(&n_rounds));
    let options = BoostingOptions { max_rounds: n_rounds, ..BoostingOptions::default() };
    assert_eq!(Boosting::fit(&options, rows(&train), None, 3, 2).unwrap().n_rounds(), n_rounds);
    assert_eq!(fitted().to_text().unwrap(), model.to_text().unwrap(), "the same rows give the same trees");
}

#[test]
fn what_is_no_model_is_refused() {
    assert!(matches!(Boosting::from_text("tree"), Err(EvalError::Boosting(_))));
}
