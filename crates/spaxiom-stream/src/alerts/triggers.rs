//! Moments that are like an example.

use spaxiom_embedding::{EmbeddingError, EmbeddingPipeline};
use spaxiom_event::Event;

use super::alert::AlertKind;
use super::book::{Observation, Timing};
use super::rules::TriggerRule;

/// A trigger is over so much below the similarity at which it fires, unless its rule says otherwise.
const CLEAR_BELOW: f64 = 0.05;

/// Examples with their vectors.
pub(crate) struct Triggers(Vec<Trigger>);

struct Trigger {
    rule: TriggerRule,
    types: Vec<String>,
    example: Vec<f32>,
}

impl Triggers {
    /// Reads the examples from the store.
    ///
    /// # Errors
    /// [`EmbeddingError::NoSuchEvent`] for an event that is not there.
    pub(crate) fn new(rules: &[TriggerRule], pipeline: &EmbeddingPipeline) -> Result<Self, EmbeddingError> {
        let trigger = |rule: &TriggerRule| {
            let store = pipeline.store();
            let found = match &rule.site {
                Some(site) => store.get_at(site, &rule.event)?,
                None => store.get(&rule.event)?,
            };
            let record = found.ok_or_else(|| EmbeddingError::NoSuchEvent { id: rule.event.clone() })?;
            let types = rule.types.clone().unwrap_or_else(|| vec![record.kind.clone()]);
            Ok(Trigger { rule: rule.clone(), types, example: record.vector })
        };
        Ok(Self(rules.iter().map(trigger).collect::<Result<_, EmbeddingError>>()?))
    }

    /// What the moment of an event is like.
    pub(crate) fn observe(&self, event: &Event, vector: &[f32]) -> Vec<Observation> {
        let is_compared = |trigger: &&Trigger| {
            trigger.types.is_empty() || trigger.types.iter().any(|kind| kind == event.kind.as_str())
        };
        self.0.iter().filter(is_compared).map(|trigger| trigger.observed(event, vector)).collect()
    }
}

impl Trigger {
    fn observed(&self, event: &Event, vector: &[f32]) -> Observation {
        let TriggerRule { name, similarity: fires_at, clear, for_secs, keep_secs, .. } = &self.rule;
        let similarity = cosine(&self.example, vector);
        let zone = event.zone.as_ref().map(ToString::to_string);
        Observation {
            kind: AlertKind::Trigger,
            site: event.site_id.to_string(),
            // One alert for each zone.
            subject: Some(zone.as_ref().map_or_else(|| name.clone(), |zone| format!("{name} in {zone}"))),
            text: format!("like `{name}`: similarity {similarity:.2}"),
            zone,
            time: event.time,
            score: similarity,
            fires_at: *fires_at,
            clears_below: clear.unwrap_or(fires_at - CLEAR_BELOW),
            event_id: Some(event.id.to_string()),
            timing: Timing { lasting_secs: *for_secs, keep_secs: *keep_secs, quiet_secs: 0.0 },
            budget: None,
        }
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length > 0.0 { dot(a, b) / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::cosine;

    #[test]
    fn lengths_do_not_matter() {
        assert!((cosine(&[1.0, 2.0], &[2.0, 4.0]) - 1.0).abs() < 1e-12);
        assert!(cosine(&[1.0, 0.0], &[0.0, 3.0]).abs() < 1e-12 && cosine(&[0.0, 0.0], &[1.0, 1.0]).abs() < 1e-12);
    }
}
