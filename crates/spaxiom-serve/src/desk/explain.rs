//! Why are two moments alike?

use spaxiom_embedding::{Aligned, Evidence};

use super::answers::{Counted, Explained, PairRow};
use super::asked::ExplainAsked;
use super::state::{Desk, similarity};
use crate::error::ServeError;

impl Desk {
    /// What two stored events share, what their similarity rests on, and what followed the second.
    ///
    /// # Errors
    /// An event that is not there.
    pub fn explain(&self, asked: &ExplainAsked) -> Result<Explained, ServeError> {
        let ExplainAsked { event_a, event_b } = asked;
        let (a, b) = (self.record(event_a)?, self.record(event_b)?);
        let pipeline = self.pipeline();
        let Evidence { aligned, hidden, followed } =
            pipeline.evidence(&pipeline.explained_id(event_a)?, &b.site, event_b)?;
        drop(pipeline);
        let pair = |Aligned { kind, zone, hit_zone, secs_before, hit_secs_before }: Aligned| PairRow {
            kind,
            zone_a: zone.unwrap_or_default(),
            zone_b: hit_zone.unwrap_or_default(),
            secs_before_a: secs_before,
            secs_before_b: hit_secs_before,
        };
        Ok(Explained {
            similarity: similarity(&a.vector, &b.vector),
            shared: aligned.into_iter().map(pair).collect(),
            parts: hidden.iter().map(|hidden| format!("{}: {:+.3}", hidden.part, hidden.loss)).collect(),
            followed: followed.types.into_iter().map(|(name, count)| Counted { name, count }).collect(),
            provenance: self.provenance()?,
        })
    }
}
