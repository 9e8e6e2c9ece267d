//! Why a hit was found, and what came of it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use spaxiom_event::{Attrs, Event};
use spaxiom_index::normalize;

use super::context::nanos;
use super::handle::EmbeddingPipeline;
use crate::error::EmbeddingError;

/// How far back contexts are laid beside each other, and how far on is looked for what followed.
const MINUTES: i64 = 30;

/// Events of each context that are laid beside each other, the last ones.
const N_ALIGNED: usize = 24;

/// Events after a hit that are counted, at most.
const MAX_FOLLOWING: u32 = 10_000;

/// Why two moments are alike, and what followed the second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Events that both moments have in the same order, up to 30 minutes back.
    pub aligned: Vec<Aligned>,
    /// What the similarity loses when a part of the query is hidden, the greatest loss first.
    pub hidden: Vec<Hidden>,
    /// What followed the hit at its site within 30 minutes.
    pub followed: Followed,
}

/// An event of the query's moment and one of the hit's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Aligned {
    /// The type of both.
    #[serde(rename = "type")]
    pub kind: String,
    /// The zone in the query's moment.
    pub zone: Option<String>,
    /// The zone in the hit's.
    pub hit_zone: Option<String>,
    /// Seconds before the query.
    pub secs_before: f64,
    /// Seconds before the hit.
    pub hit_secs_before: f64,
}

/// A part of the query, and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hidden {
    /// `zones`, `attributes`, `positions`, `the hour` or `what was before`.
    pub part: &'static str,
    /// Similarity with it minus that without it.
    pub loss: f32,
}

/// What followed a moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Followed {
    /// Number of events.
    pub n_events: usize,
    /// Number by type, the most frequent first.
    pub types: Vec<(String, usize)>,
}

/// An event with what was before it, to be compared with hits.
#[derive(Debug, Clone)]
pub struct Explained {
    event: Event,
    context: Vec<Event>,
    /// The query, and the query without a part.
    vectors: Vec<(&'static str, Vec<f32>)>,
    whole: Vec<f32>,
}

impl EmbeddingPipeline {
    /// Prepares an event after others of its site to be compared with hits part by part.
    #[must_use]
    pub fn explained(&self, event: &Event, context: &[Event]) -> Explained {
        let unit = |mut vector: Vec<f32>| {
            normalize(&mut vector, self.vectors.dim());
            vector
        };
        let without = |hide: fn(&mut Event)| {
            let hidden = |event: &Event| {
                let mut event = event.clone();
                hide(&mut event);
                event
            };
            let context: Vec<Event> = context.iter().map(hidden).collect();
            unit(self.vector_after(&hidden(event), &context))
        };
        let mut vectors = vec![
            ("zones", without(|event| (event.zone, event.zone_path) = (None, Vec::new()))),
            ("attributes", without(|event| event.attrs = Attrs::new())),
            ("positions", without(|event| event.position = None)),
            ("the hour", without(|event| event.time -= TimeDelta::hours(12))),
        ];
        if !context.is_empty() {
            vectors.push(("what was before", unit(self.vectors.of_bare(event))));
        }
        let whole = unit(self.vector_after(event, context));
        let first = context.len().saturating_sub(N_ALIGNED);
        Explained { event: event.clone(), context: context[first..].to_vec(), vectors, whole }
    }

    /// The same for a stored event.
    ///
    /// # Errors
    /// [`EmbeddingError::NoSuchEvent`] where the store has no such event.
    pub fn explained_id(&self, id: &str) -> Result<Explained, EmbeddingError> {
        let record = self.store.get(id)?.ok_or_else(|| EmbeddingError::NoSuchEvent { id: id.into() })?;
        let event = stored_event(&record.id, &record.metadata)?;
        Ok(self.explained(&event, &self.stored_context(&event)?))
    }

