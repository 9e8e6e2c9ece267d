//! Searches by a text: a filter that a person can see, and what passes it, by the vector of the text or the most typical first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;
use spaxiom_index::{Filter, Sample};

use super::moments::Own;
use super::query::SearchResult;
use super::store_search::StoreSearch;
use crate::error::EmbeddingError;
use crate::words::TextQuery;

/// Records whose mean is searched for.
const N_TYPICAL: usize = 512;

/// What a hit gains in the order for passing what is preferred, as a similarity.
const PREFERRED: f32 = 0.1;

/// How a text is searched for.
#[derive(Debug, Clone, PartialEq)]
pub struct TextSearch<'a> {
    /// What was understood.
    pub query: &'a TextQuery,
    /// What else hits have to pass.
    pub filter: &'a Filter,
    /// Whether hits have to pass what the text says, or are only like what passes it.
    pub is_filtered: bool,
    /// The vector of the text ([`crate::TextVectors`]), which ranks hits; without one the most typical of what passes come first.
    pub vector: Option<&'a [f32]>,
}

/// What was found for a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextHits {
    /// How many events pass the filter.
    pub n_passing: usize,
    /// Hits, the nearest to the vector of the text first, or without one the most typical of what was asked for; those that are
    /// preferred gain a little.
    pub hits: Vec<SearchResult>,
    /// Where fewer pass than were wanted: what each part of the text leaves out, the most first.
    pub relax: Vec<Relaxed>,
}

/// A part of a text that could be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relaxed {
    /// The words.
    pub words: String,
    /// How many events pass without it.
    pub n_passing: usize,
}

impl StoreSearch<'_> {
    /// The `k` moments that a text asks for.
    ///
    /// # Errors
    /// [`EmbeddingError::NothingUnderstood`] for a text without a vector, and without a word that names anything.
    pub fn search_text(&self, asked: &TextSearch<'_>, k: usize) -> Result<TextHits, EmbeddingError> {
        let TextSearch { query, filter, is_filtered, vector } = asked;
        if query.filter.is_all() && query.preferred.is_all() && vector.is_none() {
            let words: Vec<&str> = query.unread.iter().map(|unread| unread.word.as_str()).collect();
            return Err(EmbeddingError::NothingUnderstood { words: words.join(", ") });
        }
        self.store().require_known(filter)?;
        let wanted = query.filter.clone().and((*filter).clone());
        let n_typical = if vector.is_some() { 0 } else { N_TYPICAL };
        let Sample { records, n_passing } = self.store().sample(n_typical, &wanted)?;
        let vectors: Vec<Vec<f32>> = records.into_iter().map(|record| record.vector).collect();
        let enforced = if *is_filtered { &wanted } else { *filter };
        let mut hits = Vec::new();
        let typical = || (!vectors.is_empty()).then(|| self.mean(&vectors));
        if let Some(vector) = vector.map(<[f32]>::to_vec).or_else(typical) {
            hits = self.moments(&vector, &Own::default(), k, enforced)?;
            if !query.preferred.is_all() {
                let preferred = enforced.clone().and(query.preferred.clone());
                hits = merged(self.moments(&vector, &Own::default(), k, &preferred)?, hits, k);
            }
        }
        let relax = if n_passing < k { self.relaxed(asked)? } else { Vec::new() };
        Ok(TextHits { n_passing, hits, relax })
    }

    /// How many pass without each part of the text.
    fn relaxed(&self, asked: &TextSearch<'_>) -> Result<Vec<Relaxed>, EmbeddingError> {
        let hard = || asked.query.readings.iter().enumerate().filter(|(_, reading)| reading.is_hard);
        let mut relaxed = Vec::new();
        for (at, reading) in hard() {
            let others = hard().filter(|(other, _)| *other != at).map(|(_, reading)| reading.means.clone());
            let filter = others.fold(asked.filter.clone(), Filter::and);
            let n_passing = self.store().sample(0, &filter)?.n_passing;
            relaxed.push(Relaxed { words: reading.words.clone(), n_passing });
        }
        relaxed.sort_by_key(|relaxed| Reverse(relaxed.n_passing));
        Ok(relaxed)
    }
}

/// Hits with those that are preferred before others that are hardly nearer; each once.
fn merged(preferred: Vec<SearchResult>, others: Vec<SearchResult>, k: usize) -> Vec<SearchResult> {
    let known: BTreeSet<(String, String)> = preferred.iter().map(|hit| (hit.site.clone(), hit.id.clone())).collect();
    let new =
        others.into_iter().filter(|hit| !known.contains(&(hit.site.clone(), hit.id.clone()))).map(|hit| (0.0, hit));
    let mut all: Vec<(f32, SearchResult)> = preferred.into_iter().map(|hit| (PREFERRED, hit)).chain(new).collect();
    all.sort_by(|(a_gain, a), (b_gain, b)| (b.similarity + b_gain).total_cmp(&(a.similarity + a_gain)));
    all.into_iter().take(k).map(|(_, hit)| hit).collect()
}
