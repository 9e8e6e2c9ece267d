//! What an entity memory counts, by name.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use spaxiom_event::{AttrValue, Event};

use super::options::EntityMemoryOptions;
use crate::field::word_of;

/// The kind of a zone that nobody knows, and of events without one.
pub(super) const NO_KIND: &str = "-";

/// What training showed, in order of the names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct VocabularyFile {
    /// Types, all of them.
    pub(super) types: Vec<String>,
    /// Kinds of zones, all of them.
    pub(super) kinds: Vec<String>,
    /// Places of type and kind.
    pub(super) tokens: Vec<[u32; 2]>,
    /// Places of two types that follow each other.
    pub(super) pairs: Vec<[u32; 2]>,
    /// Places of the tokens that are compared by when they came last.
    pub(super) lagged: Vec<u32>,
    /// Names of numeric attributes.
    pub(super) numbers: Vec<String>,
    /// Names of attributes with one of their words.
    pub(super) words: Vec<[String; 2]>,
}

/// The same, ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vocabulary {
    pub(super) file: VocabularyFile,
    types: FxHashMap<String, u32>,
    kinds: FxHashMap<String, u32>,
    tokens: FxHashMap<[u32; 2], u32>,
    pairs: FxHashMap<[u32; 2], u32>,
}

impl Vocabulary {
    pub(super) fn new(file: VocabularyFile) -> Self {
        let places = |names: &[String]| names.iter().cloned().zip(0..).collect();
        Self {
            types: places(&file.types),
            kinds: places(&file.kinds),
            tokens: file.tokens.iter().copied().zip(0..).collect(),
            pairs: file.pairs.iter().copied().zip(0..).collect(),
            file,
        }
    }

    pub(super) fn kind_of_event(&self, name: &str) -> Option<u32> {
        self.types.get(name).copied()
    }

    pub(super) fn kind_of_zone(&self, name: &str) -> Option<u32> {
        self.kinds.get(name).copied()
    }

    pub(super) fn token(&self, kind: Option<u32>, zone_kind: Option<u32>) -> Option<usize> {
        self.tokens.get(&[kind?, zone_kind?]).map(|place| *place as usize)
    }

    pub(super) fn pair(&self, first: Option<u32>, second: Option<u32>) -> Option<usize> {
        self.pairs.get(&[first?, second?]).map(|place| *place as usize)
    }

    /// Names of a token's type and kind, `BedExit@bed`.
    pub(super) fn token_name(&self, [kind, zone_kind]: [u32; 2]) -> String {
        format!("{}@{}", self.file.types[kind as usize], self.file.kinds[zone_kind as usize])
    }

    /// Whether every place is one of a name.
    pub(super) fn is_consistent(&self) -> bool {
        let (n_types, n_kinds) = (self.file.types.len(), self.file.kinds.len());
        let is_type = |place: u32| (place as usize) < n_types;
        self.file.tokens.iter().all(|[kind, zone_kind]| is_type(*kind) && (*zone_kind as usize) < n_kinds)
            && self.file.lagged.iter().all(|token| (*token as usize) < self.file.tokens.len())
            && self.file.pairs.iter().all(|pair| pair.iter().all(|place| is_type(*place)))
    }
}

/// Counts what the events of entities show.
#[derive(Debug, Default)]
pub(super) struct Census {
    tokens: BTreeMap<(String, String), usize>,
    pairs: BTreeMap<(String, String), usize>,
    numbers: BTreeMap<String, usize>,
    words: BTreeMap<(String, String), usize>,
    last: FxHashMap<(String, String), String>,
}

impl Census {
    pub(super) fn push(&mut self, event: &Event, zone_kind: &str) {
        let Some(entity) = &event.entity_id else { return };
        let kind = event.kind.as_str().to_owned();
        *self.tokens.entry((kind.clone(), zone_kind.to_owned())).or_default() += 1;
        for (name, value) in event.attrs.iter() {
            if let AttrValue::Number(_) = value {
                *self.numbers.entry(name.to_owned()).or_default() += 1;
            } else if let Some(word) = word_of(value) {
                *self.words.entry((name.to_owned(), word.to_string())).or_default() += 1;
            }
        }
        let key = (event.site_id.as_str().to_owned(), entity.as_str().to_owned());
        if let Some(before) = self.last.insert(key, kind.clone()) {
            *self.pairs.entry((before, kind)).or_default() += 1;
        }
    }

    pub(super) fn vocabulary(self, options: &EntityMemoryOptions) -> VocabularyFile {
        let Self { tokens, pairs, numbers, words, last: _ } = self;
        let mut types: Vec<String> = tokens.keys().map(|(kind, _)| kind.clone()).collect();
        let mut kinds: Vec<String> = tokens.keys().map(|(_, zone_kind)| zone_kind.clone()).collect();
        for names in [&mut types, &mut kinds] {
            names.sort_unstable();
            names.dedup();
        }
        let place = |names: &[String], name: &String| {
            let place = names.binary_search(name).expect("every name is in its list");
            u32::try_from(place).expect("few names")
        };
        let lagged = most_frequent(tokens.clone(), options.max_lag_tokens.min(options.max_tokens));
        let tokens = most_frequent(tokens, options.max_tokens);
        let place_of_token = |token: &(String, String)| {
            let place = tokens.binary_search(token).expect("the most frequent of the most frequent");
            u32::try_from(place).expect("few tokens")
        };
        let pairs = most_frequent(pairs, options.max_pairs);
        VocabularyFile {
            tokens: tokens.iter().map(|(kind, zone_kind)| [place(&types, kind), place(&kinds, zone_kind)]).collect(),
            pairs: pairs.iter().map(|(first, second)| [place(&types, first), place(&types, second)]).collect(),
            lagged: lagged.iter().map(place_of_token).collect(),
            numbers: most_frequent(numbers, options.max_numbers),
            words: most_frequent(words, options.max_words).into_iter().map(|(name, word)| [name, word]).collect(),
            types,
            kinds,
        }
    }
}

/// The most frequent in order of their names.
fn most_frequent<T: Ord + Clone>(counts: BTreeMap<T, usize>, n: usize) -> Vec<T> {
    let mut items: Vec<(usize, T)> = counts.into_iter().map(|(item, count)| (count, item)).collect();
    items.sort_by(|a, b| Reverse(a.0).cmp(&Reverse(b.0)).then_with(|| a.1.cmp(&b.1)));
    let mut items: Vec<T> = items.into_iter().take(n).map(|(_, item)| item).collect();
    items.sort_unstable();
    items
}
