//! Events with what a text may say of them, and their vectors.

use std::collections::BTreeMap;

use spaxiom_eval::{Part, Split};
use spaxiom_event::Event;
use spaxiom_index::normalize;

use super::facts::Facts;
use crate::data::Dataset;
use crate::vector::Vectors;

/// Events with what a text may say of them, and their vectors.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    pub(super) facts: Vec<Facts>,
    /// Unit vectors, row after row.
    pub(super) vectors: Vec<f32>,
    pub(super) dim: usize,
    /// Events by type.
    pub(super) by_kind: BTreeMap<String, Vec<usize>>,
}

impl Corpus {
    /// About `limit` events of some parts, evenly spread over time; rare types have as many as frequent ones, or all.
    pub(super) fn of(data: &Dataset, split: &Split, parts: &[Part], vectors: &Vectors, limit: usize) -> Self {
        let (table, sequences) = data.columns();
        let kinds: BTreeMap<&str, &str> = data.sites().zone_kinds().collect();
        let is_part = |event: &Event| {
            let part = split.part(event.site_id.as_str(), event.time.timestamp());
            part.is_some_and(|part| parts.contains(&part))
        };
        let mut frequencies: BTreeMap<String, usize> = BTreeMap::new();
        for event in sequences.iter().flat_map(|sequence| table.events(&sequence.rows)).filter(|event| is_part(event)) {
            *frequencies.entry(event.kind.to_string()).or_default() += 1;
        }
        let per_kind = shared_out(limit, frequencies.values().copied());
        let mut corpus = Self { dim: vectors.dim(), ..Self::default() };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (site, sequence) in sequences.iter().enumerate() {
            let mut places = Vec::new();
            for (place, event) in table.events(&sequence.rows).enumerate().filter(|(_, event)| is_part(event)) {
                let n_seen = seen.entry(event.kind.to_string()).or_default();
                let n = frequencies[event.kind.as_str()];
                let wanted = per_kind.min(n);
                // Evenly: of n events those at which a line from 0 to `wanted` reaches the next number.
                let is_wanted = (*n_seen + 1) * wanted / n > *n_seen * wanted / n;
                *n_seen += 1;
                if is_wanted {
                    let at = corpus.facts.len();
                    corpus.by_kind.entry(event.kind.to_string()).or_default().push(at);
                    corpus.facts.push(Facts::of(&event, data.sites(), &kinds, data.label_of(&event)));
                    places.push(place);
                }
            }
            if !places.is_empty() {
                let tokens = data.tokenize_site(vectors.tokenizer(), site);
                corpus.vectors.extend(vectors.reader(&tokens, table, sequence).read_some(&places));
            }
        }
        normalize(&mut corpus.vectors, corpus.dim);
        corpus
    }

    pub(super) fn vector(&self, at: usize) -> &[f32] {
        &self.vectors[at * self.dim..(at + 1) * self.dim]
    }
}

/// The most of each kind, so that about `limit` are taken in all.
fn shared_out(limit: usize, frequencies: impl Iterator<Item = usize>) -> usize {
    let mut frequencies: Vec<usize> = frequencies.collect();
    frequencies.sort_unstable();
    let mut left = limit;
    for (at, &n) in frequencies.iter().enumerate() {
        let share = left / (frequencies.len() - at);
        if n > share {
            return share;
        }
        left -= n;
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::shared_out;

    #[test]
    fn rare_kinds_are_taken_whole_and_the_rest_shares_what_is_left() {
        assert_eq!(shared_out(100, [10, 1_000, 1_000].into_iter()), 45);
        assert_eq!(shared_out(100, [10, 20].into_iter()), usize::MAX);
        assert_eq!(shared_out(10, [100, 100].into_iter()), 5);
    }
}
