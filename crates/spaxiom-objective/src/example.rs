//! Examples, and how an epoch of them is made.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use spaxiom_token::{EventSpan, TokenSequence, TokenWindow};

use crate::error::ObjectiveError;
use crate::observer::Flow;
use crate::timeline::{Moment, Timeline};

/// One window, with its class where the task has one.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// The events.
    pub window: TokenWindow<'a>,
    /// The class.
    pub class: Option<usize>,
    /// The same as events, for objectives that make views of them.
    pub events: Option<EventSpan<'a>>,
    /// The moment of its last event, for objectives that ask what came before and after.
    pub moment: Option<Moment<'a>>,
    /// So many of its first positions are there to be read: next-event prediction is not asked for them.
    pub n_context: usize,
}

impl<'a> Example<'a> {
    /// A window without a class and without its events.
    #[must_use]
    pub fn new(window: TokenWindow<'a>) -> Self {
        Self { window, class: None, events: None, moment: None, n_context: 0 }
    }

    /// A window of a class.
    #[must_use]
    pub fn of_class(window: TokenWindow<'a>, class: usize) -> Self {
        Self { class: Some(class), ..Self::new(window) }
    }
}

/// Is shown one part of an epoch after the other, and says whether to go on.
pub type Show<'s> = dyn FnMut(&[Example<'_>]) -> Result<Flow, ObjectiveError> + 's;

/// Gives the examples of one epoch.
pub trait Examples {
    /// Shows the epoch part by part, each as much as is in memory at a time, until `show` wants no more; gives its last answer.
    ///
    /// Everything random comes from `rng`, so that an epoch can be made again when a run is resumed.
    ///
    /// # Errors
    /// Those of `show`, and of reading.
    fn epoch(&self, rng: &mut ChaCha8Rng, show: &mut Show<'_>) -> Result<Flow, ObjectiveError>;
}

/// Consecutive windows over whole sequences, cut at another offset in every epoch; a sequence that fits into one window is never cut.
#[derive(Debug, Clone)]
pub struct Windows<'a> {
    sequences: &'a [TokenSequence],
    events: Vec<EventSpan<'a>>,
    timelines: &'a [Timeline],
    max_len: usize,
}

impl<'a> Windows<'a> {
    /// Windows of at most `max_len` positions.
    #[must_use]
    pub fn new(sequences: &'a [TokenSequence], max_len: usize) -> Self {
        Self { sequences, events: Vec::new(), timelines: &[], max_len }
    }

    /// The same windows with their events: for every sequence all of its events, of which each is one position.
    ///
    /// # Panics
    /// Where there are other sequences than those of the tokens: only a programmer can give them.
    #[must_use]
    pub fn with_events(self, events: Vec<EventSpan<'a>>) -> Self {
        assert_eq!(events.len(), self.sequences.len(), "every sequence has tokens");
        Self { events, ..self }
    }

    /// The same windows with their moments: for every sequence all of its events, of which each is one position.
    ///
    /// # Panics
    /// Where there are other sequences than those of the tokens: only a programmer can give them.
    #[must_use]
    pub fn with_moments(self, timelines: &'a [Timeline]) -> Self {
        assert_eq!(timelines.len(), self.sequences.len(), "every sequence has tokens");
        Self { timelines, ..self }
    }

