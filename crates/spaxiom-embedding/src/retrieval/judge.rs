//! How well texts find what they ask for, on sites and days that training never saw.

use chrono::NaiveDateTime;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spaxiom_eval::{Interval, Part, clustered_mean};
use spaxiom_index::{Comparison, Field, Filter, Value, normalize};

use super::corpus::Corpus;
use super::facts::Facts;
use super::grammar::{Asked, Grammar, Phrasing};
use super::report::{TextReport, TextRow, TextSet};
use super::text_vectors::TextVectors;
use crate::data::Dataset;
use crate::engine::Engine;
use crate::error::EmbeddingError;
use crate::run::Run;
use crate::vector::VectorName;
use crate::words::{FilterScores, Names, TextQuery};

/// Events that are ranked, at most.
const N_EVENTS: usize = 10_000;

/// Ranks that count.
const K: usize = 10;

/// Options of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextEvaluateOptions {
    /// Texts of each phrasing; 400.
    pub n_texts: usize,
    /// Seed of texts and intervals.
    pub seed: u64,
}

impl Default for TextEvaluateOptions {
    fn default() -> Self {
        Self { n_texts: 400, seed: 0 }
    }
}

/// Judges the text encoder of a run, beside the filter that a text is read as alone.
///
/// # Errors
/// [`EmbeddingError::NoText`] for a run without one, [`EmbeddingError::FewEvents`] for data without events that training
/// never saw.
pub fn evaluate_text(
    run: &Run,
    data: &Dataset,
    options: &TextEvaluateOptions,
    engine: &dyn Engine,
) -> Result<TextReport, EmbeddingError> {
    let texts = TextVectors::open(run.path(), engine)?;
    let vectors = run.vectors(engine, VectorName::Both)?.with_sites(data.sites());
    let corpus = Corpus::of(data, &run.manifest().split, &[Part::Test], &vectors, N_EVENTS);
    if corpus.facts.len() < K {
        return Err(EmbeddingError::FewEvents { path: data.path().to_owned(), n_events: corpus.facts.len() });
    }
    let judge =
        Judge { names: names(&corpus.facts), grammar: Grammar::of(&corpus.facts), corpus: &corpus, texts: &texts };
    let phrasings = [("phrasings of training", Phrasing::Learned), ("held-out phrasings", Phrasing::HeldOut)];
    let mut sets = Vec::new();
    for (name, phrasing) in phrasings {
        sets.push(judge.set(name, phrasing, options)?);
    }
    Ok(TextReport {
        run: run.path().display().to_string(),
        data: data.path().display().to_string(),
        n_events: [corpus.facts.len(), corpus.by_kind.len()],
        verdict: verdict(&sets),
        sets,
    })
}

/// What the vector of a text adds to its filter, by the texts whose words training never had.
fn verdict(sets: &[TextSet]) -> String {
    let Some(TextSet { rows, .. }) = sets.last() else { return String::new() };
    let [vector, typical] = [&rows[0], &rows[1]].map(|row| row.recall_of_causes);
    let what = if vector.low > typical.high {
        "clearly higher"
    } else if vector.high < typical.low {
        "clearly lower"
    } else {
        "no clearly different"
    };
    format!(
        "with the same filter, the text vector has {what} Recall@10 for texts that name a cause than the most typical events: \
        {:.3} and {:.3}",
        vector.mean, typical.mean
    )
}

struct Judge<'a> {
    names: Names,
    grammar: Grammar,
    corpus: &'a Corpus,
    texts: &'a TextVectors,
}

/// Scores of one way of ranking, text by text.
#[derive(Default)]
struct Scores {
    recalls: Vec<f64>,
    reciprocal_ranks: Vec<f64>,
}

