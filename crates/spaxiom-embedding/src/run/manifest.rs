//! What a run was made from.

use serde::{Deserialize, Serialize};
use spaxiom_eval::Split;
use spaxiom_objective::Outcome;

/// The program that made a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Commit of its source, where it is known.
    pub commit: Option<String>,
}

/// What a run was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format of the run folder.
    pub format: u32,
    /// The program.
    pub provenance: Provenance,
    /// Hash of the events and labels.
    pub data: String,
    /// Which sites and days were for what.
    pub split: Split,
    /// SHA-256 of the weights that the run started from; none where it started from a seed.
    pub from: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The backend.
    pub backend: String,
    /// Fingerprint of the tokenizer.
    pub tokenizer: String,
    /// The classes of a classifier, in the order of its outputs; empty without one.
    pub classes: Vec<String>,
    /// SHA-256 of the weights; none before the run has ended.
    pub weights: Option<String>,
    /// SHA-256 of the principal components; none where vectors are whole.
    #[serde(default)]
    pub components: Option<String>,
    /// Fingerprint of the memory; none in runs of builds without one.
    #[serde(default)]
    pub memory: Option<String>,
    /// SHA-256 of the blocks of vectors; none before the run has ended.
    #[serde(default)]
    pub vector: Option<String>,
    /// How the run ended.
    pub outcome: Option<Outcome>,
    /// Steps done.
    pub steps: u64,
}

impl Manifest {
    /// The format that this build writes.
    pub const FORMAT: u32 = 5;

    /// The oldest format that this build reads.
    pub const OLDEST_FORMAT: u32 = 3;
}
