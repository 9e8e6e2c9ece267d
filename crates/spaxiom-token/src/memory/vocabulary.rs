//! What a memory counts: tokens, bins of attributes, pairs, and groups of zones.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use super::options::MemoryOptions;
use crate::clock::NANOS_PER_SEC;
use crate::field::{Coding, Field};
use crate::sequence::TokenSequence;
use crate::special::{FIRST, NONE};
use crate::table::{EventTable, SequenceRows};
use crate::tokenizer::Tokenizer;

/// A type together with the kind of its zone, or with the zone itself where nobody knows its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct What {
    /// Id of the type.
    kind: u32,
    /// Id of the zone's kind; [`NONE`] where it has none.
    zone_kind: u32,
    /// Id of the zone where its kind is not known; [`NONE`] otherwise, and without a zone.
    zone: u32,
}

/// Types of events in zones of one kind, which are read out over these zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Group {
    /// Id of the kind; [`NONE`] for zones without one.
    pub(super) zone_kind: u32,
    /// Id of the type.
    kind: u32,
}

/// A numeric attribute of the events of a type, on a scale on which it has mean 0 and deviation 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Measure {
    /// Id of the type.
    kind: u32,
    /// The column of values.
    number: usize,
    /// Of the logarithm.
    mean: f64,
    deviation: f64,
}

/// A measured number further from the mean says no more than one there.
const MAX_DEVIATIONS: f64 = 4.0;

/// Numbers that a measure is learned from, at least.
const MIN_NUMBERS: usize = 50;

/// The artifact: what training showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct VocabularyFile {
    /// In order.
    whats: Vec<What>,
    /// Places of tokens: the second within some seconds of the first.
    pairs: Vec<[u32; 2]>,
    /// In order, those of one kind beside each other.
    groups: Vec<Group>,
    /// In order of type and column.
    measures: Vec<Measure>,
}

/// The same, ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vocabulary {
    pub(super) file: VocabularyFile,
    tokens: FxHashMap<What, u32>,
    n_hashed: usize,
    /// Places of the first tokens of pairs, and of the pairs, by their second token.
    pairs_by_second: Vec<Vec<(usize, usize)>>,
    /// First group and number of groups of each kind of zone that has any.
    kinds: FxHashMap<u32, (usize, usize)>,
    /// The place of a group among those of its kind.
    ranks: FxHashMap<Group, usize>,
    /// The measures of each type.
    measures_of_types: FxHashMap<u32, Vec<usize>>,
    /// The measures of all groups of each kind of zone, in order.
    measures_of_kinds: FxHashMap<u32, Vec<usize>>,
    /// Fields of a row that are attributes, and the first of their bins.
    attributes: Vec<(usize, usize)>,
    n_bins: usize,
    places: Places,
}

/// Where type, zone and kind stand in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Places {
    kind: usize,
    zone: Option<usize>,
    zone_kind: Option<usize>,
}

/// What a memory counts of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed {
    pub(super) token: usize,
    kind: u32,
    /// The kind of its zone.
    pub(super) zone_kind: u32,
    /// The place of its group among those of its kind of zone.
    pub(super) rank: Option<usize>,
}

impl Vocabulary {
    pub(super) fn new(file: VocabularyFile, tokenizer: &Tokenizer, n_hashed: usize) -> Self {
        let mut places = Places::default();
        let (mut attributes, mut n_bins) = (Vec::new(), 0);
        for (at, Field { coding, .. }) in tokenizer.fields().iter().enumerate() {
            match coding {
                Coding::Type(_) => places.kind = at,
                Coding::Zone(_) => places.zone = Some(at),
                Coding::Kind(_) => places.zone_kind = Some(at),
                _ => {
                    attributes.push((at, n_bins));
                    n_bins += (tokenizer.fields()[at].n_tokens() - FIRST) as usize;
                }
            }
        }
        let n_tokens = file.whats.len() + n_hashed;
        let mut pairs_by_second = vec![Vec::new(); n_tokens];
        for (pair, [first, second]) in file.pairs.iter().enumerate() {
            pairs_by_second[*second as usize].push((*first as usize, pair));
        }
        let mut kinds: FxHashMap<u32, (usize, usize)> = FxHashMap::default();
        let mut ranks = FxHashMap::default();
        for (at, group) in file.groups.iter().enumerate() {
            let (_, n) = kinds.entry(group.zone_kind).or_insert((at, 0));
            ranks.insert(*group, *n);
            *n += 1;
        }
        let mut measures_of_types: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        for (at, measure) in file.measures.iter().enumerate() {
            measures_of_types.entry(measure.kind).or_default().push(at);
        }
        let mut measures_of_kinds: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        for group in &file.groups {
            let own = measures_of_types.get(&group.kind).into_iter().flatten();
            measures_of_kinds.entry(group.zone_kind).or_default().extend(own);
        }
        let tokens = file.whats.iter().copied().zip(0..).collect();
        Self {
            file,
            tokens,
            n_hashed,
            pairs_by_second,
            kinds,
            ranks,
            measures_of_types,
            measures_of_kinds,
            attributes,
            n_bins,
            places,
        }
    }

