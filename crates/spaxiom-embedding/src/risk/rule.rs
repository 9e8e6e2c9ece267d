//! When it is decided, and what counts as an outcome.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spaxiom_event::{EntityId, Event, SiteId};

use crate::error::EmbeddingError;

/// When a risk is judged, and what it is a risk of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RiskRule {
    /// Types of events at the first of which it is decided; `SlowWalking`, `StandingStill` and `GaitInstability` (seed, "Case study").
    pub triggers: Vec<String>,
    /// Types after which the next trigger is decided again; `BedEntered`.
    pub resets: Vec<String>,
    /// Types of events that are an outcome, where no file says what came; `FallEvent`.
    pub outcomes: Vec<String>,
    /// Seconds within which an outcome counts; 600.
    pub horizon_secs: f64,
}

impl Default for RiskRule {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            triggers: owned(&["SlowWalking", "StandingStill", "GaitInstability"]),
            resets: owned(&["BedEntered"]),
            outcomes: owned(&["FallEvent"]),
            horizon_secs: 600.0,
        }
    }
}

impl RiskRule {
    /// Fails for a rule under which nothing is ever decided.
    pub(crate) fn check(&self) -> Result<(), EmbeddingError> {
        let Self { triggers, resets: _, outcomes: _, horizon_secs } = self;
        if triggers.is_empty() {
            return Err(EmbeddingError::Unfit { objective: "of the risk", want: "one type in `triggers` or more" });
        }
        if !(horizon_secs.is_finite() && *horizon_secs > 0.0) {
            return Err(EmbeddingError::Unfit { objective: "of the risk", want: "`horizon-secs` above 0" });
        }
        Ok(())
    }

    fn is_trigger(&self, event: &Event) -> bool {
        self.triggers.iter().any(|kind| kind == event.kind.as_str())
    }

    fn is_reset(&self, event: &Event) -> bool {
        self.resets.iter().any(|kind| kind == event.kind.as_str())
    }

    pub(crate) fn is_outcome(&self, event: &Event) -> bool {
        self.outcomes.iter().any(|kind| kind == event.kind.as_str())
    }
}

/// Watches entities for the moments at which it is decided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    /// Entities about which it was decided since their last reset.
    decided: BTreeSet<(SiteId, EntityId)>,
}

impl Watch {
    /// Whether it is decided at this event: the first trigger of its entity since the last reset.
    pub(crate) fn is_decision(&mut self, rule: &RiskRule, event: &Event) -> bool {
        let Some(entity) = &event.entity_id else { return false };
        let key = (event.site_id.clone(), entity.clone());
        if rule.is_reset(event) {
            self.decided.remove(&key);
            return false;
        }
        rule.is_trigger(event) && self.decided.insert(key)
    }

    /// Whether it was decided about an entity since its last reset.
    pub(super) fn has_decided(&self, key: &(SiteId, EntityId)) -> bool {
        self.decided.contains(key)
    }

    /// The same as it was kept.
    pub(super) fn set_decided(&mut self, key: (SiteId, EntityId), is_decided: bool) {
        if is_decided {
            self.decided.insert(key);
        } else {
            self.decided.remove(&key);
        }
    }
}
