//! The map: a memory for every zone of a site, and what it says of all zones of a kind together.

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::clocks::{elapsed, secs_since};
use super::decayed::Decayed;
use super::functions::log_1p;
use super::vocabulary::Vocabulary;
use crate::special::NONE;

/// What is read out of a quantity over zones: the two greatest, the two least, mean and deviation
/// (after principal neighborhood aggregation; Corso, Cavalleri, Beaini, Liò and Veličković 2020).
pub(super) const N_STATISTICS: usize = 6;

/// A mean of so many numbers of a zone lies half way to 0, that of all zones.
const SHRINKAGE: f32 = 0.5;

/// What a zone is, for its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Zone {
    kind: u32,
    /// The first of its cells: one for each group of its kind.
    first_cell: usize,
}

/// The zones of a site: those of its site map, and those seen so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Zones {
    names: Vec<CompactString>,
    of_names: Vec<Zone>,
    counts: Decayed,
    /// Nanoseconds since 1970 of the last event of each cell.
    last: Vec<Option<i64>>,
    #[serde(skip)]
    places: FxHashMap<CompactString, u32>,
}

impl Zones {
    pub(super) fn new(n_half_lives: usize) -> Self {
        Self {
            names: Vec::new(),
            of_names: Vec::new(),
            counts: Decayed::new(0, n_half_lives),
            last: Vec::new(),
            places: FxHashMap::default(),
        }
    }

    /// Makes ready what is not in the file; fails where the file contradicts itself or the vocabulary.
    pub(super) fn restored(mut self, vocabulary: &Vocabulary, n_half_lives: usize) -> Option<Self> {
        let mut n_cells = 0;
        for zone in &self.of_names {
            if zone.first_cell != n_cells {
                return None;
            }
            n_cells += n_cells_of(vocabulary, zone.kind);
        }
        let fits = self.counts.has_shape(n_cells, n_half_lives) && self.last.len() == n_cells;
        self.places = self.names.iter().cloned().zip(0..).collect();
        (fits && self.names.len() == self.of_names.len() && self.places.len() == self.names.len()).then_some(self)
    }