    /// Tokens by name, and slots for others.
    pub(super) fn n_tokens(&self) -> usize {
        self.file.whats.len() + self.n_hashed
    }

    /// Bins of all attributes.
    pub(super) fn n_bins(&self) -> usize {
        self.n_bins
    }

    pub(super) fn n_pairs(&self) -> usize {
        self.file.pairs.len()
    }

    pub(super) fn n_groups(&self) -> usize {
        self.file.groups.len()
    }

    pub(super) fn n_measures(&self) -> usize {
        self.file.measures.len()
    }

    /// Measures of groups of zones, over all kinds.
    pub(super) fn n_zone_measures(&self) -> usize {
        self.measures_of_kinds.values().map(Vec::len).sum()
    }

    /// The measures of the groups of a kind of zone, in order.
    pub(super) fn measures_of(&self, zone_kind: u32) -> &[usize] {
        self.measures_of_kinds.get(&zone_kind).map_or(&[], Vec::as_slice)
    }

    /// The measures of an event, and their numbers; `values` are those of its row.
    pub(super) fn measured<'a>(
        &'a self,
        observed: &Observed,
        values: &'a [f32],
    ) -> impl Iterator<Item = (usize, f32)> + 'a {
        let of_type = self.measures_of_types.get(&observed.kind).into_iter().flatten();
        of_type
            .filter_map(|&at| Some((at, self.file.measures[at].standardized(values[self.file.measures[at].number])?)))
    }

    /// The kinds of zone that have groups: first group and number of groups, in order of the groups.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (u32, usize)> {
        let kinds = self.file.groups.chunk_by(|a, b| a.zone_kind == b.zone_kind);
        kinds.map(|groups| (groups[0].zone_kind, groups.len()))
    }

    /// How many groups zones of a kind are in.
    pub(super) fn n_groups_of(&self, zone_kind: u32) -> usize {
        self.kinds.get(&zone_kind).map_or(0, |(_, n)| *n)
    }

    /// The first tokens of the pairs that end with a token, and the pairs.
    pub(super) fn pairs_to(&self, token: usize) -> &[(usize, usize)] {
        &self.pairs_by_second[token]
    }

    /// What is counted of a row of ids, but for its bins.
    pub(super) fn observe(&self, row: &[u32]) -> Observed {
        let what = self.places.what(row);
        let token = self.tokens.get(&what).map_or_else(|| self.hashed(what), |token| *token as usize);
        let group = Group { zone_kind: what.zone_kind, kind: what.kind };
        Observed { token, kind: what.kind, zone_kind: what.zone_kind, rank: self.ranks.get(&group).copied() }
    }

    /// The bins of the attributes of a row.
    pub(super) fn bins<'a>(&'a self, row: &'a [u32]) -> impl Iterator<Item = usize> + 'a {
        let bin = |&(field, first): &(usize, usize)| Some(first + row[field].checked_sub(FIRST)? as usize);
        self.attributes.iter().filter_map(bin)
    }

    fn hashed(&self, what: What) -> usize {
        let What { kind, zone_kind, zone } = what;
        let bytes: Vec<u8> = [kind, zone_kind, zone].into_iter().flat_map(u32::to_le_bytes).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a remainder of a small number")]
        let slot = (xxh64(&bytes, 0) % self.n_hashed as u64) as usize;
        self.file.whats.len() + slot
    }
}

impl Places {
    fn what(self, row: &[u32]) -> What {
        let id = |place: Option<usize>| place.map_or(NONE, |place| row[place]);
        let zone_kind = id(self.zone_kind);
        let is_known = zone_kind >= FIRST;
        What {
            kind: row[self.kind],
            zone_kind: if is_known { zone_kind } else { NONE },
            zone: if is_known { NONE } else { id(self.zone) },
        }
    }
}

