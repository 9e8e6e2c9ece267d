//! The parts of an evaluation, and what is done with every representation of them.

use std::collections::BTreeMap;

use spaxiom_eval::{Interval, Part, accuracy, check_no_leak, clustered_mean, macro_f1};
use spaxiom_token::{ClockedMemory, Tokenizer};

use super::boosting::Trees;
use super::controls::GivenAway;
use super::features::Features;
use super::options::EvaluateOptions;
use super::report::{Boosted, ReportRow};
use super::retrieval::Retrieved;
use super::samples::{Representation, Samples, Source};
use super::{boosting, casas, controls, hand_made, probe, retrieval};
use crate::data::{Dataset, LabeledEvent, spread};
use crate::error::EmbeddingError;
use crate::vector::Vectors;

/// What a representation tells, event by event of the test part and query by query.
pub(super) struct Judged {
    pub(super) predicted: Vec<usize>,
    pub(super) retrieved: Retrieved,
}

/// A representation that every other one is compared with, event by event.
struct Control {
    features: Representation,
    predicted: Vec<usize>,
    /// Where the probe on it is right.
    right: Vec<f64>,
}

/// The parts, and what is done with every representation of them.
pub(super) struct Bench<'a> {
    pub(super) train: Samples,
    pub(super) validation: Samples,
    pub(super) test: Samples,
    n_classes: usize,
    tfidf: Control,
    hand_made: Control,
    options: &'a EvaluateOptions,
}

impl<'a> Bench<'a> {
    /// The labeled events of all parts.
    ///
    /// # Errors
    /// [`EmbeddingError::NoLabels`] where a part has none, [`EmbeddingError::Eval`] where an episode is in two parts.
    pub(super) fn new(source: &Source<'_>, options: &'a EvaluateOptions) -> Result<Self, EmbeddingError> {
        let Source { data, tokenizer, classes, .. } = *source;
        let part = |part, limit| Samples::new(source, part, limit);
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
        let parts = [&train, &validation, &test];
        let n_classes = classes.len();
        let control = |features: Representation| {
            let predicted = probe::predict(&features, &train.labeled, &validation.labeled, n_classes, options.refit);
            let truth: Vec<usize> = test.labeled.iter().map(|event| event.class).collect();
            Control { right: accuracy(&predicted, &truth), features, predicted }
        };
        let tfidf = control(tfidf(tokenizer, parts));
        let hand_made = control(hand_made(tokenizer, parts));
        Ok(Self { train, validation, test, n_classes, tfidf, hand_made, options })
    }

    pub(super) fn parts(&self) -> [&Samples; 3] {
        [&self.train, &self.validation, &self.test]
    }

    pub(super) fn n_classes(&self) -> usize {
        self.n_classes
    }

    pub(super) fn hand_made(&self) -> &Representation {
        &self.hand_made.features
    }

    pub(super) fn tfidf(&self) -> &Representation {
        &self.tfidf.features
    }

    /// What CASAS makes of the whole past.
    pub(super) fn casas(&self, data: &Dataset) -> Representation {
        casas::features(data, self.parts())
    }

    /// What vectors of the training part, and the hand-made ones, tell of site, day and hour.
    pub(super) fn given_away(&self, name: &str, train: &Features) -> Vec<GivenAway> {
        let of = |name: &str, features: &Features| controls::given_away(name, features, &self.train, self.options.seed);
        [of(name, train), of("hand-made", &self.hand_made.features.train)].concat()
    }

    /// All numbers of a memory, beside what an encoder says of the same moments, and without its zones.
    ///
    /// # Errors
    /// As of [`Bench::boosted`].
    pub(super) fn memory_rows(
        &self,
        memory: &ClockedMemory,
        encoded: Option<Representation>,
    ) -> Result<Vec<ReportRow>, EmbeddingError> {
        let remembered = self.remembered(memory, 0);
        let mut rows = vec![self.boosted(self.row("memory", &remembered), &remembered)?];
        if let Some(encoded) = encoded {
            let both = remembered.beside(&encoded);
            rows.push(self.boosted(self.row("memory + encoder", &both), &both)?);
        }
        let zones = memory.n_zone_features();
        if zones > 0 {
            rows.push(self.row("memory, no zones", &self.remembered(memory, zones)));
        }
        Ok(rows)
    }

