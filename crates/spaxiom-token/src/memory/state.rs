//! What a memory holds of one site.

use serde::{Deserialize, Serialize};

use super::clocks;
use super::decayed::Decayed;
use super::plan::Plan;
use super::vocabulary::is_pair;
use super::zones::{Buffers, Now, Zones};

/// The newest format of a state.
const FORMAT: u32 = 1;

/// A mean of so many numbers of a site lies half way to 0, the mean of training.
const SHRINKAGE: f32 = 1.0;

/// What a memory holds of one site: to be saved with what was made of it, and gone on with later.
///
/// Its size depends on the vocabulary and the zones of the site, and not on how many events there were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MemoryState {
    format: u32,
    /// Fingerprint of the memory that it belongs to.
    memory: String,
    n_events: i64,
    /// Nanoseconds since 1970 of the last event, and of the one before it.
    now: Option<i64>,
    before: Option<i64>,
    /// Of tokens, bins, and repeats within each number of seconds.
    counts: Decayed,
    /// Of tokens, by the number of events since.
    recent: Decayed,
    pairs: Decayed,
    /// Two cells for every measure: the sum of its numbers, and how many.
    means: Decayed,
    /// Nanoseconds since 1970 at which each token came last.
    last: Vec<Option<i64>>,
    pub(super) zones: Zones,
}

/// Room that is used again for every event.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    pub(super) weights: Vec<f32>,
    buffers: Buffers,
}

/// An event, as the memory takes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) time_ns: i64,
    /// Ids of the fields of the memory.
    pub(super) row: &'a [u32],
    /// Its numbers.
    pub(super) values: &'a [f32],
    pub(super) zone: Option<&'a str>,
}

impl MemoryState {
    pub(super) fn new(plan: &Plan) -> Self {
        let (vocabulary, clocks) = (&plan.vocabulary, &plan.clocks);
        let n_tokens = vocabulary.n_tokens();
        Self {
            format: FORMAT,
            memory: plan.fingerprint.clone(),
            n_events: 0,
            now: None,
            before: None,
            counts: Decayed::new(plan.n_counted(), clocks.half_lives_ns.len()),
            recent: Decayed::new(n_tokens, clocks.half_lives_events.len()),
            pairs: Decayed::new(vocabulary.n_pairs(), 1),
            means: Decayed::new(2 * vocabulary.n_measures(), clocks.zone_half_lives_ns.len()),
            last: vec![None; n_tokens],
            zones: Zones::new(clocks.zone_half_lives_ns.len()),
        }
    }

    /// Makes ready what is not in the file; none for a state of another memory or format.
    pub(super) fn restored(mut self, plan: &Plan) -> Option<Self> {
        let (vocabulary, clocks) = (&plan.vocabulary, &plan.clocks);
        let n_tokens = vocabulary.n_tokens();
        let fits = self.format == FORMAT
            && self.memory == plan.fingerprint
            && self.counts.has_shape(plan.n_counted(), clocks.half_lives_ns.len())
            && self.recent.has_shape(n_tokens, clocks.half_lives_events.len())
            && self.pairs.has_shape(vocabulary.n_pairs(), 1)
            && self.means.has_shape(2 * vocabulary.n_measures(), clocks.zone_half_lives_ns.len())
            && self.last.len() == n_tokens;
        self.zones = self.zones.restored(vocabulary, clocks.zone_half_lives_ns.len())?;
        fits.then_some(self)
    }

