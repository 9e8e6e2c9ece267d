//! What was understood of a text.

use std::ops::Range;

use serde::{Serialize, Serializer};
use spaxiom_index::Filter;

use super::lexer::{Word, negation};

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
    /// What has to hold, from these words on, which are marked as read; behind `not` or `except` what must not.
    pub(super) fn taken(text: &str, words: &mut [Word], places: Range<usize>, means: Filter) -> Self {
        let negation = negation(words, places.start);
        let places = negation.unwrap_or(places.start)..places.end;
        let means = if negation.is_some() { Filter::Not(Box::new(means)) } else { means };
        Self { words: marked(text, words, places), means, is_hard: true }
    }

    pub(super) fn hard(words: String, means: Filter) -> Self {
        Self { words, means, is_hard: true }
    }

    pub(super) fn soft(words: String, means: Filter) -> Self {
        Self { words, means, is_hard: false }
    }
}

/// Some words as they stand in the text, marked as read.
pub(super) fn marked(text: &str, words: &mut [Word], places: Range<usize>) -> String {
    for word in &mut words[places.clone()] {
        word.is_read = true;
    }
    text[words[places.start].at.start..words[places.end - 1].at.end].to_owned()
}

pub(super) fn as_text<S: Serializer>(filter: &Filter, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&filter.to_string())
}
