//! Options of a risk.

use serde::{Deserialize, Serialize};
use spaxiom_token::EntityMemoryOptions;

use super::head::HeadName;
use super::rule::RiskRule;

/// What the scores are compared with: how a threshold follows from decisions of validation sites.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertTarget {
    /// This share of the outcomes is to be preceded by an alert, 0 to 1.
    Recall(f64),
    /// So many alerts in a ward (the outermost zone of a site) and a shift of 8 hours, on the mean.
    AlertsPerUnitShift(f64),
}

impl Default for AlertTarget {
    /// The recall of the seed's case study.
    fn default() -> Self {
        Self::Recall(0.74)
    }
}

/// Options of a risk.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskOptions {
    /// When it is decided, and what an outcome is.
    pub rule: RiskRule,
    /// What is remembered of an entity.
    pub memory: EntityMemoryOptions,
    /// What makes scores of it.
    pub head: HeadName,
    /// What the threshold is chosen for.
    pub target: AlertTarget,
    /// Labeled decisions at most, evenly over sites and time; all of them if unset.
    pub max_labels: Option<usize>,
    /// Seed of the heads.
    pub seed: u64,
}

impl Default for RiskOptions {
    fn default() -> Self {
        Self {
            rule: RiskRule::default(),
            memory: EntityMemoryOptions::default(),
            head: HeadName::Boosting,
            target: AlertTarget::default(),
            max_labels: None,
            seed: 0,
        }
    }
}
