//! Which alerts are there?

use chrono::DateTime;
use spaxiom_stream::{Alert, AlertBook, AlertState};

use super::answers::{AlertRow, Alerts};
use super::asked::AlertsAsked;
use super::state::{Desk, local};
use crate::error::ServeError;

/// Alerts that are listed at most.
const MAX_ALERTS: usize = 100;

const STATES: [AlertState; 4] =
    [AlertState::Pending, AlertState::Firing, AlertState::Acknowledged, AlertState::Resolved];

impl Desk {
    /// Alerts of the stream that fills the store; none where no stream has alerts.
    ///
    /// # Errors
    /// [`ServeError::Asked`] for a state or a time that is none.
    pub fn alerts(&self, asked: &AlertsAsked) -> Result<Alerts, ServeError> {
        let AlertsAsked { state, since } = asked;
        let state = match state.as_str() {
            "" => None,
            name => Some(STATES.into_iter().find(|state| state.as_str() == name).ok_or_else(|| {
                ServeError::Asked(format!("`state` is pending, firing, acknowledged or resolved, not `{name}`"))
            })?),
        };
        let since = match since.as_str() {
            "" => None,
            text => Some(DateTime::parse_from_rfc3339(text).map_err(|_| {
                ServeError::Asked(format!("`since` wants a time such as 2025-01-20T10:00:00Z, not `{text}`"))
            })?),
        };
        let is_wanted = |alert: &&Alert| {
            self.knows(&alert.site)
                && state.is_none_or(|state| alert.state == state)
                && since.is_none_or(|since| alert.since >= since)
        };
        let book = self.book()?;
        let found: Vec<&Alert> = book.alerts().filter(is_wanted).collect();
        let alerts = self.rows_of(found.iter().take(MAX_ALERTS).copied())?;
        Ok(Alerts { total: found.len(), truncated: found.len() > MAX_ALERTS, alerts })
    }

    /// Alerts as they are shown.
    pub(crate) fn rows_of<'a>(&self, alerts: impl Iterator<Item = &'a Alert>) -> Result<Vec<AlertRow>, ServeError> {
        let zones = self.store().time_zones()?;
        let row = |alert: &Alert| AlertRow {
            id: alert.id.clone(),
            kind: alert.kind.as_str().to_owned(),
            state: alert.state.as_str().to_owned(),
            zone: alert.zone.clone().unwrap_or_default(),
            text: alert.text.clone(),
            since: local(zones.get(&alert.site), alert.since),
            event_id: alert.event_id.clone().unwrap_or_default(),
            outcome: alert.outcome.map(|outcome| outcome.as_str().to_owned()).unwrap_or_default(),
            site: alert.site.clone(),
        };
        Ok(alerts.map(row).collect())
    }

    /// All alerts.
    pub(crate) fn book(&self) -> Result<AlertBook, ServeError> {
        AlertBook::of_store(self.store()).map_err(|error| ServeError::Asked(error.to_string()))
    }

    /// Whether there is an alert of this id at a site that this desk answers about.
    pub(crate) fn knows_alert(&self, id: &str) -> Result<bool, ServeError> {
        Ok(self.book()?.alerts().any(|alert| alert.id == id && self.knows(&alert.site)))
    }
}
