//! What a person may set about the memory.

use serde::{Deserialize, Serialize};

use crate::error::TokenError;

/// Half-lives of a memory for which none were chosen.
const HALF_LIVES_SECS: [f64; 4] = [120.0, 600.0, 1800.0, 7200.0];

/// What a person may set about the memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MemoryOptions {
    /// Half-lives of the counts of a site, in seconds, ascending; where none are given a run chooses them on its validation
    /// part, and a memory by itself has 2 minutes, 10, 30, and 2 hours.
    pub half_lives_secs: Vec<f64>,
    /// Half-lives of the counts of every zone, in seconds, ascending; where none are given all of the site's but the shortest.
    pub zone_half_lives_secs: Vec<f64>,
    /// What is left of a count after one more event of the site, from 0 to 1; 0.3, 0.7 and 0.9.
    pub decays_per_event: Vec<f64>,
    /// Scales in seconds on which the time since a token falls from 1 to 0; 1 minute, 10, and 1 hour.
    pub elapsed_secs: Vec<f64>,
    /// A token that comes again within so many seconds is a repeat; 10 and 180.
    pub repeats_secs: Vec<f64>,
    /// Seconds within which two tokens, one after the other, are a pair; 60.
    pub pair_secs: f64,
    /// Pairs that are counted, the most frequent first; 32.
    pub max_pairs: usize,
    /// Tokens that are remembered by name, the most frequent first; 128.
    pub max_tokens: usize,
    /// Slots that all other tokens share by their hash; 4.
    pub n_hashed: usize,
    /// Quantile bins of a numeric attribute, at most; 6.
    pub n_bins: usize,
    /// Numeric attributes of a type whose decayed means are remembered, the most frequent first; 16.
    pub max_measures: usize,
    /// Kinds of zone and types that are read out over the zones, the most frequent first; 48.
    pub max_groups: usize,
    /// Zones of a site that are remembered one by one; 1024.
    pub max_zones: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            half_lives_secs: Vec::new(),
            zone_half_lives_secs: Vec::new(),
            decays_per_event: vec![0.3, 0.7, 0.9],
            elapsed_secs: vec![60.0, 600.0, 3600.0],
            repeats_secs: vec![10.0, 180.0],
            pair_secs: 60.0,
            max_pairs: 32,
            max_tokens: 128,
            n_hashed: 4,
            n_bins: 6,
            max_measures: 16,
            max_groups: 48,
            max_zones: 1024,
        }
    }
}

impl MemoryOptions {
    /// The longest half-life in seconds; what an embargo between two parts has to outlast several times.
    #[must_use]
    pub fn longest_half_life_secs(&self) -> f64 {
        let Self { half_lives_secs, zone_half_lives_secs, .. } = self.resolved();
        half_lives_secs.into_iter().chain(zone_half_lives_secs).fold(0.0, f64::max)
    }

    /// The same with half-lives where none were given.
    #[must_use]
    pub fn resolved(&self) -> Self {
        let mut options = self.clone();
        if options.half_lives_secs.is_empty() {
            options.half_lives_secs = HALF_LIVES_SECS.to_vec();
        }
        if options.zone_half_lives_secs.is_empty() {
            options.zone_half_lives_secs = options.half_lives_secs[1..].to_vec();
        }
        options
    }

    /// Fails for a setting outside its range.
    pub(super) fn check(&self) -> Result<(), TokenError> {
        let Self {
            half_lives_secs,
            zone_half_lives_secs,
            decays_per_event,
            elapsed_secs,
            repeats_secs,
            pair_secs,
            max_pairs: _,
            max_tokens,
            n_hashed,
            n_bins,
            max_measures: _,
            max_groups: _,
            max_zones: _,
        } = self;
        let lists = [
            ("half-lives-secs", half_lives_secs),
            ("zone-half-lives-secs", zone_half_lives_secs),
            ("elapsed-secs", elapsed_secs),
            ("repeats-secs", repeats_secs),
        ];
        for (name, secs) in lists {
            let is_ascending = secs.windows(2).all(|two| two[0] < two[1]);
            if !is_ascending || secs.iter().any(|secs| !(secs.is_finite() && *secs > 0.0)) {
                return Err(TokenError::Setting { name, want: "ascending seconds above 0", got: format!("{secs:?}") });
            }
        }
        if decays_per_event.iter().any(|decay| !(*decay > 0.0 && *decay < 1.0)) {
            let got = format!("{decays_per_event:?}");
            return Err(TokenError::Setting { name: "decays-per-event", want: "between 0 and 1", got });
        }
        let rules = [
            ("pair-secs", "0 or more", pair_secs.is_finite() && *pair_secs >= 0.0, pair_secs.to_string()),
            ("max-tokens", "1 or more", *max_tokens >= 1, max_tokens.to_string()),
            ("n-hashed", "1 or more", *n_hashed >= 1, n_hashed.to_string()),
            ("n-bins", "2 or more", *n_bins >= 2, n_bins.to_string()),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, want, _, got)) => Err(TokenError::Setting { name, want, got }),
            None => Ok(()),
        }
    }
}