/// Learns from the sequences of the training part.
pub(super) fn learn(
    options: &MemoryOptions,
    tokenizer: &Tokenizer,
    table: &EventTable,
    sequences: &[SequenceRows],
) -> VocabularyFile {
    let empty = Vocabulary::new(VocabularyFile::default(), tokenizer, options.n_hashed);
    let rows: Vec<&[u32]> = sequences.iter().map(|sequence| sequence.rows.as_slice()).collect();
    let tokens = tokenizer.tokenize_rows(table, &rows).expect("the tokenizer of a memory takes tables");
    let mut counts: BTreeMap<What, usize> = BTreeMap::new();
    // Of a group: its events, and its zones by site.
    let mut groups: BTreeMap<Group, (usize, BTreeMap<&str, BTreeSet<&str>>)> = BTreeMap::new();
    for (SequenceRows { site_id, rows }, tokens) in sequences.iter().zip(&tokens) {
        for (&row, ids) in rows.iter().zip(tokens.window(0, tokens.n_positions()).rows()) {
            let what = empty.places.what(ids);
            *counts.entry(what).or_default() += 1;
            if let Some(zone) = table.zone(row) {
                let (n, zones) = groups.entry(Group { zone_kind: what.zone_kind, kind: what.kind }).or_default();
                *n += 1;
                zones.entry(site_id.as_str()).or_default().insert(zone);
            }
        }
    }
    // One zone has nothing to be compared with.
    groups.retain(|_, (_, zones)| zones.values().any(|zones| zones.len() > 1));
    let groups = groups.into_iter().map(|(group, (n, _))| (group, n)).collect();
    let mut file = VocabularyFile {
        whats: most_frequent(counts, options.max_tokens),
        groups: most_frequent(groups, options.max_groups),
        pairs: Vec::new(),
        measures: measures(options, &empty, &tokens),
    };
    let named = Vocabulary::new(file.clone(), tokenizer, options.n_hashed);
    let mut pairs: BTreeMap<[u32; 2], usize> = BTreeMap::new();
    for (SequenceRows { rows, .. }, tokens) in sequences.iter().zip(&tokens) {
        let mut recent: Vec<Option<i64>> = vec![None; named.file.whats.len()];
        for (&row, ids) in rows.iter().zip(tokens.window(0, tokens.n_positions()).rows()) {
            let (now, second) = (table.time_ns(row), named.observe(ids).token);
            if second >= recent.len() {
                continue;
            }
            for (first, before) in recent.iter().enumerate() {
                if first != second && before.is_some_and(|before| is_pair(before, now, options.pair_secs)) {
                    *pairs.entry([first, second].map(|at| u32::try_from(at).expect("few tokens"))).or_default() += 1;
                }
            }
            recent[second] = Some(now);
        }
    }
    file.pairs = most_frequent(pairs, options.max_pairs);
    file
}

/// The most frequent numeric attributes of types.
fn measures(options: &MemoryOptions, vocabulary: &Vocabulary, tokens: &[TokenSequence]) -> Vec<Measure> {
    let mut sums: BTreeMap<(u32, usize), (usize, f64, f64)> = BTreeMap::new();
    for tokens in tokens {
        let window = tokens.window(0, tokens.n_positions());
        let values = window.values();
        for (row, values) in window.rows().zip(values.chunks_exact(window.n_values().max(1))) {
            let kind = vocabulary.places.what(row).kind;
            for (number, value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                let value = logarithm(*value);
                let (n, sum, squares) = sums.entry((kind, number)).or_default();
                (*n, *sum, *squares) = (*n + 1, *sum + value, *squares + value * value);
            }
        }
    }
    sums.retain(|_, (n, ..)| *n >= MIN_NUMBERS);
    let counts = sums.iter().map(|(key, (n, ..))| (*key, *n)).collect();
    let measure = |(kind, number): (u32, usize)| {
        let (n, sum, squares) = sums[&(kind, number)];
        let mean = sum / n as f64;
        let deviation = (squares / n as f64 - mean * mean).max(0.0).sqrt() + 1e-3;
        Measure { kind, number, mean, deviation }
    };
    most_frequent(counts, options.max_measures).into_iter().map(measure).collect()
}

impl Measure {
    /// None where the event has no such number.
    #[expect(clippy::cast_possible_truncation, reason = "a number of a few deviations")]
    fn standardized(&self, value: f32) -> Option<f32> {
        let deviations = || (logarithm(value) - self.mean) / self.deviation;
        (!value.is_nan()).then(|| deviations().clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS) as f32)
    }
}

/// Of a number of any sign.
fn logarithm(value: f32) -> f64 {
    let value = f64::from(value);
    value.signum() * value.abs().ln_1p()
}

/// Whether an event at `now` makes a pair with the last one at `before`.
pub(super) fn is_pair(before: i64, now: i64, pair_secs: f64) -> bool {
    now.saturating_sub(before) as f64 <= pair_secs * NANOS_PER_SEC as f64
}

/// The most frequent in their own order.
fn most_frequent<T: Ord + Copy>(counts: BTreeMap<T, usize>, n: usize) -> Vec<T> {
    let mut items: Vec<(usize, T)> = counts.into_iter().map(|(item, count)| (count, item)).collect();
    items.sort_unstable_by_key(|&(count, item)| (Reverse(count), item));
    let mut items: Vec<T> = items.into_iter().take(n).map(|(_, item)| item).collect();
    items.sort_unstable();
    items
}