    /// What no encoder and no memory is needed for.
    ///
    /// # Errors
    /// As of [`Bench::boosted`].
    pub(super) fn bars(&self, data: &Dataset) -> Result<Vec<ReportRow>, EmbeddingError> {
        let casas = self.casas(data);
        let hand_made = &self.hand_made.features;
        Ok(vec![
            self.boosted(self.row("CASAS features", &casas), &casas)?,
            self.boosted(self.judged_row("hand-made", hand_made, self.judge_hand_made()), hand_made)?,
            self.judged_row("tf-idf", &self.tfidf.features, self.judge_tfidf()),
            self.classified("majority", &vec![self.majority(); self.test.labeled.len()]),
        ])
    }

    pub(super) fn judge_tfidf(&self) -> Judged {
        self.judged(&self.tfidf.features, self.tfidf.predicted.clone())
    }

    pub(super) fn judge_hand_made(&self) -> Judged {
        self.judged(&self.hand_made.features, self.hand_made.predicted.clone())
    }

    /// All numbers of a memory but the last `n_left_out` of each row.
    pub(super) fn remembered(&self, memory: &ClockedMemory, n_left_out: usize) -> Representation {
        let (n_features, n_kept) = (memory.n_features(), memory.n_features() - n_left_out);
        let part = |samples: &Samples| {
            let rows = samples.remembered.chunks_exact(n_features);
            Features::dense(rows.flat_map(|row| &row[..n_kept]).copied().collect(), n_kept)
        };
        Representation { train: part(&self.train), validation: part(&self.validation), test: part(&self.test) }
    }

    pub(super) fn encoded(&self, vectors: &Vectors) -> Representation {
        let part = |samples: &Samples| {
            Features::dense(vectors.of(&samples.windows_up_to(vectors.reach()), &samples.remembered), vectors.dim())
        };
        Representation { train: part(&self.train), validation: part(&self.validation), test: part(&self.test) }
    }

    /// The row with gradient boosting beside the linear probe, where it is compiled in.
    ///
    /// # Errors
    /// What LightGBM refuses.
    pub(super) fn boosted(&self, row: ReportRow, features: &Representation) -> Result<ReportRow, EmbeddingError> {
        let (train, validation) = (&self.train.labeled, &self.validation.labeled);
        let trees = boosting::predict(features, train, validation, self.n_classes, self.options.refit)?;
        let Some(Trees { predicted, model }) = trees else {
            return Ok(row);
        };
        let ReportRow { accuracy, accuracy_over_hand_made, macro_f1, .. } = self.classified(&row.name, &predicted);
        Ok(ReportRow { boosted: Some(Boosted { accuracy, accuracy_over_hand_made, macro_f1, model }), ..row })
    }

    /// Probe, retrieval and silhouette of a representation.
    pub(super) fn row(&self, name: &str, features: &Representation) -> ReportRow {
        self.judged_row(name, features, self.judge(features))
    }

    pub(super) fn judged_row(&self, name: &str, features: &Representation, judged: Judged) -> ReportRow {
        let Judged { predicted, retrieved } = judged;
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
        self.judged(features, self.predicted(features))
    }

    fn judged(&self, features: &Representation, predicted: Vec<usize>) -> Judged {
        let retrieved = retrieval::retrieve(&features.test, &self.test.labeled, &self.queries());
        Judged { predicted, retrieved }
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
        let refit = self.options.refit;
        probe::predict(features, &self.train.labeled, &self.validation.labeled, self.n_classes, refit)
    }

    /// Accuracy of predictions, with episodes resampled.
    pub(super) fn classified(&self, name: &str, predicted: &[usize]) -> ReportRow {
        let (truth, episodes) = (self.truth(), self.episodes());
        let right = accuracy(predicted, &truth);
        let mean = |values: &[f64]| -> Interval { clustered_mean(values, &episodes, self.options.seed) };
        let over = |control: &Control| -> Interval {
            mean(&right.iter().zip(&control.right).map(|(own, control)| own - control).collect::<Vec<_>>())
        };
        ReportRow {
            name: name.into(),
            accuracy: mean(&right),
            accuracy_over_tfidf: over(&self.tfidf),
            accuracy_over_hand_made: over(&self.hand_made),
            macro_f1: macro_f1(predicted, &truth),
            boosted: None,
            recall_at_10: None,
            mrr: None,
            silhouette: None,
        }
    }

    fn majority(&self) -> usize {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for event in &self.train.labeled {
            *counts.entry(event.class).or_default() += 1;
        }
        counts.into_iter().max_by_key(|&(_, count)| count).map_or(0, |(class, _)| class)
    }
}

/// Counts, hour and durations, put together by hand.
fn hand_made(tokenizer: &Tokenizer, parts: [&Samples; 3]) -> Representation {
    let [train, validation, test] = parts.map(|samples| hand_made::features(tokenizer, samples));
    Representation { train, validation, test }
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
