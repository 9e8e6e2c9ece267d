//! Examples, and how an epoch of them is made.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use spaxiom_token::{TokenSequence, TokenWindow};

/// One window, with its class where the task has one.
#[derive(Debug, Clone, Copy)]
pub struct Example<'a> {
    /// The events.
    pub window: TokenWindow<'a>,
    /// The class.
    pub class: Option<usize>,
}

/// Gives the examples of one epoch in the order of training.
pub trait Examples {
    /// Everything random comes from `rng`, so that an epoch can be made again when a run is resumed.
    fn epoch(&self, rng: &mut ChaCha8Rng) -> Vec<Example<'_>>;
}

/// Consecutive windows over whole sequences, cut at another offset in every epoch.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a> {
    sequences: &'a [TokenSequence],
    max_len: usize,
}

impl<'a> Windows<'a> {
    /// Windows of at most `max_len` positions.
    #[must_use]
    pub fn new(sequences: &'a [TokenSequence], max_len: usize) -> Self {
        Self { sequences, max_len }
    }

    /// The windows without offset: every position once, in order, always the same.
    #[must_use]
    pub fn in_order(&self) -> Vec<Example<'a>> {
        self.sequences.iter().flat_map(|sequence| cut(sequence, 0, self.max_len)).collect()
    }
}

impl Examples for Windows<'_> {
    fn epoch(&self, rng: &mut ChaCha8Rng) -> Vec<Example<'_>> {
        let mut examples = Vec::new();
        for sequence in self.sequences {
            examples.extend(cut(sequence, rng.random_range(0..self.max_len), self.max_len));
        }
        examples.shuffle(rng);
        examples
    }
}

/// Windows that end at `offset`, `offset + max_len` and so on; every position is in exactly one.
fn cut(sequence: &TokenSequence, offset: usize, max_len: usize) -> impl Iterator<Item = Example<'_>> {
    let len = sequence.n_positions();
    let first_end = if offset == 0 { max_len } else { offset };
    let n_windows = if len == 0 { 0 } else { 1 + len.saturating_sub(first_end).div_ceil(max_len) };
    (0..n_windows).map(move |number| {
        let end = first_end + number * max_len;
        let window = sequence.window(end.saturating_sub(max_len).min(len), end.min(len));
        Example { window, class: None }
    })
}

/// Labelled windows; an epoch is a random part of them.
#[derive(Debug, Clone)]
pub struct Labelled<'a> {
    examples: Vec<Example<'a>>,
    per_epoch: usize,
}

impl<'a> Labelled<'a> {
    /// An epoch shows `per_epoch` of the examples, or all where there are fewer.
    #[must_use]
    pub fn new(examples: Vec<Example<'a>>, per_epoch: usize) -> Self {
        Self { examples, per_epoch }
    }
}

impl Examples for Labelled<'_> {
    fn epoch(&self, rng: &mut ChaCha8Rng) -> Vec<Example<'_>> {
        let mut examples = self.examples.clone();
        examples.shuffle(rng);
        examples.truncate(self.per_epoch);
        examples
    }
}
