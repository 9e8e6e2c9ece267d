//! Training the text encoder of a run.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use spaxiom_encoder::TextQueryEncoderConfig;
use spaxiom_eval::Part;
use spaxiom_objective::{Flow, TextPairs, TextTrainOptions};
use spaxiom_token::WordPieces;

use super::corpus::Corpus;
use super::grammar::{Asked, Grammar, Phrasing};
use super::text_vectors::TextFile;
use crate::data::Dataset;
use crate::engine::{Engine, TextShape, TextTraining};
use crate::error::EmbeddingError;
use crate::run::{Run, RunFolder};
use crate::vector::VectorName;

/// Events that texts are made of at most.
const N_EVENTS: usize = 20_000;

/// Texts that the vocabulary of word pieces is learned from.
const N_TEXTS: usize = 4_000;

/// Word pieces at most.
const N_PIECES: usize = 1_024;

/// Events that are tried for a hard negative, before any is taken.
const N_TRIES: usize = 64;

/// Chance that a piece of a training text is left out, and that one is put in behind it.
const LEFT_OUT: f64 = 0.05;
const PUT_IN: f64 = 0.15;

/// Fewer events teach nothing.
const LEAST_EVENTS: usize = 100;

/// Names the streams of random numbers, which differ for the vocabulary and every step.
const VOCABULARY: u64 = 1 << 62;

/// What a text encoder is trained from.
pub struct TextJob<'a> {
    /// The loop.
    pub options: TextTrainOptions,
    /// Seed of weights and texts.
    pub seed: u64,
    /// The data; labels tell the causes that texts name.
    pub data: &'a Dataset,
    /// The run whose vectors texts are to be among; its split says what may be learned from.
    pub from: &'a Run,
    /// The folder of the new run.
    pub run: &'a RunFolder,
}

/// What was trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextSummary {
    /// Events that texts were made of.
    pub n_events: usize,
    /// Types of these.
    pub n_types: usize,
    /// Causes that texts name.
    pub causes: Vec<String>,
    /// Steps.
    pub steps: u64,
    /// Mean loss of the last tenth of the steps, in nats.
    pub loss: f64,
}

/// Trains a text encoder toward the vectors of a run, and writes a run: the files of `from`, and the text encoder.
///
/// Events keep their vectors, so that stores of `from` are stores of the new run. `told` is told of steps and losses.
///
/// # Errors
/// [`EmbeddingError::RunExists`] for a folder that holds a run, [`EmbeddingError::FewEvents`] for data with less than a hundred
/// events to learn from, and a loss that is no number.
pub fn fit_text(
    job: TextJob<'_>,
    engine: &dyn Engine,
    told: &mut dyn FnMut(u64, f64) -> Flow,
) -> Result<TextSummary, EmbeddingError> {
    let TextJob { options, seed, data, from, run } = job;
    options.check()?;
    let vectors = from.vectors(engine, VectorName::Both)?.with_sites(data.sites());
    let corpus = Corpus::of(data, &from.manifest().split, &[Part::Train, Part::Validation], &vectors, N_EVENTS);
    if corpus.facts.len() < LEAST_EVENTS {
        return Err(EmbeddingError::FewEvents { path: data.path().to_owned(), n_events: corpus.facts.len() });
    }
    // Before the work, so that a folder that holds a run is told of at once.
    run.create()?;
    let grammar = Grammar::of(&corpus.facts);
    let texts = Texts { corpus: &corpus, grammar: &grammar, seed };
    let pieces = texts.vocabulary()?;
    let encoder = TextQueryEncoderConfig::default();
    let shape = TextShape { encoder: encoder.clone(), n_pieces: pieces.n_pieces(), dim: vectors.dim() };
    let mut losses = Vec::new();
    let mut batch = |step| texts.pairs(step, &options, &pieces, encoder.max_len);
    let mut tell = |step, loss| {
        losses.push(loss);
        told(step, loss)
    };
    let training = TextTraining { options: &options, seed, batch: &mut batch, told: &mut tell };
    let weights = engine.train_texts(&shape, training)?;
    run.copy_all(from.path())?;
    let of_run = from.manifest().vector.clone().or_else(|| from.manifest().weights.clone()).unwrap_or_default();
    TextFile::new(&of_run, &encoder, shape.dim, (&options, seed), &pieces).save(run.path(), weights)?;
    let n_last = losses.len().div_ceil(10);
    let last = &losses[losses.len() - n_last..];
    let mut causes: Vec<String> = corpus.facts.iter().filter_map(|facts| facts.cause.clone()).collect();
    causes.sort_unstable();
    causes.dedup();
    Ok(TextSummary {
        n_events: corpus.facts.len(),
        n_types: corpus.by_kind.len(),
        causes,
        steps: losses.len() as u64,
        loss: last.iter().sum::<f64>() / n_last.max(1) as f64,
    })
}

