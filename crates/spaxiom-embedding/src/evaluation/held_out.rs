//! What a run was trained to predict, predicted for the test part.

use std::collections::BTreeMap;

use spaxiom_eval::{Interval, NGram, Part, clustered_statistic};
use spaxiom_event::{Event, SiteId};
use spaxiom_objective::{Example, Judged, Metric, ObjectiveName};
use spaxiom_token::{Layout, TokenSequence};

use super::report::HeldOut;
use crate::data::{Dataset, PartData};
use crate::engine::Engine;
use crate::error::EmbeddingError;
use crate::run::Run;
use crate::training;

const SECS_PER_HOUR: i64 = 3_600;

/// Orders of the n-grams beside next-event prediction: the most frequent event, the event after one, after four.
const ORDERS: [usize; 3] = [1, 2, 5];

/// Loss and figures of a pretrained run's objectives on the test part, and of controls; intervals resample hours of sites.
///
/// Where next events alone are predicted, each is from at least half a window of past, but for those at the start of a site.
/// Nothing for a test part without events.
pub(super) fn figures(
    run: &Run,
    data: &Dataset,
    test: &PartData,
    engine: &dyn Engine,
    seed: u64,
) -> Result<Vec<HeldOut>, EmbeddingError> {
    let (config, split) = (run.config(), &run.manifest().split);
    let tokenizer = run.tokenizer().clone().with_sites(data.sites());
    let names = config.objectives.names();
    let is_next = names == [ObjectiveName::Nep];
    let max_len = config.max_len();
    // In other layouts a position is no event.
    let windows = test.windows(max_len, tokenizer.layout() == Layout::Composite);
    let examples = if is_next { windows.with_past(max_len / 2) } else { windows.in_order() };
    // Views are compared with those of other windows; everything else is judged window by window.
    let has_views = names.iter().any(|name| name.needs_events());
    let batch_size = if has_views { config.train.batch_size } else { 1 };
    let batches: Vec<&[Example<'_>]> = examples.chunks(batch_size).collect();
    let clusters = hours(&batches);
    let objectives = training::objectives(config, &tokenizer, Vec::new(), test.token_rates(run.memory()))?;
    let judged = engine.judge(run.shape()?, &objectives, &run.weights()?, &batches, seed)?;
    let mut figures = means(judged, &clusters, seed);
    if let (true, Some(what)) = (is_next, tokenizer.what_field()) {
        let train = data.part_data(split, Part::Train, &tokenizer);
        let n_events = tokenizer.field_sizes()[what];
        figures.extend(ORDERS.iter().flat_map(|&order| n_gram(order, n_events, what, &train, test, seed)));
    }
    Ok(figures)
}

/// The hour of a site that each batch begins in, by number; where windows know no events, each batch for itself.
fn hours(batches: &[&[Example<'_>]]) -> Vec<u64> {
    let mut hours = Hours::default();
    let first = |batch: &[Example<'_>]| batch.first()?.events?.events().first().cloned();
    let numbers = batches.iter().zip(0u64..);
    numbers.map(|(batch, at)| first(batch).map_or(at, |event| hours.number(&event))).collect()
}

/// Hours of sites, numbered as they come.
#[derive(Default)]
struct Hours(BTreeMap<(SiteId, i64), u64>);

impl Hours {
    fn number(&mut self, event: &Event) -> u64 {
        let hour = (event.site_id.clone(), event.time.timestamp().div_euclid(SECS_PER_HOUR));
        let n_known = self.0.len() as u64;
        *self.0.entry(hour).or_insert(n_known)
    }
}

/// The mean of every figure over the predictions, in order of their names.
///
/// A run with several objectives counts its windows, and not the predictions, which differ from objective to objective.
fn means(judged: Vec<Judged>, clusters: &[u64], seed: u64) -> Vec<HeldOut> {
    let mut figures: BTreeMap<&str, Vec<Weighted>> = BTreeMap::new();
    for (Judged { n_predictions, loss, mut metrics }, &cluster) in judged.into_iter().zip(clusters) {
        metrics.push(Metric { name: "loss", value: loss });
        for Metric { name, value } in metrics.into_iter().filter(|_| n_predictions > 0) {
            figures.entry(name).or_default().push(Weighted { value, weight: n_predictions as f64, cluster });
        }
    }
    let figure = |(name, items): (&str, Vec<Weighted>)| HeldOut { name: name.into(), figure: mean(&items, seed) };
    figures.into_iter().map(figure).collect()
}

/// Accuracy and log-likelihood of events by the frequencies of the training part, for the events that have one before them.
fn n_gram(order: usize, n_events: usize, what: usize, train: &PartData, test: &PartData, seed: u64) -> [HeldOut; 2] {
    let ids = |tokens: &TokenSequence| -> Vec<u32> {
        tokens.window(0, tokens.n_positions()).rows().map(|row| row[what]).collect()
    };
    let model = NGram::fit(order, n_events, train.tokens.iter().map(ids));
    let mut hours = Hours::default();
    let (mut right, mut likelihoods) = (Vec::new(), Vec::new());
    for (sequence, tokens) in test.sequences().iter().zip(&test.tokens) {
        let ids = ids(tokens);
        for (at, event) in sequence.events().iter().enumerate().skip(1) {
            let cluster = hours.number(event);
            let (likeliest, log_likelihood) = model.predict(&ids[..at], ids[at]);
            right.push(Weighted { value: f64::from(u8::from(likeliest == ids[at])), weight: 1.0, cluster });
            likelihoods.push(Weighted { value: log_likelihood, weight: 1.0, cluster });
        }
    }
    [("event_accuracy", right), ("event_log_likelihood", likelihoods)]
        .map(|(name, items)| HeldOut { name: format!("{name}, {order}-gram"), figure: mean(&items, seed) })
}

/// A figure of a batch or an event.
#[derive(Debug, Clone, Copy)]
struct Weighted {
    value: f64,
    weight: f64,
    cluster: u64,
}

/// The mean by the weights, with whole clusters resampled.
fn mean(items: &[Weighted], seed: u64) -> Interval {
    let clusters: Vec<u64> = items.iter().map(|item| item.cluster).collect();
    clustered_statistic(&clusters, seed, |drawn| {
        let drawn = drawn.iter().map(|&item| items[item]);
        let [sum, n] = drawn.fold([0.0; 2], |[sum, n], item| [sum + item.value * item.weight, n + item.weight]);
        sum / n
    })
}

#[cfg(test)]
mod tests {
    use spaxiom_objective::{Judged, Metric};

    use super::means;

    /// Three predictions of 1 and one of 5; a batch that predicts nothing says nothing, whatever its loss is.
    #[test]
    fn figures_are_means_over_predictions_by_clusters() {
        let judged = |n_predictions, value| Judged {
            n_predictions,
            loss: value,
            metrics: vec![Metric { name: "event_accuracy", value: value / 10.0 }],
        };
        let found = means(vec![judged(3, 1.0), judged(1, 5.0), judged(0, f64::NAN)], &[0, 1, 1], 0);
        assert_eq!(found.iter().map(|held_out| held_out.name.as_str()).collect::<Vec<_>>(), ["event_accuracy", "loss"]);
        let loss = found[1].figure;
        assert!((loss.mean - 2.0).abs() < 1e-9 && (found[0].figure.mean - 0.2).abs() < 1e-9);
        assert_eq!((loss.low, loss.high, loss.n_clusters), (1.0, 5.0, 2));
        // One that diverges is not left out.
        assert!(means(vec![judged(1, f64::INFINITY)], &[0], 0)[1].figure.mean.is_infinite());
    }
}
