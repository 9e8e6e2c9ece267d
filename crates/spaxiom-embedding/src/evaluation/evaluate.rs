//! The evaluation of a run.

use std::collections::BTreeMap;

use spaxiom_eval::Part;
use spaxiom_objective::ObjectiveError;
use spaxiom_token::{ClockedMemory, TokenSequence, TokenWindow, Tokenizer};

use super::bench::Bench;
use super::controls::Without;
use super::details::Details;
use super::features::Features;
use super::few_shot::few_shot;
use super::options::EvaluateOptions;
use super::report::{IndexFigures, Report, ReportRow};
use super::samples::Source;
use super::shown::label_curve;
use super::{controls, held_out, latency};
use crate::data::Dataset;
use crate::engine::{Engine, WindowEncoder};
use crate::error::EmbeddingError;
use crate::run::Run;
use crate::vector::{VectorName, Vectors};

/// The class of events without a label.
const OTHER: &str = "Other";

/// Length of the windows of the controls where vectors are memory alone.
const WITHOUT_ENCODER: usize = 32;

/// Evaluates a run; without labels by its objectives alone. `from` is the pretrained run of a fine-tuned one, for a row of its own.
///
/// `now_secs` is the caller's clock, for latency and build time. `progress` is told what is being done.
pub fn evaluate(
    run: &Run,
    from: Option<&Run>,
    data: &Dataset,
    options: &EvaluateOptions,
    engine: &dyn Engine,
    now_secs: &dyn Fn() -> f64,
    progress: &mut dyn FnMut(&str),
) -> Result<Report, EmbeddingError> {
    let manifest = run.manifest();
    let tokenizer = run.tokenizer().clone().with_sites(data.sites());
    let vectors = run.vectors(engine, VectorName::Both)?.with_sites(data.sites());
    if let Some(from) = from {
        require_same_tokens(run, from)?;
    }
    // The split of the run, not one of these data: what the run has seen stays training.
    let split = manifest.split.clone();
    let test = data.part_data(&split, Part::Test, &tokenizer);
    let test = test.with_moments(&run.config().objectives, vectors.memory());
    let held_out = if manifest.classes.is_empty() && vectors.encoder().is_some() {
        progress("held-out figures of the objectives");
        held_out::figures(run, data, &test, engine, options.seed)?
    } else {
        Vec::new()
    };
    let mut report = Report {
        run: run.path().display().to_string(),
        data: data.path().display().to_string(),
        backend: engine.name().as_str().to_owned(),
        test_sites: split.test_sites().to_vec(),
        held_out,
        n_test: 0,
        n_queries: 0,
        unknown: unknown(&tokenizer, &test.tokens),
        n_gallery: 0,
        classes: Vec::new(),
        rows: Vec::new(),
        given_away: Vec::new(),
        details: None,
        index: None,
    };
    if !data.has_labels() && manifest.classes.is_empty() {
        let is_empty = report.held_out.is_empty();
        return if is_empty { Err(ObjectiveError::NoExamples { part: "test" }.into()) } else { Ok(report) };
    }
    let mut classes = if manifest.classes.is_empty() { data.classes(&split)? } else { manifest.classes.clone() };
    let other = options.with_other.then(|| with_other(&mut classes));
    progress("tf-idf");
    let max_len = vectors.encoder().map_or(WITHOUT_ENCODER, WindowEncoder::max_len);
    let memory = vectors.memory();
    let source = Source { data, split: &split, tokenizer: &tokenizer, memory, classes: &classes, other, max_len };
    let bench = Bench::new(&source, options)?;
    let name = match (vectors.encoder(), manifest.classes.is_empty()) {
        (None, _) => "memory, projected",
        (Some(_), true) => "pretrained",
        (Some(_), false) => "fine-tuned",
    };
    let mut rows = Vec::new();
    if let Some(from) = from {
        progress("pretrained");
        let pretrained = from.vectors(engine, VectorName::Both)?.with_sites(data.sites());
        rows.push(bench.row("pretrained", &bench.encoded(&pretrained)));
    }
    progress(name);
    let trained = bench.encoded(&vectors);
    let judged = bench.judge(&trained);
    let mut details = Details::new(&bench, data, &classes, &trained.test, &judged.predicted)?;
    rows.push(bench.boosted(bench.judged_row(name, &trained, judged), &trained)?);
    let mut beside_memory = None;
    if let Some(encoder) = vectors.encoder() {
        if let Some(predicted) = encoder.classify(&bench.test.windows_up_to(encoder.reach())) {
            rows.push(bench.classified("fine-tuned, own head", &predicted));
        }
        if memory.is_some() {
            let alone = bench.encoded(&run.vectors(engine, VectorName::Encoder)?);
            rows.push(bench.row(&format!("{name}, encoder"), &alone));
            beside_memory = Some(alone);
        }
        progress("untrained");
        let untrained = engine.untrained(run.shape()?, options.seed.wrapping_add(1));
        let windows = bench.train.windows_up_to(untrained.reach());
        let untrained = run.vectors(engine, VectorName::Both)?.with_encoder(untrained, &windows);
        rows.push(bench.row("untrained", &bench.encoded(&untrained)));
    }
    if let Some(memory) = memory {
        progress("memory");
        rows.extend(bench.memory_rows(memory, beside_memory)?);
    }
    progress("controls");
    rows.extend(bench.bars(data)?);
    if options.with_controls {
        rows.extend(without_order_and_times(&bench, data, &vectors, options.seed));
        report.given_away = bench.given_away(name, &trained.train);
        progress("fewer labels");
        for (name, features) in [(name, &trained), ("hand-made", bench.hand_made())] {
            details.label_curve.extend(label_curve(&bench, name, features, options.seed));
            details.few_shot.extend(few_shot(&bench, name, features, options.seed));
        }
        details.few_shot.extend(few_shot(&bench, "tf-idf", bench.tfidf(), options.seed));
    }
    progress("index and latency");
    let index = index_figures(&bench, &vectors, &trained.test, now_secs)?;
    report.n_test = bench.test.labeled.len();
    report.n_queries = bench.queries().len();
    report.n_gallery = bench.test.labeled.len();
    report.classes = classes;
    report.rows = rows;
    report.details = Some(details);
    report.index = Some(index);
    Ok(report)
}