/// A text with some pieces left out and some that mean nothing put in, so that words that were never learned disturb little.
fn disturbed(text: Vec<u32>, n_pieces: u32, max_len: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut disturbed = Vec::with_capacity(text.len() + 2);
    for (at, piece) in text.into_iter().enumerate() {
        if at == 0 || !rng.random_bool(LEFT_OUT) {
            disturbed.push(piece);
        }
        if rng.random_bool(PUT_IN) {
            disturbed.push(rng.random_range(0..n_pieces));
        }
    }
    disturbed.truncate(max_len);
    disturbed
}

/// Texts by number: the same for the same seed.
struct Texts<'a> {
    corpus: &'a Corpus,
    grammar: &'a Grammar,
    seed: u64,
}

impl Texts<'_> {
    fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }

    /// An event of any type: rare ones as often as others.
    fn event(&self, rng: &mut ChaCha8Rng) -> usize {
        let Corpus { by_kind, .. } = self.corpus;
        let of_kind = by_kind.values().nth(rng.random_range(0..by_kind.len())).expect("one of them");
        of_kind[rng.random_range(0..of_kind.len())]
    }

    fn vocabulary(&self) -> Result<WordPieces, EmbeddingError> {
        let mut rng = self.rng(VOCABULARY);
        let texts: Vec<String> = (0..N_TEXTS)
            .map(|_| self.grammar.ask(&self.corpus.facts[self.event(&mut rng)], Phrasing::Learned, &mut rng).text)
            .collect();
        Ok(WordPieces::train(texts.iter().map(String::as_str), N_PIECES)?)
    }

    /// The batch of a step.
    fn pairs(&self, step: u64, options: &TextTrainOptions, pieces: &WordPieces, max_len: usize) -> TextPairs {
        let mut rng = self.rng(step);
        let facts = &self.corpus.facts;
        let own: Vec<usize> = (0..options.batch_size).map(|_| self.event(&mut rng)).collect();
        let asked: Vec<Asked> =
            own.iter().map(|&at| self.grammar.ask(&facts[at], Phrasing::Learned, &mut rng)).collect();
        let mut events = own.clone();
        for (asked, &own) in asked.iter().zip(&own) {
            for _ in 0..options.n_hard {
                events.push(self.hard_negative(asked, own, &mut rng));
            }
        }
        let n_pieces = u32::try_from(pieces.n_pieces()).expect("about a thousand");
        let encoded = |asked: &Asked| pieces.encode(&asked.text, max_len).expect("pieces that were just learned");
        let texts = asked.iter().map(|asked| disturbed(encoded(asked), n_pieces, max_len, &mut rng)).collect();
        let is_asked_for = asked.iter().flat_map(|asked| events.iter().map(|&at| asked.asks_for(&facts[at]))).collect();
        let events = events.iter().flat_map(|&at| self.corpus.vector(at).iter().copied()).collect();
        TextPairs { texts, events, is_asked_for }
    }

    /// An event that is not asked for, and nearly is: of all that are tried the one of which the most holds.
    fn hard_negative(&self, asked: &Asked, own: usize, rng: &mut ChaCha8Rng) -> usize {
        let facts = &self.corpus.facts;
        let of_kind = &self.corpus.by_kind[&facts[own].kind];
        let mut best = (0, self.event(rng));
        for n in 0..N_TRIES {
            // Half of them of the same type, of which time, place or cause may differ.
            let at = if n % 2 == 0 { of_kind[rng.random_range(0..of_kind.len())] } else { self.event(rng) };
            let n_holding = asked.slots.iter().filter(|slot| slot.holds(&facts[at])).count();
            if n_holding < asked.slots.len() && n_holding >= best.0 {
                best = (n_holding, at);
                if n_holding + 1 == asked.slots.len() {
                    break;
                }
            }
        }
        best.1
    }
}
