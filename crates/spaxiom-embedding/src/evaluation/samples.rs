//! Labeled events of a split with their windows, and representations of all three splits.

use spaxiom_eval::{Part, Split};
use spaxiom_token::{TokenWindow, Tokenizer};

use super::features::Features;
use crate::data::{Dataset, LabeledEvent, PartData, spread};

/// Labeled events of one split with their windows.
pub(super) struct Samples {
    pub(super) data: PartData,
    pub(super) labeled: Vec<LabeledEvent>,
    max_len: usize,
}

impl Samples {
    pub(super) fn new(
        data: &Dataset,
        split: &Split,
        part: Part,
        tokenizer: &Tokenizer,
        classes: &[String],
        max_len: usize,
        limit: usize,
    ) -> Self {
        let part_data = data.part_data(split, part, tokenizer);
        let labeled = spread(&data.labeled(split, part, &part_data, classes, max_len), limit);
        Self { data: part_data, labeled, max_len }
    }

    pub(super) fn windows(&self) -> Vec<TokenWindow<'_>> {
        self.windows_of(&self.labeled)
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
