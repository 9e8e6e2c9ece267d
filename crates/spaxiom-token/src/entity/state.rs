//! What is remembered of one entity.

use serde::{Deserialize, Serialize};

use super::options::EntityMemoryOptions;
use crate::clock::{NANOS_PER_DAY, NANOS_PER_HOUR, secs_between};

/// What was longer ago says no more than what was so long ago; so does what never was.
pub(super) const LONGEST_SECS: f64 = 3.0 * 86_400.0;

/// A lag to something that never was: more than that of any time.
const NEVER: f64 = 20.0;

/// A token that came longer ago has no time of day any more.
const HOUR_REACH_SECS: f64 = 16.0 * 3_600.0;

/// What is remembered of one entity: to be saved, and gone on with later.
///
/// Its size depends on the vocabulary, and not on how many events there were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntityState {
    /// Nanoseconds since 1970 of the last events, the newest first.
    recent_ns: Vec<i64>,
    /// Place of the last event's type; none for one that training never saw.
    last_kind: Option<u32>,
    tokens: Vec<TokenState>,
    pairs: Vec<PairState>,
}

/// A token: when it came last, and its decayed counts at that moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TokenState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_ns: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    counts: Vec<f64>,
}

/// A pair of types that followed each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PairState {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Gap>,
    /// The shortest within reach of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shortest: Option<Gap>,
}

/// The gap between the two events of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Gap {
    secs: f64,
    /// Nanoseconds since 1970 of the second event.
    at_ns: i64,
}

/// An event by its places in the vocabulary; none for what training never saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) time_ns: i64,
    pub(super) kind: Option<u32>,
    pub(super) token: Option<usize>,
    /// The pair that it ends.
    pub(super) pair: Option<usize>,
}

impl PairState {
    fn with(self, gap: Gap, reach_secs: f64) -> Self {
        let is_within = |old: &Gap| secs_between(old.at_ns, gap.at_ns) <= reach_secs;
        let shortest = self.shortest.filter(|old| is_within(old) && old.secs < gap.secs);
        Self { last: Some(gap), shortest: Some(shortest.unwrap_or(gap)) }
    }
}

impl EntityState {
    pub(super) fn new(n_tokens: usize, n_pairs: usize) -> Self {
        Self {
            recent_ns: Vec::new(),
            last_kind: None,
            tokens: vec![TokenState::default(); n_tokens],
            pairs: vec![PairState::default(); n_pairs],
        }
    }

    /// Whether it has the shape of a vocabulary.
    pub(super) fn has_shape(&self, n_tokens: usize, n_pairs: usize, n_half_lives: usize) -> bool {
        let is_whole = |token: &TokenState| token.counts.len() == token.last_ns.map_or(0, |_| n_half_lives);
        self.tokens.len() == n_tokens && self.pairs.len() == n_pairs && self.tokens.iter().all(is_whole)
    }

    pub(super) fn last_kind(&self) -> Option<u32> {
        self.last_kind
    }

    /// Nanoseconds since 1970 of the last event; none before the first.
    #[must_use]
    pub fn last_ns(&self) -> Option<i64> {
        self.recent_ns.first().copied()
    }

    fn gap_to(&self, time_ns: i64) -> Option<Gap> {
        let before = self.recent_ns.first()?;
        Some(Gap { secs: secs_between(*before, time_ns).max(0.0), at_ns: time_ns })
    }

    pub(super) fn push(&mut self, options: &EntityMemoryOptions, event: Place) {
        let Place { time_ns, kind, token, pair } = event;
        if let (Some(pair), Some(gap)) = (pair, self.gap_to(time_ns)) {
            self.pairs[pair] = self.pairs[pair].with(gap, options.reach_secs);
        }
        if let Some(token) = token {
            let TokenState { last_ns, counts } = &mut self.tokens[token];
            counts.resize(options.half_lives_secs.len(), 0.0);
            let since = last_ns.map_or(0.0, |last| secs_between(last, time_ns));
            for (count, half_life) in counts.iter_mut().zip(&options.half_lives_secs) {
                *count = *count * (-since / half_life).exp2() + 1.0;
            }
            *last_ns = Some(time_ns);
        }
        self.recent_ns.insert(0, time_ns);
        self.recent_ns.truncate(options.n_recent.max(1));
        self.last_kind = kind;
    }

    /// Writes what was before an event, and the pair that it ends; `lagged` are the tokens that are compared with each other,
    /// `offset_ns` is what the site's clock is ahead of UTC.
    pub(super) fn read(
        &self,
        options: &EntityMemoryOptions,
        lagged: &[u32],
        event: Place,
        offset_ns: i64,
        mut add: impl FnMut(f64),
    ) {
        let now = event.time_ns;
        let since = |then: i64| secs_between(then, now).clamp(0.0, LONGEST_SECS);
        for TokenState { last_ns, counts } in &self.tokens {
            let secs = last_ns.map_or(LONGEST_SECS, since);
            add(secs.ln_1p());
            let hour = last_ns.filter(|_| secs < HOUR_REACH_SECS).map(|last| hour_of(last + offset_ns));
            add(hour.unwrap_or(f64::NAN));
            for (at, half_life) in options.half_lives_secs.iter().enumerate() {
                add(counts.get(at).map_or(0.0, |count| count * (-secs / half_life).exp2()).ln_1p());
            }
        }
        let own = event.pair.zip(self.gap_to(now));
        for (at, pair) in self.pairs.iter().enumerate() {
            let PairState { last, shortest } = match own {
                Some((own, gap)) if own == at => pair.with(gap, options.reach_secs),
                _ => *pair,
            };
            add(last.map_or(f64::NAN, |gap| gap.secs.ln_1p()));
            add(last.map_or(LONGEST_SECS, |gap| since(gap.at_ns)).ln_1p());
            let shortest = shortest.filter(|gap| since(gap.at_ns) <= options.reach_secs);
            add(shortest.map_or(f64::NAN, |gap| gap.secs.ln_1p()));
        }
        let last = |token: &u32| self.tokens[*token as usize].last_ns;
        for (at, first) in lagged.iter().enumerate() {
            for second in &lagged[..at] {
                add(lag(last(first), last(second)));
            }
        }
        for at in 0..options.n_recent {
            add(self.recent_ns.get(at).map_or(LONGEST_SECS, |then| since(*then)).ln_1p());
        }
    }
}

/// The logarithm of the seconds that `first` came after `second`, negative where it came before: order and pace in one number.
fn lag(first: Option<i64>, second: Option<i64>) -> f64 {
    match (first, second) {
        (Some(first), Some(second)) => {
            let secs = secs_between(second, first);
            secs.signum() * secs.abs().min(LONGEST_SECS).ln_1p()
        }
        (Some(_), None) => NEVER,
        (None, Some(_)) => -NEVER,
        (None, None) => 0.0,
    }
}

/// Hours of the day, 0 to 24.
pub(super) fn hour_of(local_ns: i64) -> f64 {
    local_ns.rem_euclid(NANOS_PER_DAY) as f64 / NANOS_PER_HOUR as f64
}
