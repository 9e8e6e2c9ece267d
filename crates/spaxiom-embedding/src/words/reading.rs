//! What was understood of a text.

use serde::{Serialize, Serializer};
use spaxiom_index::Filter;

/// Some words and what they were understood to mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// As they stand in the text.
    pub words: String,
    /// What they mean, as `--where` takes it.
    #[serde(serialize_with = "as_text")]
    pub means: Filter,
    /// Whether nothing else is found; otherwise hits that pass are preferred.
    pub is_hard: bool,
}

/// A word that names nothing, with names that look like it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The word.
    pub word: String,
    /// Did you mean one of these?
    pub like: Vec<String>,
}

impl Reading {
    pub(super) fn hard(words: String, means: Filter) -> Self {
        Self { words, means, is_hard: true }
    }

    pub(super) fn soft(words: String, means: Filter) -> Self {
        Self { words, means, is_hard: false }
    }
}

pub(super) fn as_text<S: Serializer>(filter: &Filter, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&filter.to_string())
}
