//! What was before an event.

use chrono::{DateTime, TimeDelta, Utc};
use spaxiom_event::{Event, group_by_site};

use super::handle::{EmbeddingPipeline, table_of};
use crate::error::EmbeddingError;

/// Half-lives that the context of a query reaches back: after five of them 3 % of a count are left.
const CONTEXT_HALF_LIVES: f64 = 5.0;

/// The same without a memory: a window of any encoder.
const LEAST_CONTEXT_SECS: f64 = 6.0 * 3_600.0;

/// Stored events that the context of a query has at most.
pub(super) const MAX_CONTEXT: u32 = 50_000;

impl EmbeddingPipeline {
    /// What the store has of the site of an event up to its time: as far back as its vector reaches.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn stored_context(&self, event: &Event) -> Result<Vec<Event>, EmbeddingError> {
        let (from, to) = (event.time - self.reach(), event.time + TimeDelta::nanoseconds(1));
        let mut events = self.stored_between(event.site_id.as_str(), from, to, MAX_CONTEXT)?;
        events.retain(|other| other.id != event.id);
        Ok(events)
    }

    /// How far back what was before an event shows in its vector.
    pub(super) fn reach(&self) -> TimeDelta {
        let secs =
            self.vectors.memory().map_or(0.0, |memory| CONTEXT_HALF_LIVES * memory.options().longest_half_life_secs());
        #[expect(clippy::cast_possible_truncation, reason = "days are far below the greatest number of milliseconds")]
        TimeDelta::milliseconds((secs.max(LEAST_CONTEXT_SECS) * 1e3) as i64)
    }

    /// The vector of an event after others of its site; of a bare event where there are none.
    pub(super) fn vector_after(&self, event: &Event, context: &[Event]) -> Vec<f32> {
        let is_before =
            |other: &&Event| other.site_id == event.site_id && other.time <= event.time && other.id != event.id;
        let before: Vec<Event> = context.iter().filter(is_before).cloned().collect();
        if before.is_empty() {
            return self.vectors.of_bare(event);
        }
        // Sorting is stable: of equal times the event is the last.
        let sequence = group_by_site(before.into_iter().chain([event.clone()])).remove(0);
        let (table, rows) = table_of(&sequence);
        let tokens = self.tokenize(&sequence);
        let last = tokens.len() - 1;
        self.vectors.reader(&tokens, &table, &rows).read(last..last + 1)
    }

    /// Stored events of a site from a time to before another, the last `limit` of them.
    pub(super) fn stored_between(
        &self,
        site: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Event>, EmbeddingError> {
        let stored = self.store.metadata_between(site, nanos(from), nanos(to), limit)?;
        Ok(stored.iter().filter_map(|event| Event::from_json(event).ok()).collect())
    }
}

/// Nanoseconds since 1970.
pub(super) fn nanos(time: DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt().unwrap_or(i64::MAX)
}