    /// Takes the next event in.
    pub(super) fn push(&mut self, plan: &Plan, moment: Moment<'_>, weights: &mut Vec<f32>) {
        let Plan { vocabulary, clocks, options, .. } = plan;
        let Moment { time_ns, row, values, zone } = moment;
        // An event that comes late counts as now: a memory does not go back.
        let now = self.now.map_or(time_ns, |now| now.max(time_ns));
        let observed = vocabulary.observe(row);
        let (token, n_tokens) = (observed.token, vocabulary.n_tokens());
        self.before = self.now.replace(now);
        self.n_events += 1;

        self.counts.weights(now, &clocks.half_lives_ns, weights);
        self.counts.add(token, weights);
        for bin in vocabulary.bins(row) {
            self.counts.add(n_tokens + bin, weights);
        }
        let since = self.last[token].map(|last| now.saturating_sub(last) as f64);
        let first_repeat = n_tokens + vocabulary.n_bins();
        for (at, within_ns) in clocks.repeats_ns.iter().enumerate() {
            if since.is_some_and(|since| since < *within_ns) {
                self.counts.add(first_repeat + at * n_tokens + token, weights);
            }
        }
        let pairs = vocabulary.pairs_to(token);
        if !pairs.is_empty() {
            self.pairs.weights(now, &clocks.pair_half_life_ns, weights);
            for &(first, pair) in pairs {
                if self.last[first].is_some_and(|before| is_pair(before, now, options.pair_secs)) {
                    self.pairs.add(pair, weights);
                }
            }
        }
        self.last[token] = Some(now);
        self.recent.weights(self.n_events, &clocks.half_lives_events, weights);
        self.recent.add(token, weights);
        let zone = zone.and_then(|zone| self.zones.place(zone, observed.zone_kind, vocabulary, options.max_zones));
        let measured = || vocabulary.measured(&observed, values);
        if let (Some(place), Some(rank)) = (zone, observed.rank) {
            let now = Now { time_ns: now, half_lives_ns: &clocks.zone_half_lives_ns, weights };
            self.zones.add(place, rank, measured(), now, vocabulary);
        }
        let mut measured = measured().peekable();
        if measured.peek().is_some() {
            self.means.weights(now, &clocks.zone_half_lives_ns, weights);
            for (measure, number) in measured {
                self.means.add_number(2 * measure, number, weights);
                self.means.add(2 * measure + 1, weights);
            }
        }
    }

    /// Writes the features of the present; `local_ns` is the time on the walls of the site.
    pub(super) fn read(&self, plan: &Plan, local_ns: i64, room: &mut Room, features: &mut [f32]) {
        let Plan { vocabulary, clocks, .. } = plan;
        let now = self.now.unwrap_or_default();
        let mut rest = features;
        let mut next = |n: usize| rest.split_off_mut(..n).expect("room for all features");
        let scales = &mut room.buffers.scales;
        self.counts.scales(now, &clocks.half_lives_ns, scales);
        self.counts.read(scales, next(plan.n_counted() * scales.len()));
        self.recent.scales(self.n_events, &clocks.half_lives_events, scales);
        self.recent.read(scales, next(vocabulary.n_tokens() * scales.len()));
        self.pairs.scales(now, &clocks.pair_half_life_ns, scales);
        self.pairs.read(scales, next(vocabulary.n_pairs()));
        let n_elapsed = 1 + clocks.elapsed_secs.len();
        for (features, last) in next(self.last.len() * n_elapsed).chunks_exact_mut(n_elapsed).zip(&self.last) {
            clocks::write_elapsed(*last, now, &clocks.elapsed_secs, features);
        }
        self.means.scales(now, &clocks.zone_half_lives_ns, scales);
        let means = next(vocabulary.n_measures() * scales.len());
        for (measure, means) in means.chunks_exact_mut(scales.len().max(1)).enumerate() {
            for (half_life, (mean, scale)) in means.iter_mut().zip(&*scales).enumerate() {
                *mean = self.means.mean(2 * measure, half_life, *scale, SHRINKAGE);
            }
        }
        let before = self.before.or(self.now);
        clocks::write_gap_and_hour(before.map_or(0, |before| now - before), local_ns, next(clocks::N_TIMES));
        self.zones.read(vocabulary, now, &clocks.zone_half_lives_ns, &mut room.buffers, rest);
    }
}
