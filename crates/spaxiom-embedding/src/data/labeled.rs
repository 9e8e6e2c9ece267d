//! Labeled events.

use chrono::{DateTime, Utc};

/// A labeled event of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct LabeledEvent {
    /// The sequence, and so the site, within the split.
    pub sequence_idx: usize,
    /// The event within the sequence.
    pub event_idx: usize,
    /// Its class; from the number of classes on if its label was not seen in training.
    pub class: usize,
    /// Its episode; events of one episode are not independent.
    pub episode: u64,
    /// The time of the first event of its context.
    pub start: DateTime<Utc>,
    /// Its time.
    pub time: DateTime<Utc>,
}

impl LabeledEvent {
    /// Sequence and event within the split.
    #[must_use]
    pub fn place(&self) -> (usize, usize) {
        (self.sequence_idx, self.event_idx)
    }
}

/// At most `n` of the events, evenly spread.
pub(crate) fn spread(events: &[LabeledEvent], n: usize) -> Vec<LabeledEvent> {
    let len = events.len();
    (0..len.min(n)).map(|at| events[at * len / len.min(n)].clone()).collect()
}
