//! Gradient boosting on a representation, where it is compiled in.

use super::samples::Representation;
use crate::data::LabeledEvent;
use crate::error::EmbeddingError;

/// What a model predicts for the test part, and the model as LightGBM writes it.
pub(super) struct Trees {
    pub(super) predicted: Vec<usize>,
    pub(super) model: String,
}

/// The classes of the test part; none without LightGBM, and for sparse rows.
#[cfg(not(feature = "boosting"))]
#[expect(clippy::unnecessary_wraps, reason = "LightGBM can fail")]
pub(super) fn predict(
    _: &Representation,
    _: &[LabeledEvent],
    _: &[LabeledEvent],
    _: usize,
    _: bool,
) -> Result<Option<Trees>, EmbeddingError> {
    Ok(None)
}

/// Fits on the training part until the loss of the validation part stops falling, and predicts the test part; with `refit`
/// it is fitted on both with as many trees. None for sparse rows.
#[cfg(feature = "boosting")]
pub(super) fn predict(
    features: &Representation,
    train: &[LabeledEvent],
    validation: &[LabeledEvent],
    n_classes: usize,
    refit: bool,
) -> Result<Option<Trees>, EmbeddingError> {
    use spaxiom_eval::{Boosting, BoostingOptions};

    use super::features::Features;

    let Features::Dense { values: test, dim } = &features.test else { return Ok(None) };
    // A label that training never saw cannot be learned.
    let known = |features: &Features, labeled: &[LabeledEvent]| -> (Vec<f32>, Vec<usize>) {
        let Features::Dense { values, .. } = features else { return (Vec::new(), Vec::new()) };
        let known = labeled.iter().zip(values.chunks_exact(*dim)).filter(|(event, _)| event.class < n_classes);
        let (labels, rows): (Vec<usize>, Vec<&[f32]>) = known.map(|(event, row)| (event.class, row)).unzip();
        (rows.concat(), labels)
    };
    let (mut train, validation) = (known(&features.train, train), known(&features.validation, validation));
    let options = BoostingOptions::default();
    let mut model = Boosting::fit(&options, rows(&train), Some(rows(&validation)), *dim, n_classes)?;
    if refit {
        let options = BoostingOptions { max_rounds: model.n_rounds(), ..options };
        train.0.extend(validation.0);
        train.1.extend(validation.1);
        model = Boosting::fit(&options, rows(&train), None, *dim, n_classes)?;
    }
    Ok(Some(Trees { predicted: model.predict(test)?, model: model.to_text()? }))
}

#[cfg(feature = "boosting")]
fn rows((features, labels): &(Vec<f32>, Vec<usize>)) -> spaxiom_eval::BoostingRows<'_> {
    spaxiom_eval::BoostingRows { features, labels }
}