    /// The place of a zone, a new one where it was never seen; none for one too many, and for kinds that nothing is read of.
    pub(super) fn place(&mut self, name: &str, kind: u32, vocabulary: &Vocabulary, max_zones: usize) -> Option<u32> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        let n_cells = n_cells_of(vocabulary, kind);
        if n_cells == 0 || self.of_names.len() >= max_zones {
            return None;
        }
        let place = u32::try_from(self.of_names.len()).expect("a site has few zones");
        self.of_names.push(Zone { kind, first_cell: self.last.len() });
        self.names.push(name.into());
        self.places.insert(name.into(), place);
        self.counts.grow(n_cells);
        self.last.resize(self.last.len() + n_cells, None);
        Some(place)
    }

    /// Counts an event of a group, by its rank, in a zone, with the measures that it has.
    pub(super) fn add(
        &mut self,
        place: u32,
        rank: usize,
        measured: impl Iterator<Item = (usize, f32)>,
        now: Now<'_>,
        vocabulary: &Vocabulary,
    ) {
        let Now { time_ns, half_lives_ns, weights } = now;
        let Zone { kind, first_cell } = self.of_names[place as usize];
        self.counts.weights(time_ns, half_lives_ns, weights);
        self.counts.add(first_cell + rank, weights);
        self.last[first_cell + rank] = Some(time_ns);
        let (first_measure, measures) = (first_cell + vocabulary.n_groups_of(kind), vocabulary.measures_of(kind));
        for (measure, number) in measured {
            let Some(at) = measures.iter().position(|own| *own == measure) else { continue };
            self.counts.add_number(first_measure + 2 * at, number, weights);
            self.counts.add(first_measure + 2 * at + 1, weights);
        }
    }

    /// Statistics of the time since the last event, of the counts and of the means of measures, of every group over its zones.
    ///
    /// Zones of a site map count from the beginning; a zone without a kind counts for what it has reported.
    pub(super) fn read(
        &self,
        vocabulary: &Vocabulary,
        now_ns: i64,
        half_lives_ns: &[f64],
        buffers: &mut Buffers,
        features: &mut [f32],
    ) {
        self.counts.scales(now_ns, half_lives_ns, &mut buffers.scales);
        let Buffers { scales, cells, numbers } = buffers;
        let mut features = features.chunks_exact_mut(N_STATISTICS);
        let mut next = || features.next().expect("a place for each quantity");
        for (kind, n_groups) in vocabulary.kinds() {
            let of_kind = || self.of_names.iter().filter(|zone| zone.kind == kind).map(|zone| zone.first_cell);
            for rank in 0..n_groups {
                cells.clear();
                cells.extend(
                    of_kind().map(|first| first + rank).filter(|cell| kind != NONE || self.last[*cell].is_some()),
                );
                numbers.clear();
                numbers.extend(cells.iter().map(|cell| secs_since(self.last[*cell], now_ns)));
                for secs in &mut *numbers {
                    *secs = elapsed(*secs);
                }
                write_statistics(numbers, elapsed(secs_since(None, now_ns)), next());
                for (half_life, scale) in scales.iter().enumerate() {
                    numbers.clear();
                    numbers.extend(cells.iter().map(|cell| self.counts.count(*cell, half_life) * scale));
                    for count in &mut *numbers {
                        *count = log_1p(*count);
                    }
                    write_statistics(numbers, 0.0, next());
                }
            }
            for at in 0..vocabulary.measures_of(kind).len() {
                cells.clear();
                cells.extend(of_kind().map(|first| first + n_groups + 2 * at));
                for (half_life, scale) in scales.iter().enumerate() {
                    numbers.clear();
                    let measured = cells.iter().filter(|cell| self.counts.count(**cell + 1, half_life) > 0.0);
                    numbers.extend(measured.map(|cell| self.counts.mean(*cell, half_life, *scale, SHRINKAGE)));
                    write_statistics(numbers, 0.0, next());
                }
            }
        }
    }
}

/// A cell for every group of a kind of zones, and two for every measure: the sum of its numbers, and how many.
fn n_cells_of(vocabulary: &Vocabulary, kind: u32) -> usize {
    vocabulary.n_groups_of(kind) + 2 * vocabulary.measures_of(kind).len()
}

/// The moment of an event, and room for what it counts.
pub(super) struct Now<'a> {
    pub(super) time_ns: i64,
    pub(super) half_lives_ns: &'a [f64],
    pub(super) weights: &'a mut Vec<f32>,
}

/// Room that is used again for every read-out.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffers {
    pub(super) scales: Vec<f32>,
    cells: Vec<usize>,
    numbers: Vec<f32>,
}

/// The two greatest, the two least, mean and deviation of some numbers, whatever their order is; `empty` for all but the
/// deviation of none.
#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
fn write_statistics(numbers: &[f32], empty: f32, features: &mut [f32]) {
    let Some(&first) = numbers.first() else {
        features.copy_from_slice(&[empty, empty, empty, empty, empty, 0.0]);
        return;
    };
    let (mut greatest, mut least) = ([first, f32::NEG_INFINITY], [first, f32::INFINITY]);
    for &number in &numbers[1..] {
        greatest = [greatest[0].max(number), greatest[1].max(greatest[0].min(number))];
        least = [least[0].min(number), least[1].min(least[0].max(number))];
    }
    if numbers.len() == 1 {
        (greatest, least) = ([first; 2], [first; 2]);
    }
    let n = numbers.len() as f64;
    let (sum, squares) = numbers.iter().fold((0.0, 0.0), |(sum, squares), &number| {
        let number = f64::from(number);
        (sum + number, squares + number * number)
    });
    let mean = sum / n;
    let deviation = (squares / n - mean * mean).max(0.0).sqrt();
    features.copy_from_slice(&[greatest[0], greatest[1], least[0], least[1], mean as f32, deviation as f32]);
}
