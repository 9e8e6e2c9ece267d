//! The classifier of a fall-risk run, for stored decisions and for streams.

use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_eval::Platt;
use spaxiom_token::{EntityMemory, Sites};

use super::head::{Head, HeadName};
use super::options::AlertTarget;
use super::rule::RiskRule;
use crate::error::EmbeddingError;
use crate::files;

/// The file of a run folder.
const FILE: &str = "risk.json";

/// The newest format of the file; this build reads this one and all before it.
const FORMAT: u32 = 1;

/// Judges the risk of an entity at its decision points.
#[derive(Debug, Clone, PartialEq)]
pub struct FallRiskClassifier {
    pub(super) rule: RiskRule,
    pub(super) memory: EntityMemory,
    pub(super) head: HeadName,
    pub(super) heads: Vec<Head>,
    pub(super) platt: Platt,
    pub(super) target: AlertTarget,
    /// The lowest probability at which there is an alert.
    pub(super) threshold: f64,
    /// Share of yes among the decisions that it learned from.
    pub(super) prevalence: f64,
    /// Labeled decisions at most; none where all were learned from.
    pub(super) max_labels: Option<usize>,
}

/// The artifact, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RiskFile {
    format: u32,
    rule: RiskRule,
    head: HeadName,
    target: AlertTarget,
    threshold: f64,
    prevalence: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_labels: Option<usize>,
    calibration: Platt,
    /// As [`EntityMemory::to_json`] gives it.
    memory: serde_json::Value,
    heads: Vec<Head>,
}

/// What is said at a decision point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RiskScore {
    /// The event at which it was decided.
    pub event_id: String,
    /// Its site.
    pub site: String,
    /// Whom it is about.
    pub entity: String,
    /// Probability of an outcome within the horizon, 0 to 1.
    pub probability: f64,
    /// Whether the probability is at or above the threshold.
    pub is_alert: bool,
    /// Whether heads that learned from other sites disagree about the alert: a person should look.
    pub is_unsure: bool,
}

impl FallRiskClassifier {
    /// Whether a run folder has a classifier.
    #[must_use]
    pub fn is_in(run: &Path) -> bool {
        run.join(FILE).exists()
    }

    /// Reads the classifier of a run folder.
    ///
    /// # Errors
    /// [`EmbeddingError::NoRisk`] for a run without one, [`EmbeddingError::Json`] for a file that is none,
    /// [`EmbeddingError::RunFormat`] for that of a newer build.
    pub fn open(run: &Path) -> Result<Self, EmbeddingError> {
        let path = run.join(FILE);
        if !Self::is_in(run) {
            return Err(EmbeddingError::NoRisk { path: run.to_owned() });
        }
        let RiskFile { format: _, rule, head, target, threshold, prevalence, max_labels, calibration, memory, heads } =
            files::read_json(&path, FORMAT)?;
        rule.check()?;
        let memory = EntityMemory::from_json(&memory.to_string())?;
        Ok(Self { rule, memory, head, heads, platt: calibration, target, threshold, prevalence, max_labels })
    }

    pub(super) fn save(&self, run: &Path) -> Result<(), EmbeddingError> {
        let Self { rule, memory, head, heads, platt: calibration, target, threshold, prevalence, max_labels } =
            self.clone();
        let memory = serde_json::from_str(&memory.to_json()).expect("a memory is written as JSON");
        let file = RiskFile {
            format: FORMAT,
            rule,
            head,
            target,
            threshold,
            prevalence,
            max_labels,
            calibration,
            memory,
            heads,
        };
        files::save_json(&run.join(FILE), &file)
    }

    /// When it is decided, and what an outcome is.
    #[must_use]
    pub fn rule(&self) -> &RiskRule {
        &self.rule
    }

    /// The lowest probability at which there is an alert.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The same for sites that training did not have: their clocks, and what their zones are for.
    #[must_use]
    pub fn with_sites(self, sites: &Sites) -> Self {
        Self { memory: self.memory.with_sites(sites), ..self }
    }

    /// Probability, and whether the heads disagree about the alert, of the scores of the heads.
    pub(super) fn judged(&self, scores: &[f64]) -> (f64, bool) {
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        let probability = self.platt.probability(mean);
        let n_alerts = scores.iter().filter(|score| self.platt.probability(**score) >= self.threshold).count();
        // Where a quarter of the heads or less is against the others they agree.
        let n_against = n_alerts.min(scores.len() - n_alerts);
        (probability, 4 * n_against > scores.len())
    }
}
