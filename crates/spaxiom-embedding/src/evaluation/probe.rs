//! A linear probe: how much of the labels a representation shows to the simplest classifier.

use spaxiom_eval::{Row, SoftmaxRegression, SoftmaxRegressionOptions, accuracy};

use super::features::Features;
use super::samples::Representation;
use crate::data::LabeledEvent;

/// Strengths of the penalty, the strongest first: each fit starts where the one before ended. The validation part chooses.
const PENALTIES: [f32; 5] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5];

/// Fits on the training part, chooses the penalty on the validation part, and predicts the test part.
pub(super) fn predict(
    features: &Representation,
    train: &[LabeledEvent],
    validation: &[LabeledEvent],
    n_classes: usize,
) -> Vec<usize> {
    let moments = features.train.moments();
    let scaled = |part: &Features| part.standardized(moments.as_deref());
    let (train_features, validation_features, test_features) =
        (scaled(&features.train), scaled(&features.validation), scaled(&features.test));
    // A label that training never saw cannot be learned; a fine-tuned run may know fewer than these data have.
    let known: Vec<usize> = (0..train.len()).filter(|&at| train[at].class < n_classes).collect();
    let classes: Vec<usize> = known.iter().map(|&at| train[at].class).collect();
    let truth: Vec<usize> = validation.iter().map(|event| event.class).collect();
    let all = train_features.rows();
    let rows: Vec<Row<'_>> = known.iter().map(|&i| all[i]).collect();
    let mut model = SoftmaxRegression::new(train_features.n_features(), n_classes);
    let mut fit = |l2: f32| {
        let options = SoftmaxRegressionOptions { l2, ..SoftmaxRegressionOptions::default() };
        model = model.clone().refit(&options, &rows, &classes);
        model.clone()
    };
    let score = |model: &SoftmaxRegression| {
        let predicted: Vec<usize> = validation_features.rows().into_iter().map(|row| model.predict(row)).collect();
        accuracy(&predicted, &truth).iter().sum::<f64>()
    };
    let models = PENALTIES.map(&mut fit);
    // Of equally good ones the strongest penalty.
    let best = models.iter().rev().max_by(|a, b| score(a).total_cmp(&score(b))).expect("there is a penalty");
    test_features.rows().into_iter().map(|row| best.predict(row)).collect()
}
