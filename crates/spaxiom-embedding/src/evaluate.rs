//! The evaluation: the same queries for every representation, on sites and days that training never saw.

mod features;
mod latency;
mod probe;
mod retrieval;

use std::collections::BTreeMap;

use spaxiom_eval::{Part, accuracy, check_no_leak, clustered_mean, macro_f1};
use spaxiom_token::{TokenSequence, TokenWindow, Tokenizer};

use self::features::Features;
use crate::dataset::{Dataset, LabelledPart, PartData};
use crate::engine::{Engine, WindowEncoder};
use crate::error::EmbeddingError;
use crate::report::{Report, ReportRow};
use crate::run::RunFolder;

/// What may be set about an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// Labelled training events for the linear probes, at most, evenly spread; 10,000.
    pub n_probe: usize,
    /// Labelled test events that are ranked and classified, at most, evenly spread; 8,000.
    pub n_test: usize,
    /// Queries among them, at most, evenly spread; 800.
    pub n_queries: usize,
    /// Seed of resampling and of the untrained encoder.
    pub seed: u64,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self { n_probe: 10_000, n_test: 8_000, n_queries: 800, seed: 0 }
    }
}

/// Evaluates a run; `from` is the pretrained run of a fine-tuned one, for a row of its own.
///
/// `now_secs` is the caller's clock, for latency and build time. `progress` is told what is being done.
pub fn evaluate(
    run: &RunFolder,
    from: Option<&RunFolder>,
    data: &Dataset,
    options: &EvaluateOptions,
    engine: &dyn Engine,
    now_secs: &dyn Fn() -> f64,
    progress: &mut dyn FnMut(&str),
) -> Result<Report, EmbeddingError> {
    let manifest = run.manifest()?;
    let tokenizer = run.tokenizer()?.with_sites(data.sites());
    let encoder = run.encoder(engine)?;
    if let Some(from) = from {
        require_same_tokens(run, from)?;
    }
    // The split of the run, not one of these data: what the run has seen stays training.
    let split = manifest.split.clone();
    let classes = if manifest.classes.is_empty() { data.classes(&split)? } else { manifest.classes.clone() };
    let part = |part, limit| Samples::new(data, &split, part, &tokenizer, &classes, encoder.max_len(), limit);
    let mut bench = Bench {
        train: part(Part::Train, options.n_probe),
        validation: part(Part::Validation, options.n_probe / 4),
        test: part(Part::Test, options.n_test),
        n_classes: classes.len(),
        control: Vec::new(),
        options,
    };
    let episodes =
        |part, samples: &Samples| samples.labelled.episodes.iter().map(move |e| (part, *e)).collect::<Vec<_>>();
    let parts = [(Part::Train, &bench.train), (Part::Validation, &bench.validation), (Part::Test, &bench.test)];
    check_no_leak(parts.into_iter().flat_map(|(part, samples)| episodes(part, samples)))?;
    let wanted = [
        ("none on sites and days that the run has not seen", bench.test.labelled.places.is_empty()),
        (
            "none on the training days of the run's sites, from which the probes learn: put the events of new sites beside those of the run",
            bench.train.labelled.known(classes.len()).is_empty(),
        ),
        (
            "none on the validation days of the run's sites, by which the probes are chosen: put the events of new sites beside those of the run",
            bench.validation.labelled.places.is_empty(),
        ),
    ];
    if let Some((wanted, _)) = wanted.into_iter().find(|(_, is_missing)| *is_missing) {
        return Err(EmbeddingError::NoLabels { path: data.path().to_owned(), wanted });
    }
    progress("tf-idf");
    let tfidf = bench.tfidf(&tokenizer);
    bench.control = accuracy(&bench.predicted(&tfidf), &bench.test.labelled.classes);
    let untrained = engine.untrained(&run.shape()?, options.seed.wrapping_add(1));
    let name = if manifest.classes.is_empty() { "pretrained" } else { "fine-tuned" };
    let mut rows = Vec::new();
    if let Some(from) = from {
        progress("pretrained encoder");
        rows.push(bench.row("pretrained", &bench.encoded(from.encoder(engine)?.as_ref())));
    }
    progress(&format!("{name} encoder"));
    let trained = bench.encoded(encoder.as_ref());
    rows.push(bench.row(name, &trained));
    if let Some(predicted) = encoder.classify(&bench.test.windows()) {
        rows.push(bench.classified("fine-tuned, own head", &predicted));
    }
    progress("untrained encoder");
    rows.push(bench.row("untrained", &bench.encoded(untrained.as_ref())));
    rows.push(bench.row("tf-idf", &tfidf));
    rows.push(bench.classified("majority", &vec![bench.majority(); bench.test.labelled.classes.len()]));
    progress("index and latency");
    let queries = bench.test.labelled.spread(options.n_queries);
    let item = |place| bench.test.labelled.places.iter().position(|known| *known == place);
    let items = queries.places.iter().map(|&place| item(place).expect("queries come from the test part"));
    let windows: Vec<(usize, TokenWindow<'_>)> = items.zip(bench.test.windows_of(&queries)).collect();
    let index = latency::measure(encoder.as_ref(), &trained.test, &windows, now_secs)?;
    Ok(Report {
        run: run.path().display().to_string(),
        data: data.path().display().to_string(),
        backend: engine.name().as_str().to_owned(),
        test_sites: split.test_sites().to_vec(),
        n_test: bench.test.labelled.places.len(),
        n_queries: queries.places.len(),
        unknown: unknown(&tokenizer, &bench.test.data.tokens),
        n_gallery: bench.test.labelled.places.len(),
        classes,
        rows,
        index,
    })
}

/// Shares of values that training never showed, by field.
fn unknown(tokenizer: &Tokenizer, tokens: &[TokenSequence]) -> BTreeMap<String, f64> {
    tokenizer.unknown_shares(tokens).into_iter().map(|(field, share)| (field.to_owned(), share)).collect()
}

/// The windows of one run mean nothing to the encoder of another unless both have the same tokens and lengths.
fn require_same_tokens(run: &RunFolder, from: &RunFolder) -> Result<(), EmbeddingError> {
    let fingerprint = |run: &RunFolder| Ok::<_, EmbeddingError>(run.tokenizer()?.fingerprint());
    let length = |run: &RunFolder| Ok::<_, EmbeddingError>(run.config()?.encoder.max_len());
    if fingerprint(run)? == fingerprint(from)? && length(run)? == length(from)? {
        return Ok(());
    }
    Err(EmbeddingError::NotFrom { run: run.path().to_owned(), from: from.path().to_owned() })
}

/// Labelled events of one part with their windows.
struct Samples {
    data: PartData,
    labelled: LabelledPart,
    max_len: usize,
}

impl Samples {
    fn new(
        data: &Dataset,
        split: &spaxiom_eval::Split,
        part: Part,
        tokenizer: &Tokenizer,
        classes: &[String],
        max_len: usize,
        limit: usize,
    ) -> Self {
        let part_data = data.part_data(split, part, tokenizer);
        let labelled = data.labelled(split, part, &part_data, classes, max_len).spread(limit);
        Self { data: part_data, labelled, max_len }
    }

    fn windows(&self) -> Vec<TokenWindow<'_>> {
        self.windows_of(&self.labelled)
    }

    fn windows_of(&self, labelled: &LabelledPart) -> Vec<TokenWindow<'_>> {
        labelled.places.iter().map(|&place| self.data.context(place, self.max_len)).collect()
    }
}

