//! What a run was trained to predict, predicted for the test part.

use std::collections::BTreeMap;

use spaxiom_eval::{Interval, Part, clustered_statistic};
use spaxiom_objective::{Example, Judged, Metric, PretextName};

use crate::dataset::Dataset;
use crate::engine::Engine;
use crate::error::EmbeddingError;
use crate::report::HeldOut;
use crate::run::RunFolder;
use crate::train;

/// Loss and figures of a pretrained run's objectives on the test part; intervals resample batches of consecutive windows.
///
/// Next events are predicted from at least half a window of past, but for the first of a site.
pub(super) fn figures(
    run: &RunFolder,
    data: &Dataset,
    engine: &dyn Engine,
    seed: u64,
) -> Result<Vec<HeldOut>, EmbeddingError> {
    let (config, tokenizer) = (run.config()?, run.tokenizer()?.with_sites(data.sites()));
    let part = data.part_data(&run.manifest()?.split, Part::Test, &tokenizer);
    let has = |wanted: fn(PretextName) -> bool| config.objectives.keys().copied().any(wanted);
    let has_views = has(PretextName::needs_views);
    let max_len = config.encoder.max_len();
    let windows = train::windows(&part, max_len, has_views);
    let is_next = has(|name| name == PretextName::Nep) && !has_views;
    let examples = if is_next { windows.with_past(max_len / 2) } else { windows.in_order() };
    // Views are compared with those of other windows; everything else is judged window by window.
    let batch_size = if has_views { config.train.batch_size } else { 1 };
    let batches: Vec<&[Example<'_>]> = examples.chunks(batch_size).collect();
    let pretexts = train::pretexts(&config, &tokenizer)?;
    let judged = engine.judge(&run.shape()?, &pretexts, &run.weights()?.tensors, &batches, seed)?;
    Ok(means(judged, seed))
}

/// The mean of every figure over the predictions, in order of their names after the loss.
fn means(judged: Vec<Judged>, seed: u64) -> Vec<HeldOut> {
    let mut figures: BTreeMap<&str, Vec<[f64; 2]>> = BTreeMap::new();
    for Judged { n_predictions, loss, mut metrics } in judged {
        metrics.push(Metric { name: "loss", value: loss });
        let weight = n_predictions as f64;
        for Metric { name, value } in metrics.into_iter().filter(|metric| weight > 0.0 && metric.value.is_finite()) {
            figures.entry(name).or_default().push([value, weight]);
        }
    }
    figures
        .into_iter()
        .map(|(name, items)| HeldOut { name: name.into(), figure: weighted_mean(&items, seed) })
        .collect()
}

/// The mean of values by their weights, with each of them resampled.
fn weighted_mean(items: &[[f64; 2]], seed: u64) -> Interval {
    let clusters: Vec<u64> = (0..).take(items.len()).collect();
    clustered_statistic(&clusters, seed, |drawn| {
        let drawn = drawn.iter().map(|&item| items[item]);
        let [sum, n] = drawn.fold([0.0; 2], |[sum, n], [value, weight]| [sum + value * weight, n + weight]);
        sum / n
    })
}
