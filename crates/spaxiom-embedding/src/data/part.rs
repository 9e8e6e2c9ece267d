//! A split of a data set in memory: its events and their tokens.

use spaxiom_event::EventSequence;
use spaxiom_objective::Windows;
use spaxiom_token::{EventSpan, TokenSequence, TokenWindow, Tokenizer};

/// A split of a data set: its events, and their tokens.
#[derive(Debug)]
pub struct PartData {
    /// One per site.
    pub sequences: Vec<EventSequence>,
    /// One per site.
    pub tokens: Vec<TokenSequence>,
}

impl PartData {
    pub(crate) fn new(sequences: Vec<EventSequence>, tokenizer: &Tokenizer) -> Self {
        let tokens = sequences.iter().map(|sequence| tokenizer.tokenize(sequence)).collect();
        Self { sequences, tokens }
    }

    /// The context of an event, given by sequence and event.
    #[must_use]
    pub fn context(&self, (sequence_idx, event_idx): (usize, usize), max_len: usize) -> TokenWindow<'_> {
        self.tokens[sequence_idx].context(event_idx, max_len)
    }

    /// The windows of the split, with their events if `with_events`.
    pub(crate) fn windows(&self, max_len: usize, with_events: bool) -> Windows<'_> {
        let windows = Windows::new(&self.tokens, max_len);
        if with_events { windows.with_events(self.sequences.iter().map(EventSpan::whole).collect()) } else { windows }
    }
}
