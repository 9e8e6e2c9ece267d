//! Labeled events of a split with their windows, and representations of all three splits.

use spaxiom_eval::{Part, Split};
use spaxiom_token::{ClockedMemory, TokenWindow, Tokenizer};

use super::features::Features;
use crate::data::{Dataset, LabeledEvent, PartData, spread};

/// More than the stretches without a label in one part.
const PARTS_APART: u64 = 1 << 32;

/// Where labeled events and what is known of them come from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) data: &'a Dataset,
    pub(super) split: &'a Split,
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) memory: Option<&'a ClockedMemory>,
    pub(super) classes: &'a [String],
    /// The class of events without a label; none where they are left out.
    pub(super) other: Option<usize>,
    /// Of windows, in positions.
    pub(super) max_len: usize,
}

/// Labeled events of one split with their windows.
pub(super) struct Samples {
    pub(super) data: PartData,
    pub(super) labeled: Vec<LabeledEvent>,
    /// What a memory says at these events; empty without one.
    pub(super) remembered: Vec<f32>,
    max_len: usize,
}

impl Samples {
    /// At most `limit` of them, evenly spread.
    pub(super) fn new(source: &Source<'_>, part: Part, limit: usize) -> Self {
        let Source { data, split, tokenizer, memory, classes, other, max_len } = *source;
        let part_data = data.part_data(split, part, tokenizer);
        let mut labeled = data.labeled_or(other, split, part, &part_data, classes, max_len);
        // Stretches without a label are counted in each part anew.
        for event in labeled.iter_mut().filter(|event| Some(event.class) == other) {
            event.episode += PARTS_APART * part as u64;
        }
        let labeled = spread(&labeled, limit);
        let places: Vec<(usize, usize)> = labeled.iter().map(LabeledEvent::place).collect();
        let remembered = memory.map(|memory| data.remembered(memory, &part_data, &places)).unwrap_or_default();
        Self { data: part_data, labeled, remembered, max_len }
    }

    pub(super) fn windows(&self) -> Vec<TokenWindow<'_>> {
        self.windows_up_to(self.max_len)
    }

    /// Windows of at most so many positions.
    pub(super) fn windows_up_to(&self, max_len: usize) -> Vec<TokenWindow<'_>> {
        self.labeled.iter().map(|event| self.data.context(event.place(), max_len)).collect()
    }

    pub(super) fn windows_of(&self, labeled: &[LabeledEvent]) -> Vec<TokenWindow<'_>> {
        labeled.iter().map(|event| self.data.context(event.place(), self.max_len)).collect()
    }
}

/// One representation of all three splits.
pub(super) struct Representation {
    pub(super) train: Features,
    pub(super) validation: Features,
    pub(super) test: Features,
}

impl Representation {
    /// The columns of both beside each other.
    pub(super) fn beside(&self, other: &Self) -> Self {
        Self {
            train: self.train.beside(&other.train),
            validation: self.validation.beside(&other.validation),
            test: self.test.beside(&other.test),
        }
    }
}
