//! Which half-lives a memory has: those that tell most of the next hour of the validation part.
//!
//! A long half-life tells the causes of buildings with months of events, and names the day of a home with a week of them.

use spaxiom_eval::{Part, RegressionRows, Split, explained_variance};
use spaxiom_token::{ClockedMemory, EventTable, MemoryOptions, SequenceRows, TokenizerFit};

use crate::error::EmbeddingError;

/// What is chosen from, in seconds; of equally good ones the first.
const CANDIDATES: [&[f64]; 3] = [&[120.0, 600.0, 1800.0, 7200.0], &[20.0, 120.0, 600.0, 1800.0], &[20.0, 120.0, 600.0]];

/// Moments of the training and of the validation part, evenly spread.
const N_TRAIN: usize = 6_000;
const N_VALIDATION: usize = 3_000;

/// What is to be told: how often each token comes within so many nanoseconds.
const HORIZON_NS: i64 = 3_600_000_000_000;

/// Tokens that count.
const MAX_TOKENS: usize = 64;

/// Penalty of the regression.
const PENALTY: f64 = 1e-2;

const NANOS_PER_SEC: i64 = 1_000_000_000;

/// The half-lives by which a linear function of the counts tells most; the first ones where there is nothing to compare.
///
/// # Errors
/// A training part that gives no memory.
pub(super) fn choose(
    (table, sequences): (&EventTable, &[SequenceRows]),
    fit: &TokenizerFit,
    split: &Split,
) -> Result<Vec<f64>, EmbeddingError> {
    let places = |part| -> Vec<Vec<usize>> { sequences.iter().map(|site| places(table, site, split, part)).collect() };
    let (train, validation) = (places(Part::Train), places(Part::Validation));
    let of_sites = sequences.iter().zip(&train);
    let train_table = table.select(of_sites.flat_map(|(site, places)| places.iter().map(|&place| site.rows[place])));
    let [train, validation] = [(train, N_TRAIN), (validation, N_VALIDATION)].map(|(places, n)| spread(&places, n));
    let mut best: Option<(f64, &[f64])> = None;
    for half_lives in CANDIDATES {
        let options = MemoryOptions {
            half_lives_secs: half_lives.to_vec(),
            decays_per_event: Vec::new(),
            elapsed_secs: Vec::new(),
            repeats_secs: Vec::new(),
            max_pairs: 0,
            max_measures: 0,
            max_groups: 0,
            max_tokens: MAX_TOKENS,
            ..MemoryOptions::default()
        };
        let memory = ClockedMemory::fit(&options, fit, &train_table)?;
        let [train, validation] = [&train, &validation].map(|places| rows(table, sequences, &memory, places));
        let share = explained_variance(train.borrowed(), validation.borrowed(), train.shape, PENALTY);
        if share.is_finite() && best.is_none_or(|(best, _)| share > best) {
            best = Some((share, half_lives));
        }
    }
    Ok(best.map_or(CANDIDATES[0], |(_, half_lives)| half_lives).to_vec())
}

/// The places of a part among the rows of a site.
fn places(table: &EventTable, site: &SequenceRows, split: &Split, part: Part) -> Vec<usize> {
    let secs = |row: u32| table.time_ns(row).div_euclid(NANOS_PER_SEC);
    let is_wanted = |(_, row): &(usize, &u32)| split.part(site.site_id.as_str(), secs(**row)) == Some(part);
    site.rows.iter().enumerate().filter(is_wanted).map(|(place, _)| place).collect()
}

/// About `n` of the places of all sites.
fn spread(places: &[Vec<usize>], n: usize) -> Vec<Vec<usize>> {
    let step = places.iter().map(Vec::len).sum::<usize>().div_ceil(n).max(1);
    places.iter().map(|places| places.iter().copied().step_by(step).collect()).collect()
}

/// Features and targets of some moments.
struct Rows {
    features: Vec<f32>,
    targets: Vec<f32>,
    shape: [usize; 2],
}

impl Rows {
    fn borrowed(&self) -> RegressionRows<'_> {
        RegressionRows { features: &self.features, targets: &self.targets }
    }
}

/// What the memory says at some places, and logarithms of how often each token comes in the next hour.
fn rows(table: &EventTable, sequences: &[SequenceRows], memory: &ClockedMemory, places: &[Vec<usize>]) -> Rows {
    let shape = [memory.n_features(), memory.n_tokens()];
    let mut rows = Rows { features: Vec::new(), targets: Vec::new(), shape };
    for (site, places) in sequences.iter().zip(places).filter(|(_, places)| !places.is_empty()) {
        rows.features.extend(memory.read_rows(table, site, places));
        let tokens = memory.tokens(table, site);
        for &place in places {
            rows.targets.extend(next_hour(table, site, &tokens, place, memory.n_tokens()));
        }
    }
    rows
}

fn next_hour(table: &EventTable, site: &SequenceRows, tokens: &[usize], place: usize, n: usize) -> Vec<f32> {
    let end = table.time_ns(site.rows[place]).saturating_add(HORIZON_NS);
    let mut counts = vec![0f32; n];
    let next = site.rows[place + 1..].iter().zip(&tokens[place + 1..]);
    for (_, &token) in next.take_while(|(row, _)| table.time_ns(**row) <= end) {
        counts[token] += 1.0;
    }
    counts.into_iter().map(f32::ln_1p).collect()
}
