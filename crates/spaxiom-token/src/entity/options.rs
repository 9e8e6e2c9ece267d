//! Options of an entity memory.

use serde::{Deserialize, Serialize};

use crate::error::TokenError;

/// Options of an entity memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EntityMemoryOptions {
    /// Half-lives of the counts in seconds, ascending; 1 minute, 10, 1 hour, and 8.
    pub half_lives_secs: Vec<f64>,
    /// How long the shortest gap of a pair is kept, in seconds; 8 hours.
    pub reach_secs: f64,
    /// Tokens (a type in a kind of zone), the most frequent first; 64.
    pub max_tokens: usize,
    /// Pairs of types that follow each other, the most frequent first; 128.
    pub max_pairs: usize,
    /// Tokens of which any two are compared by when they came last, the most frequent first; 28.
    pub max_lag_tokens: usize,
    /// Numeric attributes of the event itself, the most frequent first; 16.
    pub max_numbers: usize,
    /// Words of attributes of the event itself, the most frequent first; 32.
    pub max_words: usize,
    /// Events before this one whose age is kept; 4.
    pub n_recent: usize,
}

impl Default for EntityMemoryOptions {
    fn default() -> Self {
        Self {
            half_lives_secs: vec![60.0, 600.0, 3_600.0, 28_800.0],
            reach_secs: 28_800.0,
            max_tokens: 64,
            max_pairs: 128,
            max_lag_tokens: 28,
            max_numbers: 16,
            max_words: 32,
            n_recent: 4,
        }
    }
}

impl EntityMemoryOptions {
    /// Fails for an option outside its range.
    pub(super) fn check(&self) -> Result<(), TokenError> {
        let Self {
            half_lives_secs,
            reach_secs,
            max_tokens,
            max_pairs: _,
            max_lag_tokens: _,
            max_numbers: _,
            max_words: _,
            n_recent: _,
        } = self;
        let is_ascending = half_lives_secs.windows(2).all(|two| two[0] < two[1]);
        if !is_ascending || half_lives_secs.iter().any(|secs| !(secs.is_finite() && *secs > 0.0)) {
            let (want, got) = ("ascending seconds above 0", format!("{half_lives_secs:?}"));
            return Err(TokenError::Setting { name: "half-lives-secs", want, got });
        }
        if !(reach_secs.is_finite() && *reach_secs > 0.0) {
            return Err(TokenError::Setting {
                name: "reach-secs",
                want: "seconds above 0",
                got: reach_secs.to_string(),
            });
        }
        if *max_tokens == 0 {
            return Err(TokenError::Setting { name: "max-tokens", want: "1 or more", got: "0".into() });
        }
        Ok(())
    }
}