    /// Why a stored event of a site is like a query, and what followed it.
    ///
    /// # Errors
    /// [`EmbeddingError::NoSuchEvent`] where the store has no such event.
    pub fn evidence(&self, query: &Explained, site: &str, id: &str) -> Result<Evidence, EmbeddingError> {
        let record = self.store.get_at(site, id)?.ok_or_else(|| EmbeddingError::NoSuchEvent { id: id.into() })?;
        let hit = stored_event(&record.id, &record.metadata)?;
        let similarity =
            |vector: &[f32]| -> f32 { vector.iter().zip(&record.vector).map(|(a, b): (&f32, &f32)| a * b).sum() };
        let whole = similarity(&query.whole);
        let mut hidden: Vec<Hidden> =
            query.vectors.iter().map(|(part, vector)| Hidden { part, loss: whole - similarity(vector) }).collect();
        hidden.sort_by(|a, b| b.loss.total_cmp(&a.loss));
        let span = TimeDelta::minutes(MINUTES);
        let limit = u32::try_from(N_ALIGNED).expect("a few events");
        let mut before = self.stored_between(site, hit.time - span, hit.time + TimeDelta::nanoseconds(1), limit)?;
        before.retain(|other| other.id != hit.id);
        before.push(hit.clone());
        let mut own: Vec<Event> =
            query.context.iter().filter(|other| query.event.time - other.time <= span).cloned().collect();
        own.push(query.event.clone());
        let aligned = aligned(&own, query.event.time, &before, hit.time);
        let followed = self.followed(site, hit.time)?;
        Ok(Evidence { aligned, hidden, followed })
    }

    /// What followed a time at a site within 30 minutes.
    fn followed(&self, site: &str, time: DateTime<Utc>) -> Result<Followed, EmbeddingError> {
        let (from, to) = (nanos(time) + 1, nanos(time + TimeDelta::minutes(MINUTES)));
        let mut types: BTreeMap<String, usize> = BTreeMap::new();
        let events = self.store.metadata_between(site, from, to, MAX_FOLLOWING)?;
        for event in events.iter().filter_map(|event| Event::from_json(event).ok()) {
            *types.entry(event.kind.to_string()).or_default() += 1;
        }
        let mut types: Vec<(String, usize)> = types.into_iter().collect();
        types.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(Followed { n_events: events.len(), types })
    }
}

/// The longest common subsequence of types, in which equal zones count double.
fn aligned(a: &[Event], a_end: DateTime<Utc>, b: &[Event], b_end: DateTime<Utc>) -> Vec<Aligned> {
    let weight = |a: &Event, b: &Event| match a.kind == b.kind {
        false => 0,
        true if a.zone == b.zone => 2,
        true => 1,
    };
    // best[i][j]: of a[i..] and b[j..].
    let mut best = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            let both = match weight(&a[i], &b[j]) {
                0 => 0,
                weight => weight + best[i + 1][j + 1],
            };
            best[i][j] = both.max(best[i + 1][j]).max(best[i][j + 1]);
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        let weight = weight(&a[i], &b[j]);
        if weight > 0 && best[i][j] == weight + best[i + 1][j + 1] {
            pairs.push(Aligned {
                kind: a[i].kind.to_string(),
                zone: a[i].zone.as_ref().map(ToString::to_string),
                hit_zone: b[j].zone.as_ref().map(ToString::to_string),
                secs_before: secs(a_end - a[i].time),
                hit_secs_before: secs(b_end - b[j].time),
            });
            (i, j) = (i + 1, j + 1);
        } else if best[i][j] == best[i + 1][j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// The event that a store keeps as metadata.
fn stored_event(id: &str, metadata: &str) -> Result<Event, EmbeddingError> {
    Event::from_json(metadata).map_err(|source| EmbeddingError::StoredEvent { id: id.into(), source })
}

fn secs(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}

#[cfg(test)]
mod tests {
    use spaxiom_event::Event;

    use super::aligned;

    fn events(texts: &[(&str, &str, u32)]) -> Vec<Event> {
        let event = |(kind, zone, minute): &(&str, &str, u32)| {
            let json = format!(r#"{{"type":"{kind}","zone":"{zone}","time":"2025-01-06T10:{minute:02}:00Z"}}"#);
            Event::from_json(&json).unwrap()
        };
        texts.iter().map(event).collect()
    }

    #[test]
    fn events_in_the_same_order_are_laid_beside_each_other() {
        let a = events(&[("DoorOpened", "a", 0), ("QueueFormed", "b", 2), ("QueueEnded", "b", 9)]);
        let b =
            events(&[("QueueFormed", "c", 1), ("DoorOpened", "a", 2), ("QueueFormed", "b", 3), ("QueueEnded", "c", 5)]);
        let pairs = aligned(&a, a[2].time, &b, b[3].time);
        let found: Vec<(&str, Option<&str>, f64, f64)> = pairs
            .iter()
            .map(|pair| (pair.kind.as_str(), pair.hit_zone.as_deref(), pair.secs_before, pair.hit_secs_before))
            .collect();
        let want = [
            ("DoorOpened", Some("a"), 540.0, 180.0),
            ("QueueFormed", Some("b"), 420.0, 120.0),
            ("QueueEnded", Some("c"), 0.0, 0.0),
        ];
        assert_eq!(found, want);
    }
}
