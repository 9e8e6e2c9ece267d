//! Words with ids, and slots for words that training never showed.

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use crate::special::{FIRST, UNK};

/// The words of a field in order, the first with the id [`FIRST`], and behind them slots for unknown words.
///
/// An unknown word falls into one of the slots by its hash, the same on every machine, so that two unknown zones
/// of a new site are mostly told apart. Without slots it is [`UNK`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WordsFile", into = "WordsFile")]
pub struct WordList {
    words: Vec<String>,
    unknown_slots: u32,
    ids: FxHashMap<CompactString, u32>,
}

/// A word list as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WordsFile {
    words: Vec<String>,
    /// Format 1 had none.
    #[serde(default)]
    unknown_slots: u32,
}

impl From<WordsFile> for WordList {
    fn from(file: WordsFile) -> Self {
        Self::new(file.words, file.unknown_slots)
    }
}

impl From<WordList> for WordsFile {
    fn from(list: WordList) -> Self {
        Self { words: list.words, unknown_slots: list.unknown_slots }
    }
}

impl WordList {
    /// A list of these words in this order, and so many slots.
    #[must_use]
    pub fn new(words: Vec<String>, unknown_slots: u32) -> Self {
        let ids = (FIRST..).zip(&words).map(|(id, word)| (word.into(), id)).collect();
        Self { words, unknown_slots, ids }
    }

    /// The words in order.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Slots for unknown words.
    #[must_use]
    pub fn n_slots(&self) -> u32 {
        self.unknown_slots
    }

    /// How many ids there are, special ones not included.
    #[must_use]
    pub fn n_own(&self) -> u32 {
        self.n_words() + self.unknown_slots
    }

    /// The id of a word.
    #[must_use]
    pub fn id(&self, word: &str) -> u32 {
        match self.ids.get(word) {
            Some(id) => *id,
            None if self.unknown_slots == 0 => UNK,
            None => FIRST + self.n_words() + slot(word, self.unknown_slots),
        }
    }

    /// Whether the id stands for words that training never showed.
    #[must_use]
    pub fn is_unknown(&self, id: u32) -> bool {
        id == UNK || id >= FIRST + self.n_words()
    }

    /// The word of an id without the special ones, `unknown_3` for a slot.
    #[must_use]
    pub fn describe(&self, own: u32) -> String {
        self.words.get(own as usize).cloned().unwrap_or_else(|| format!("unknown_{}", own - self.n_words()))
    }

    fn n_words(&self) -> u32 {
        u32::try_from(self.words.len()).expect("a vocabulary has fewer than 2^32 words")
    }
}

fn slot(word: &str, n_slots: u32) -> u32 {
    u32::try_from(xxh64(word.as_bytes(), 0) % u64::from(n_slots)).expect("a remainder of a u32 fits")
}
