//! What alerts turned out to be: labels to learn from, kept when the alerts themselves are long forgotten.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use spaxiom_embedding::{EmbeddingError, VectorStore};

use super::alert::{Alert, AlertKind, Outcome};
use crate::error::StreamError;

/// What names of outcomes in a store begin with.
const OUTCOME: &str = "outcome/";

/// What an alert turned out to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AlertOutcome {
    /// Id of the alert.
    pub alert_id: String,
    /// What it was about.
    pub kind: AlertKind,
    /// The site.
    pub site: String,
    /// Whom it was about, or the name of the trigger, or the sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The event that it fired at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Its score; greater is worse.
    pub score: f64,
    /// When it began.
    pub since: DateTime<Utc>,
    /// What it was, as the person found who looked.
    pub outcome: Outcome,
}

impl AlertOutcome {
    /// That of an alert, once somebody has said so.
    pub(crate) fn of(alert: &Alert) -> Option<Self> {
        let Alert { id, kind, site, subject, event_id, score, since, outcome, .. } = alert.clone();
        Some(Self { alert_id: id, kind, site, subject, event_id, score, since, outcome: outcome? })
    }

    /// How a store keeps it.
    pub(crate) fn to_kept(&self) -> (String, Vec<u8>) {
        let bytes = serde_json::to_vec(self).expect("an outcome is texts, times and a finite number");
        (format!("{OUTCOME}{}", self.alert_id), bytes)
    }

    /// Those of a store, in order of the ids of their alerts.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn of_store(store: &dyn VectorStore) -> Result<Vec<Self>, StreamError> {
        let kept = store.kept(OUTCOME).map_err(EmbeddingError::from)?;
        Ok(kept.values().filter_map(|bytes| serde_json::from_slice(bytes).ok()).collect())
    }
}