/// The vectors of sites that something was taken from.
fn without_order_and_times(bench: &Bench<'_>, data: &Dataset, vectors: &Vectors, seed: u64) -> Vec<ReportRow> {
    let row = |(name, without)| bench.row(name, &controls::encoded(without, data, vectors, bench.parts(), seed));
    [("order shuffled", Without::Order), ("times removed", Without::Times)].into_iter().map(row).collect()
}

/// How long it takes to encode the queries and to find what is near to them among the test events.
fn index_figures(
    bench: &Bench<'_>,
    vectors: &Vectors,
    gallery: &Features,
    now_secs: &dyn Fn() -> f64,
) -> Result<IndexFigures, EmbeddingError> {
    let queries = bench.queries();
    let item = |place| bench.test.labeled.iter().position(|known| known.place() == place);
    let items = queries.iter().map(|query| item(query.place()).expect("queries come from the test split"));
    let windows: Vec<(usize, TokenWindow<'_>)> = items.zip(bench.test.windows_of(&queries)).collect();
    let n_features = vectors.memory().map_or(0, ClockedMemory::n_features);
    let goes_on = vectors.encoder().is_some_and(|encoder| encoder.walk().is_some());
    let encode = |item: usize, window: &TokenWindow<'_>| {
        let remembered = &bench.test.remembered[item * n_features..(item + 1) * n_features];
        if !goes_on {
            return vectors.of(&[*window], remembered);
        }
        // What goes on event by event reads one; its vector is that of the whole site.
        drop(vectors.of(&[window.part(window.len() - 1..window.len())], remembered));
        gallery.row(item)
    };
    latency::measure(&encode, gallery, &windows, now_secs)
}

/// Adds the class of events without a label, where no label has that name, and gives its place.
pub(super) fn with_other(classes: &mut Vec<String>) -> usize {
    classes.binary_search_by(|class| class.as_str().cmp(OTHER)).unwrap_or_else(|place| {
        classes.insert(place, OTHER.to_owned());
        place
    })
}

/// Shares of values that training never showed, by field.
fn unknown(tokenizer: &Tokenizer, tokens: &[TokenSequence]) -> BTreeMap<String, f64> {
    tokenizer.unknown_shares(tokens).into_iter().map(|(field, share)| (field.to_owned(), share)).collect()
}

/// The windows of one run mean nothing to the encoder of another unless both have the same tokens and lengths.
fn require_same_tokens(run: &Run, from: &Run) -> Result<(), EmbeddingError> {
    let identity = |run: &Run| (run.manifest().tokenizer.clone(), run.config().max_len());
    if identity(run) == identity(from) {
        return Ok(());
    }
    Err(EmbeddingError::NotFrom { run: run.path().to_owned(), from: from.path().to_owned() })
}
