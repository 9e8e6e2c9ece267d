//! A linear probe: how much of the labels a representation shows to the simplest classifier.

use spaxiom_eval::{Row, SoftmaxRegression, SoftmaxRegressionOptions, accuracy};

use super::features::Features;
use super::samples::Representation;
use crate::data::LabeledEvent;

/// Strengths of the penalty, the strongest first: each fit starts where the one before ended. The validation part chooses.
const PENALTIES: [f32; 5] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5];

/// Fits on the training part, chooses the penalty on the validation part, and predicts the test part; with `refit` it is
/// fitted on both with that penalty.
pub(super) fn predict(
    features: &Representation,
    train: &[LabeledEvent],
    validation: &[LabeledEvent],
    n_classes: usize,
    refit: bool,
) -> Vec<usize> {
    let moments = features.train.moments();
    let scaled = |part: &Features| part.standardized(moments.as_deref());
    let (train_features, validation_features, test_features) =
        (scaled(&features.train), scaled(&features.validation), scaled(&features.test));
    // A label that training never saw cannot be learned; a fine-tuned run may know fewer than these data have.
    let known = |labeled: &[LabeledEvent]| (0..labeled.len()).filter(|&at| labeled[at].class < n_classes).collect();
    let (known, known_of_validation): (Vec<usize>, Vec<usize>) = (known(train), known(validation));
    let mut classes: Vec<usize> = known.iter().map(|&at| train[at].class).collect();
    let truth: Vec<usize> = validation.iter().map(|event| event.class).collect();
    let (all, all_of_validation) = (train_features.rows(), validation_features.rows());
    let mut rows: Vec<Row<'_>> = known.iter().map(|&i| all[i]).collect();
    let mut model = SoftmaxRegression::new(train_features.n_features(), n_classes);
    let options = |l2: f32| SoftmaxRegressionOptions { l2, ..SoftmaxRegressionOptions::default() };
    let score = |model: &SoftmaxRegression| {
        let predicted: Vec<usize> = all_of_validation.iter().map(|row| model.predict(*row)).collect();
        accuracy(&predicted, &truth).iter().sum::<f64>()
    };
    let mut best: Option<(f64, f32, SoftmaxRegression)> = None;
    for l2 in PENALTIES {
        model = model.refit(&options(l2), &rows, &classes);
        let score = score(&model);
        // Of equally good ones the strongest penalty.
        if best.as_ref().is_none_or(|(best, ..)| score > *best) {
            best = Some((score, l2, model.clone()));
        }
    }
    let (_, l2, mut best) = best.expect("there is a penalty");
    if refit {
        rows.extend(known_of_validation.iter().map(|&at| all_of_validation[at]));
        classes.extend(known_of_validation.iter().map(|&at| truth[at]));
        best = best.refit(&options(l2), &rows, &classes);
    }
    test_features.rows().into_iter().map(|row| best.predict(row)).collect()
}
