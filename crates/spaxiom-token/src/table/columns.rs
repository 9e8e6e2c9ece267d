//! Columns of words, and of values that some rows have.

use std::collections::HashMap;

use compact_str::CompactString;
use rustc_hash::FxBuildHasher;

/// The values of an attribute, ascending by row.
#[derive(Debug, Clone, Default)]
pub(crate) struct AttributeColumn {
    pub(crate) numbers: Vec<(u32, f64)>,
    pub(crate) words: Words,
    pub(crate) word_codes: Vec<(u32, u32)>,
    /// Rows whose word was a flag.
    pub(super) flags: Vec<u32>,
}

/// Pairs of site and part and their codes, in order of their first appearance.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    codes: HashMap<(u32, u32), u32, FxBuildHasher>,
    pub(super) keys: Vec<(u32, u32)>,
}

/// Words and their codes, in order of their first appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    codes: HashMap<CompactString, u32, FxBuildHasher>,
    words: Vec<CompactString>,
}

impl Keys {
    pub(super) fn code(&mut self, key: (u32, u32)) -> u32 {
        *self.codes.entry(key).or_insert_with(|| {
            self.keys.push(key);
            u32::try_from(self.keys.len() - 1).expect("a table has fewer than 2^32 sequences")
        })
    }
}

impl AttributeColumn {
    /// Whether most of its values are numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        self.numbers.len() >= self.word_codes.len()
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.numbers.shrink_to_fit();
        self.word_codes.shrink_to_fit();
        self.flags.shrink_to_fit();
    }

    pub(crate) fn sorted_numbers(&self) -> Vec<f64> {
        let mut numbers: Vec<f64> = self.numbers.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        numbers
    }

    pub(super) fn append(&mut self, other: &Self, first: u32) {
        self.numbers.extend(other.numbers.iter().map(|&(row, number)| (first + row, number)));
        let codes = self.words.codes_of(&other.words);
        self.word_codes.extend(other.word_codes.iter().map(|&(row, code)| (first + row, codes[code as usize])));
        self.flags.extend(other.flags.iter().map(|row| first + row));
    }
}

impl Words {
    /// The code of a word, a new one where it was never seen.
    pub(crate) fn code(&mut self, word: &str) -> u32 {
        if let Some(code) = self.codes.get(word) {
            return *code;
        }
        let code = u32::try_from(self.words.len()).expect("a table has fewer than 2^32 words");
        self.codes.insert(word.into(), code);
        self.words.push(word.into());
        code
    }

    /// The codes here of another table's words, in order of their codes there.
    pub(super) fn codes_of(&mut self, other: &Self) -> Vec<u32> {
        other.words.iter().map(|word| self.code(word)).collect()
    }

    /// The place of each word, by its code, when all are sorted.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.words.len()];
        let mut order: Vec<usize> = (0..self.words.len()).collect();
        order.sort_unstable_by_key(|&code| &self.words[code]);
        for (rank, code) in (0u32..).zip(order) {
            ranks[code] = rank;
        }
        ranks
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The word of a code.
    pub(super) fn word(&self, code: u32) -> &str {
        &self.words[code as usize]
    }

    /// The words in order of their codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(CompactString::as_str)
    }
}

/// Steps that a [`Cursor`] takes one by one before it searches.
const NEAR: usize = 32;

/// Finds the entries of rows one after the other: at once where rows ascend, by a search where they go back.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a, T> {
    entries: &'a [(u32, T)],
    /// The first entry that no row has asked for, and its row; the greatest number behind the last one.
    next: usize,
    next_row: u32,
    /// The first row after all that were asked for.
    unasked: u32,
}

impl<'a, T> Cursor<'a, T> {
    /// Over entries that ascend by row.
    pub(crate) fn new(entries: &'a [(u32, T)]) -> Self {
        let mut cursor = Self { entries, next: 0, next_row: 0, unasked: 0 };
        cursor.go_to(0);
        cursor
    }

    /// The entry of a row.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most rows of most columns end in the first comparison")]
    pub(crate) fn get(&mut self, row: u32) -> Option<&'a T> {
        let goes_back = row < self.unasked;
        self.unasked = row.saturating_add(1);
        if row < self.next_row && !goes_back {
            return None;
        }
        self.found(row, goes_back)
    }

    fn found(&mut self, row: u32, goes_back: bool) -> Option<&'a T> {
        if goes_back {
            self.go_to(self.entries.partition_point(|(at, _)| *at < row));
        } else if self.next_row < row {
            let near = self.entries[self.next..].iter().take(NEAR);
            let mut next = self.next + near.take_while(|(at, _)| *at < row).count();
            if self.entries.get(next).is_some_and(|(at, _)| *at < row) {
                next += self.entries[next..].partition_point(|(at, _)| *at < row);
            }
            self.go_to(next);
        }
        let (_, value) = self.entries.get(self.next).filter(|(at, _)| *at == row)?;
        self.go_to(self.next + 1);
        Some(value)
    }

    fn go_to(&mut self, next: usize) {
        self.next = next;
        self.next_row = self.entries.get(next).map_or(u32::MAX, |(row, _)| *row);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Cursor;

    proptest! {
        #[test]
        fn a_cursor_finds_what_a_search_finds(
            entries in proptest::collection::btree_map(0u32..400, any::<u8>(), 0..300),
            rows in proptest::collection::vec(0u32..400, 0..200),
        ) {
            let sorted: Vec<(u32, u8)> = entries.iter().map(|(row, value)| (*row, *value)).collect();
            let mut cursor = Cursor::new(&sorted);
            for row in rows.iter().copied().chain(0..400) {
                prop_assert_eq!(cursor.get(row), entries.get(&row));
            }
        }
    }
}
