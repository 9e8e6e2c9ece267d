//! Events of one content: they are as many as there are, and each has an id of its own.

use std::collections::HashMap;
use std::num::NonZeroU64;

use super::record::Record;
use crate::error::Rejected;
use crate::ids::EventId;

/// Contents that are remembered at least; twice as many at most.
const N_REMEMBERED: usize = 1 << 19;

/// Counts how often each content came, by the hash that derived ids are made of.
///
/// A content holds its time, so that events of one content follow closely on one another. The same file gives the same
/// numbers, however often and with however many threads it is read.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    recent: HashMap<NonZeroU64, u32>,
    older: HashMap<NonZeroU64, u32>,
    /// Whether what comes again is the same event.
    is_off: bool,
}

impl Repeats {
    /// Counts nothing.
    pub(super) fn off() -> Self {
        Self { is_off: true, ..Self::default() }
    }

    /// Gives those events other ids whose content came before.
    pub(super) fn number(&mut self, records: &mut [Result<Record, Rejected>]) {
        for record in records.iter_mut().flatten() {
            if let Some(hash) = record.derived_id {
                let number = self.count(hash);
                record.set_number(hash, number);
            }
        }
    }

    /// How often each content came before, or none where none did.
    pub(super) fn numbers(&mut self, hashes: &[NonZeroU64]) -> Option<Vec<u32>> {
        let numbers: Vec<u32> = hashes.iter().map(|hash| self.count(*hash)).collect();
        numbers.iter().any(|number| *number > 0).then_some(numbers)
    }

    fn count(&mut self, hash: NonZeroU64) -> u32 {
        if self.is_off {
            return 0;
        }
        if self.recent.len() >= N_REMEMBERED {
            self.older = std::mem::take(&mut self.recent);
        }
        let older = &self.older;
        let next = self.recent.entry(hash).or_insert_with(|| older.get(&hash).copied().unwrap_or(0));
        *next += 1;
        *next - 1
    }
}

impl Record {
    /// Gives an event with a derived id the number that `number` says.
    pub(super) fn numbered(mut self, number: impl FnOnce(NonZeroU64) -> u32) -> Self {
        if let Some(hash) = self.derived_id {
            let number = number(hash);
            self.set_number(hash, number);
        }
        self
    }

    fn set_number(&mut self, hash: NonZeroU64, number: u32) {
        if number > 0 {
            self.event.id = EventId::from(format!("{hash:016x}-{}", number + 1));
        }
    }
}
