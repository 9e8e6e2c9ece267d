//! What did people say of hits?

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use spaxiom_stream::AlertOutcome;

use super::answers::{LabelRow, Labels};
use super::asked::{LabelAsked, Verdict};
use super::state::Desk;
use crate::error::ServeError;

/// What names of labels in the store begin with.
const LABEL: &str = "label/";

/// Between the two ids of a name; no id has it.
const BETWEEN: char = '\u{1f}';

/// Labels that are listed at most.
const MAX_LABELS: usize = 10_000;

impl Desk {
    /// Keeps what somebody says of a hit: whether it was really like what was asked for. Written into the store at once.
    ///
    /// # Errors
    /// An event that is not there, a store that cannot be written.
    pub(crate) fn label(&self, asked: &LabelAsked, by: &str) -> Result<LabelRow, ServeError> {
        let LabelAsked { event_id, hit_id, verdict } = asked;
        self.record(event_id)?;
        self.record(hit_id)?;
        let row = LabelRow {
            event_id: event_id.clone(),
            hit_id: hit_id.clone(),
            verdict: *verdict,
            by: by.to_owned(),
            time: self.now().to_rfc3339_opts(SecondsFormat::Secs, true),
        };
        let kept = match verdict {
            Verdict::None => Vec::new(),
            _ => serde_json::to_vec(&row).expect("a label is texts"),
        };
        let name = format!("{LABEL}{event_id}{BETWEEN}{hit_id}");
        self.store().commit(Vec::new(), &BTreeMap::from([(name, kept)]))?;
        Ok(row)
    }

    /// What people said: of alerts, what they turned out to be, and of hits: pairs of moments that a person found alike, and pairs that the vectors found alike and a person did not.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn labels(&self) -> Result<Labels, ServeError> {
        let kept = self.store().kept(LABEL)?;
        let rows = kept.values().filter_map(|bytes| serde_json::from_slice::<LabelRow>(bytes).ok());
        let mut labels = Vec::new();
        for row in rows {
            // Somebody who may know of some sites alone reads the labels of those.
            if !self.is_limited() || (self.record(&row.event_id).is_ok() && self.record(&row.hit_id).is_ok()) {
                labels.push(row);
            }
        }
        let total = labels.len();
        labels.truncate(MAX_LABELS);
        let outcomes = AlertOutcome::of_store(self.store())?;
        let outcomes = outcomes.into_iter().filter(|outcome| self.knows(&outcome.site)).collect();
        Ok(Labels { total, truncated: total > labels.len(), labels, outcomes })
    }
}