    /// The windows without offset: every position once, in order, always the same.
    #[must_use]
    pub fn in_order(&self) -> Vec<Example<'a>> {
        (0..self.sequences.len()).flat_map(|at| self.cut(at, 0)).collect()
    }

    /// Windows in order that repeat the last `n_context` positions of the one before, so that those after them have a past to be predicted from.
    ///
    /// Every position is asked for once, but for the first of a sequence, which has no past.
    ///
    /// # Panics
    /// Where windows are not longer than that: only a programmer can ask for it.
    #[must_use]
    pub fn with_past(&self, n_context: usize) -> Vec<Example<'a>> {
        assert!(n_context < self.max_len, "a window of {} is longer than {n_context}", self.max_len);
        let step = self.max_len - n_context;
        let of_sequence = |(at, sequence): (usize, &'a TokenSequence)| {
            let (len, events) = (sequence.n_positions(), self.events.get(at).copied());
            (0..len.saturating_sub(n_context).div_ceil(step).max(1)).map(move |number| {
                let (start, end) = (number * step, (number * step + self.max_len).min(len));
                let n_context = if number == 0 { 1 } else { n_context };
                let events = events.map(|events| events.part(start..end));
                let moment = self.moment(at, end);
                Example { events, moment, n_context, ..Example::new(sequence.window(start, end)) }
            })
        };
        self.sequences
            .iter()
            .enumerate()
            .flat_map(of_sequence)
            .filter(|example| example.window.len() > example.n_context)
            .collect()
    }

    /// The moment of the last event before position `end`.
    fn moment(&self, sequence_idx: usize, end: usize) -> Option<Moment<'a>> {
        let timeline = self.timelines.get(sequence_idx)?;
        Some(timeline.moment(end.checked_sub(1)?))
    }

    /// Windows that end at `offset`, `offset + max_len` and so on; every position is in exactly one.
    fn cut(&self, sequence_idx: usize, offset: usize) -> impl Iterator<Item = Example<'a>> {
        let Self { sequences, events, timelines: _, max_len } = self;
        let (sequence, events, max_len) = (&sequences[sequence_idx], events.get(sequence_idx).copied(), *max_len);
        let len = sequence.n_positions();
        let first_end = if offset == 0 || len <= max_len { max_len } else { offset };
        let n_windows = if len == 0 { 0 } else { 1 + len.saturating_sub(first_end).div_ceil(max_len) };
        (0..n_windows).map(move |number| {
            let end = (first_end + number * max_len).min(len);
            let start = (first_end + number * max_len).saturating_sub(max_len).min(len);
            let events = events.map(|events| events.part(start..end));
            let moment = self.moment(sequence_idx, end);
            Example { events, moment, ..Example::new(sequence.window(start, end)) }
        })
    }
}

impl Examples for Windows<'_> {
    fn epoch(&self, rng: &mut ChaCha8Rng, show: &mut Show<'_>) -> Result<Flow, ObjectiveError> {
        let mut examples = Vec::new();
        for sequence_idx in 0..self.sequences.len() {
            examples.extend(self.cut(sequence_idx, rng.random_range(0..self.max_len)));
        }
        examples.shuffle(rng);
        show(&examples)
    }
}

/// Labeled windows; an epoch is a random part of them.
#[derive(Debug, Clone)]
pub struct Labeled<'a> {
    examples: Vec<Example<'a>>,
    per_epoch: usize,
}

impl<'a> Labeled<'a> {
    /// An epoch shows `per_epoch` of the examples, or all where there are fewer.
    #[must_use]
    pub fn new(examples: Vec<Example<'a>>, per_epoch: usize) -> Self {
        Self { examples, per_epoch }
    }
}

impl Examples for Labeled<'_> {
    fn epoch(&self, rng: &mut ChaCha8Rng, show: &mut Show<'_>) -> Result<Flow, ObjectiveError> {
        let mut examples = self.examples.clone();
        examples.shuffle(rng);
        examples.truncate(self.per_epoch);
        show(&examples)
    }
}

/// The same examples in the same order in every epoch; batches are of about one length all the same.
#[derive(Debug, Clone, Copy)]
pub struct InOrder<'a>(&'a [Example<'a>]);

impl<'a> InOrder<'a> {
    /// All of them, as they stand.
    #[must_use]
    pub fn new(examples: &'a [Example<'a>]) -> Self {
        Self(examples)
    }
}

impl Examples for InOrder<'_> {
    fn epoch(&self, _rng: &mut ChaCha8Rng, show: &mut Show<'_>) -> Result<Flow, ObjectiveError> {
        show(self.0)
    }
}