impl Judge<'_> {
    fn set(&self, name: &str, phrasing: Phrasing, options: &TextEvaluateOptions) -> Result<TextSet, EmbeddingError> {
        let TextEvaluateOptions { n_texts, seed } = *options;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let of_kinds: Vec<&Vec<usize>> = self.corpus.by_kind.values().collect();
        let mut asked = Vec::with_capacity(n_texts);
        for _ in 0..n_texts {
            let of_kind = of_kinds[rng.random_range(0..of_kinds.len())];
            let facts = &self.corpus.facts[of_kind[rng.random_range(0..of_kind.len())]];
            asked.push(self.grammar.ask(facts, phrasing, &mut rng));
        }
        let now = NaiveDateTime::default();
        let read: Vec<Filter> =
            asked.iter().map(|asked| TextQuery::read(&asked.text, &self.names, now).filter).collect();
        let meant: Vec<Filter> = asked.iter().map(Asked::filter).collect();
        let texts: Vec<&str> = asked.iter().map(|asked| asked.text.as_str()).collect();
        let queries = self.texts.of(&texts)?;
        let mut scores: [Scores; 5] = Default::default();
        for (n, asked) in asked.iter().enumerate() {
            let query = &queries[n * self.corpus.dim..(n + 1) * self.corpus.dim];
            let rankings = self.rankings(query, &read[n], &mut rng);
            let relevant: Vec<bool> = self.corpus.facts.iter().map(|facts| asked.asks_for(facts)).collect();
            let n_relevant = relevant.iter().filter(|is_relevant| **is_relevant).count();
            for (scores, ranking) in scores.iter_mut().zip(rankings) {
                let n_found = ranking.iter().filter(|at| relevant[**at]).count();
                scores.recalls.push(n_found as f64 / n_relevant.min(K) as f64);
                let first = ranking.iter().position(|at| relevant[*at]);
                scores.reciprocal_ranks.push(first.map_or(0.0, |place| 1.0 / (place + 1) as f64));
            }
        }
        let has_cause: Vec<bool> = asked.iter().map(Asked::has_cause).collect();
        let row = |(name, Scores { recalls, reciprocal_ranks }): (&str, Scores)| {
            let of_causes: Vec<f64> =
                recalls.iter().zip(&has_cause).filter(|(_, has)| **has).map(|(recall, _)| *recall).collect();
            TextRow {
                name: name.to_owned(),
                recall_at_10: interval(&recalls, seed),
                recall_of_causes: interval(&of_causes, seed),
                mrr: interval(&reciprocal_ranks, seed),
            }
        };
        let names = [
            "filter, then text vector",
            "filter, then most typical (no training)",
            "filter, then random order",
            "text vector, no filter",
            "similar to what passes, no filter",
        ];
        Ok(TextSet {
            name: name.to_owned(),
            n: [n_texts, has_cause.iter().filter(|has| **has).count()],
            filter: FilterScores::of(meant.iter().zip(&read)),
            rows: names.into_iter().zip(scores).map(row).collect(),
        })
    }

    /// The first ten events by every way of ranking.
    fn rankings(&self, query: &[f32], filter: &Filter, rng: &mut ChaCha8Rng) -> [Vec<usize>; 5] {
        let Corpus { facts, dim, .. } = self.corpus;
        let passing: Vec<usize> = (0..facts.len()).filter(|at| passes(filter, &facts[*at])).collect();
        let all: Vec<usize> = (0..facts.len()).collect();
        let mut typical = vec![0.0; *dim];
        for &at in &passing {
            self.corpus.vector(at).iter().zip(&mut typical).for_each(|(value, sum)| *sum += value);
        }
        normalize(&mut typical, *dim);
        let drawn: Vec<usize> = if passing.is_empty() {
            Vec::new()
        } else {
            (0..K.min(passing.len())).map(|_| passing[rng.random_range(0..passing.len())]).collect()
        };
        [
            self.nearest(query, &passing),
            self.nearest(&typical, &passing),
            drawn,
            self.nearest(query, &all),
            self.nearest(&typical, &all),
        ]
    }

    fn nearest(&self, query: &[f32], among: &[usize]) -> Vec<usize> {
        let dot = |at: usize| query.iter().zip(self.corpus.vector(at)).map(|(a, b)| a * b).sum::<f32>();
        let mut scored: Vec<(f32, usize)> = among.iter().map(|&at| (dot(at), at)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().take(K).map(|(_, at)| at).collect()
    }
}

/// Whole texts are resampled.
fn interval(values: &[f64], seed: u64) -> Interval {
    let clusters: Vec<u64> = (0..values.len() as u64).collect();
    clustered_mean(values, &clusters, seed)
}

/// The names that a store of these events would have.
fn names(facts: &[Facts]) -> Names {
    let mut names = Names::default();
    for facts in facts {
        names.types.push(facts.kind.clone());
        names.sites.push(facts.site.clone());
        names.attributes.extend(facts.numbers.keys().cloned());
        names.zones.extend(facts.zone.clone());
        if let (Some(kind), Some(zone)) = (&facts.zone_kind, &facts.zone) {
            names.zone_kinds.entry(kind.clone()).or_default().insert(zone.clone());
        }
    }
    for list in [&mut names.types, &mut names.sites, &mut names.attributes, &mut names.zones] {
        list.sort_unstable();
        list.dedup();
    }
    names
}

/// Whether an event passes a filter of what a text can name; a date passes nothing, since no text has one.
fn passes(filter: &Filter, facts: &Facts) -> bool {
    match filter {
        Filter::All => true,
        Filter::And(parts) => parts.iter().all(|part| passes(part, facts)),
        Filter::Or(parts) => parts.iter().any(|part| passes(part, facts)),
        Filter::Not(part) => !passes(part, facts),
        Filter::Is { field, values } => {
            let own = match field {
                Field::Type => Some(&facts.kind),
                Field::Zone => facts.zone.as_ref(),
                Field::Site => Some(&facts.site),
            };
            own.is_some_and(|own| values.contains(own))
        }
        Filter::TimeOfDay { from_minute, before_minute } if from_minute < before_minute => {
            (*from_minute..*before_minute).contains(&facts.minute)
        }
        Filter::TimeOfDay { from_minute, before_minute } => {
            facts.minute >= *from_minute || facts.minute < *before_minute
        }
        Filter::Weekday(days) => days.contains(&facts.weekday),
        Filter::Attribute { name, comparison, value } => {
            let Value::Number { value, .. } = value else { return false };
            facts.numbers.get(name).is_some_and(|own| match comparison {
                Comparison::Equal => own.total_cmp(value).is_eq(),
                Comparison::Less => own < value,
                Comparison::AtMost => own <= value,
                Comparison::Greater => own > value,
                Comparison::AtLeast => own >= value,
            })
        }
        // Dates, which no text has, and what a later build knows.
        _ => false,
    }
}
