//! Views of a window of events for contrastive learning: other events that mean the same (seed, "SimCLR-style contrastive learning").

use chrono::TimeDelta;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use spaxiom_event::{Event, EventSequence, group_by_site};

use crate::error::TokenError;
use crate::sequence::TokenSequence;
use crate::tokenizer::Tokenizer;

/// Options of views.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AugmentOptions {
    /// All events of a view are moved in time together by up to so many seconds, to either side; 30, as in the seed.
    pub shift_secs: f64,
    /// Every event by itself is moved by up to so many seconds; 0, since it changes the order of events that lie close.
    pub jitter_secs: f64,
    /// Share of the events that lose zone and position; 0.1, as in the seed.
    pub zone_dropout: f64,
    /// Share of the events that are left out; 0.05, as in the seed. The last one stays: a vector is that of an event.
    pub event_dropout: f64,
    /// Standard deviation in meters of what is added to x and y; 0.25, half of the finest cell.
    pub position_noise_m: f64,
    /// A view is at least this share of its window, ending with the same event; 0.5. 1 for whole windows.
    ///
    /// Slices of one history are what `CoLES` learns from (Babaev et al. 2022).
    pub least_slice: f64,
}

impl Default for AugmentOptions {
    fn default() -> Self {
        Self {
            shift_secs: 30.0,
            jitter_secs: 0.0,
            zone_dropout: 0.1,
            event_dropout: 0.05,
            position_noise_m: 0.25,
            least_slice: 0.5,
        }
    }
}

/// Some consecutive events of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct EventSpan<'a> {
    sequence: &'a EventSequence,
    start: usize,
    end: usize,
}

impl<'a> EventSpan<'a> {
    /// All events of a sequence, of which there is at least one.
    #[must_use]
    pub fn whole(sequence: &'a EventSequence) -> Self {
        Self { sequence, start: 0, end: sequence.events().len() }
    }

    /// Some of the events, counted from the first one of the span.
    ///
    /// # Panics
    /// Where the span has fewer events, or there would be none: only a programmer can ask for that.
    #[must_use]
    pub fn part(self, range: std::ops::Range<usize>) -> Self {
        let (start, end) = (self.start + range.start, self.start + range.end);
        assert!(start < end && end <= self.end, "events {range:?} of {}", self.end - self.start);
        Self { start, end, ..self }
    }

    /// The events.
    #[must_use]
    pub fn events(&self) -> &'a [Event] {
        &self.sequence.events()[self.start..self.end]
    }

    /// Whether both have an event in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        std::ptr::eq(self.sequence, other.sequence) && self.start < other.end && other.start < self.end
    }

    /// As many events that end with another event of the sequence: close in time, and of another type than the last one here.
    ///
    /// It is at most `reach` events away, the nearest ones as likely as the others; none where all have the type.
    #[must_use]
    pub fn unlike_neighbor(&self, reach: usize, rng: &mut impl Rng) -> Option<Self> {
        let (events, last) = (self.sequence.events(), self.end - 1);
        let near = last.saturating_sub(reach)..(last + reach + 1).min(events.len());
        let unlike: Vec<usize> = near.filter(|&other| events[other].kind != events[last].kind).collect();
        let other = *unlike.get(rng.random_range(0..unlike.len().max(1)))?;
        let len = self.end - self.start;
        Some(Self { sequence: self.sequence, start: (other + 1).saturating_sub(len), end: other + 1 })
    }
}

/// Makes views of windows; see [`AugmentOptions`].
#[derive(Debug, Clone)]
pub struct Augmenter {
    tokenizer: Tokenizer,
    options: AugmentOptions,
}

impl Augmenter {
    /// Checks the options.
    ///
    /// # Errors
    /// [`TokenError::Setting`] for a share outside 0 to 1, or a negative time or distance.
    pub fn new(tokenizer: Tokenizer, options: AugmentOptions) -> Result<Self, TokenError> {
        let AugmentOptions { shift_secs, jitter_secs, zone_dropout, event_dropout, position_noise_m, least_slice } =
            options;
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let is_extent = |extent: f64| (0.0..1e6).contains(&extent);
        let rules = [
            ("augment.shift-secs", "0 or more", is_extent(shift_secs), shift_secs),
            ("augment.jitter-secs", "0 or more", is_extent(jitter_secs), jitter_secs),
            ("augment.zone-dropout", "from 0 to 1", is_share(zone_dropout), zone_dropout),
            ("augment.event-dropout", "from 0 to 1", is_share(event_dropout), event_dropout),
            ("augment.position-noise-m", "0 or more", is_extent(position_noise_m), position_noise_m),
            ("augment.least-slice", "above 0 and at most 1", is_share(least_slice) && least_slice > 0.0, least_slice),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, want, _, got)) => Err(TokenError::Setting { name, want, got: got.to_string() }),
            None => Ok(Self { tokenizer, options }),
        }
    }

    /// The events of one view, in order of time.
    pub fn events(&self, span: EventSpan<'_>, rng: &mut impl Rng) -> EventSequence {
        let AugmentOptions { shift_secs, jitter_secs, event_dropout, least_slice, .. } = self.options;
        let events = span.events();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of events")]
        let least = ((events.len() as f64 * least_slice).ceil() as usize).max(1);
        let slice = &events[events.len() - rng.random_range(least..=events.len())..];
        let shift = secs_up_to(shift_secs, rng);
        let mut view = Vec::with_capacity(slice.len());
        for (at, event) in slice.iter().enumerate() {
            if at + 1 < slice.len() && rng.random_bool(event_dropout) {
                continue;
            }
            let mut event = event.clone();
            let by = shift + secs_up_to(jitter_secs, rng);
            event.time += by;
            event.end_time = event.end_time.map(|end| end + by);
            self.change_place(&mut event, rng);
            view.push(event);
        }
        let mut sequences = group_by_site(view);
        sequences.pop().expect("the last event is never left out")
    }

    fn change_place(&self, event: &mut Event, rng: &mut impl Rng) {
        let AugmentOptions { zone_dropout, position_noise_m, .. } = self.options;
        if rng.random_bool(zone_dropout) {
            event.zone = None;
            event.zone_path.clear();
            event.position = None;
        }
        if let Some(position) = &mut event.position {
            let mut noise = || {
                let noise: f64 = StandardNormal.sample(rng);
                noise * position_noise_m
            };
            position.x += noise();
            position.y += noise();
        }
    }

    /// The tokens of one view.
    pub fn view(&self, span: EventSpan<'_>, rng: &mut impl Rng) -> TokenSequence {
        self.tokenizer.tokenize(&self.events(span, rng))
    }

    /// The tokens of a span as it is.
    #[must_use]
    pub fn tokens(&self, span: EventSpan<'_>) -> TokenSequence {
        let sequence = group_by_site(span.events().iter().cloned()).pop().expect("a span has an event");
        self.tokenizer.tokenize(&sequence)
    }
}

fn secs_up_to(most: f64, rng: &mut impl Rng) -> TimeDelta {
    if most == 0.0 {
        return TimeDelta::zero();
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 1e15 nanoseconds")]
    let nanos = (rng.random_range(-most..=most) * 1e9) as i64;
    TimeDelta::nanoseconds(nanos)
}
