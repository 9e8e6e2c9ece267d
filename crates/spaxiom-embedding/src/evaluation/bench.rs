//! The parts of an evaluation, and what is done with every representation of them.

use std::collections::BTreeMap;

use spaxiom_eval::{Interval, Part, Split, accuracy, check_no_leak, clustered_mean, macro_f1};
use spaxiom_token::Tokenizer;

use super::features::Features;
use super::options::EvaluateOptions;
use super::report::ReportRow;
use super::retrieval::Retrieved;
use super::samples::{Representation, Samples};
use super::{hand_made, probe, retrieval};
use crate::data::{Dataset, LabeledEvent, spread};
use crate::engine::WindowEncoder;
use crate::error::EmbeddingError;

/// What a representation tells, event by event of the test part and query by query.
pub(super) struct Judged {
    pub(super) predicted: Vec<usize>,
    pub(super) retrieved: Retrieved,
}

/// The parts, and what is done with every representation of them.
pub(super) struct Bench<'a> {
    pub(super) train: Samples,
    pub(super) validation: Samples,
    pub(super) test: Samples,
    n_classes: usize,
    tfidf: Representation,
    /// Where the probe on TF-IDF is right: every other representation is compared with it, event by event.
    control: Vec<f64>,
    options: &'a EvaluateOptions,
}

impl<'a> Bench<'a> {
    /// Windows of `max_len` positions over the labeled events of all parts.
    ///
    /// # Errors
    /// [`EmbeddingError::NoLabels`] where a part has none, [`EmbeddingError::Eval`] where an episode is in two parts.
    pub(super) fn new(
        data: &Dataset,
        split: &Split,
        tokenizer: &Tokenizer,
        classes: &[String],
        max_len: usize,
        options: &'a EvaluateOptions,
    ) -> Result<Self, EmbeddingError> {
        let part = |part, limit| Samples::new(data, split, part, tokenizer, classes, max_len, limit);
        let (train, validation) = (part(Part::Train, options.n_probe), part(Part::Validation, options.n_probe / 4));
        let test = part(Part::Test, options.n_test);
        let parts = [(Part::Train, &train), (Part::Validation, &validation), (Part::Test, &test)];
        let episodes = |(part, samples): (Part, &Samples)| {
            samples.labeled.iter().map(move |event| (part, event.episode)).collect::<Vec<_>>()
        };
        check_no_leak(parts.into_iter().flat_map(episodes))?;
        let wanted = [
            ("none on sites and days that the run has not seen", test.labeled.is_empty()),
            (
                "none on the training days of the run's sites, from which the probes learn: put the events of new sites beside those of the run",
                train.labeled.iter().all(|event| event.class >= classes.len()),
            ),
            (
                "none on the validation days of the run's sites, by which the probes are chosen: put the events of new sites beside those of the run",
                validation.labeled.is_empty(),
            ),
        ];
        if let Some((wanted, _)) = wanted.into_iter().find(|(_, is_missing)| *is_missing) {
            return Err(EmbeddingError::NoLabels { path: data.path().to_owned(), wanted });
        }
        let tfidf = tfidf(tokenizer, [&train, &validation, &test]);
        let mut bench = Self { train, validation, test, n_classes: classes.len(), tfidf, control: Vec::new(), options };
        bench.control = accuracy(&bench.predicted(&bench.tfidf), &bench.truth());
        Ok(bench)
    }

    pub(super) fn tfidf(&self) -> &Representation {
        &self.tfidf
    }

    /// Counts, hour and durations, put together by hand.
    pub(super) fn hand_made(&self, tokenizer: &Tokenizer) -> Representation {
        let part = |samples: &Samples| hand_made::features(tokenizer, samples);
        Representation { train: part(&self.train), validation: part(&self.validation), test: part(&self.test) }
    }

    pub(super) fn encoded(&self, encoder: &dyn WindowEncoder) -> Representation {
        let part = |samples: &Samples| Features::dense(encoder.encode(&samples.windows()), encoder.dim());
        Representation { train: part(&self.train), validation: part(&self.validation), test: part(&self.test) }
    }

    /// Probe, retrieval and silhouette of a representation.
    pub(super) fn row(&self, name: &str, features: &Representation) -> ReportRow {
        let Judged { predicted, retrieved } = self.judge(features);
        let mean = |values: &[f64]| clustered_mean(values, &retrieved.episodes, self.options.seed);
        ReportRow {
            recall_at_10: Some(mean(&retrieved.recalls)),
            mrr: Some(mean(&retrieved.reciprocal_ranks)),
            silhouette: Some(features.test.silhouette(&self.truth())),
            ..self.classified(name, &predicted)
        }
    }

    /// Probe and retrieval of a representation, one by one.
    pub(super) fn judge(&self, features: &Representation) -> Judged {
        let queries = self.queries();
        let retrieved = retrieval::retrieve(&features.test, &self.test.labeled, &queries);
        Judged { predicted: self.predicted(features), retrieved }
    }

    /// The class of every test event.
    pub(super) fn truth(&self) -> Vec<usize> {
        self.test.labeled.iter().map(|event| event.class).collect()
    }

    /// The episode of every test event.
    pub(super) fn episodes(&self) -> Vec<u64> {
        self.test.labeled.iter().map(|event| event.episode).collect()
    }

    /// The test events that are the queries of the retrieval.
    pub(super) fn queries(&self) -> Vec<LabeledEvent> {
        spread(&self.test.labeled, self.options.n_queries)
    }

    /// The classes that a linear probe on a representation predicts for the test part.
    fn predicted(&self, features: &Representation) -> Vec<usize> {
        probe::predict(features, &self.train.labeled, &self.validation.labeled, self.n_classes)
    }

    /// Accuracy of predictions, with episodes resampled.
    pub(super) fn classified(&self, name: &str, predicted: &[usize]) -> ReportRow {
        let (truth, episodes) = (self.truth(), self.episodes());
        let right = accuracy(predicted, &truth);
        let over_control: Vec<f64> = right.iter().zip(&self.control).map(|(own, control)| own - control).collect();
        let mean = |values: &[f64]| -> Interval { clustered_mean(values, &episodes, self.options.seed) };
        ReportRow {
            name: name.into(),
            accuracy: mean(&right),
            accuracy_over_tfidf: mean(&over_control),
            macro_f1: macro_f1(predicted, &truth),
            recall_at_10: None,
            mrr: None,
            silhouette: None,
        }
    }

    pub(super) fn majority(&self) -> usize {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for event in &self.train.labeled {
            *counts.entry(event.class).or_default() += 1;
        }
        counts.into_iter().max_by_key(|&(_, count)| count).map_or(0, |(class, _)| class)
    }
}

/// Documents are the windows; what is rare is learned from the first part.
fn tfidf(tokenizer: &Tokenizer, parts: [&Samples; 3]) -> Representation {
    let weights = spaxiom_token::Tfidf::fit(&tokenizer.field_sizes(), parts[0].windows());
    let [train, validation, test] = parts.map(|samples| {
        let rows = samples.windows().into_iter().map(|window| weights.transform(window)).collect();
        Features::sparse(rows, weights.n_terms())
    });
    Representation { train, validation, test }
}