/// One representation of all three parts.
struct Representation {
    train: Features,
    validation: Features,
    test: Features,
}

/// The parts, and what is done with every representation of them.
struct Bench<'a> {
    train: Samples,
    validation: Samples,
    test: Samples,
    n_classes: usize,
    /// Where the probe on TF-IDF is right: every other representation is compared with it, event by event.
    control: Vec<f64>,
    options: &'a EvaluateOptions,
}

impl Bench<'_> {
    fn encoded(&self, encoder: &dyn WindowEncoder) -> Representation {
        let part = |samples: &Samples| Features::dense(encoder.encode(&samples.windows()), encoder.dim());
        Representation { train: part(&self.train), validation: part(&self.validation), test: part(&self.test) }
    }

    fn tfidf(&self, tokenizer: &Tokenizer) -> Representation {
        let weights = spaxiom_token::Tfidf::fit(&tokenizer.field_sizes(), self.train.windows());
        let part = |samples: &Samples| {
            let rows = samples.windows().into_iter().map(|window| weights.transform(window)).collect();
            Features::sparse(rows, weights.n_terms())
        };
        Representation { train: part(&self.train), validation: part(&self.validation), test: part(&self.test) }
    }

    /// Probe, retrieval and silhouette of a representation.
    fn row(&self, name: &str, features: &Representation) -> ReportRow {
        let queries = self.test.labelled.spread(self.options.n_queries);
        let (recall, mrr) = retrieval::score(&features.test, &self.test.labelled, &queries, self.options.seed);
        ReportRow {
            recall_at_10: Some(recall),
            mrr: Some(mrr),
            silhouette: Some(features.test.silhouette(&self.test.labelled.classes)),
            ..self.classified(name, &self.predicted(features))
        }
    }

    /// The classes that a linear probe on a representation predicts for the test part.
    fn predicted(&self, features: &Representation) -> Vec<usize> {
        probe::predict(features, &self.train.labelled, &self.validation.labelled, self.n_classes)
    }

    /// Accuracy of predictions, with episodes resampled.
    fn classified(&self, name: &str, predicted: &[usize]) -> ReportRow {
        let truth = &self.test.labelled.classes;
        let right = accuracy(predicted, truth);
        let over_control: Vec<f64> = right.iter().zip(&self.control).map(|(own, control)| own - control).collect();
        let mean = |values: &[f64]| clustered_mean(values, &self.test.labelled.episodes, self.options.seed);
        ReportRow {
            name: name.into(),
            accuracy: mean(&right),
            accuracy_over_tfidf: mean(&over_control),
            macro_f1: macro_f1(predicted, truth),
            recall_at_10: None,
            mrr: None,
            silhouette: None,
        }
    }

    fn majority(&self) -> usize {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for class in &self.train.labelled.classes {
            *counts.entry(*class).or_default() += 1;
        }
        counts.into_iter().max_by_key(|&(_, count)| count).map_or(0, |(class, _)| class)
    }
}
