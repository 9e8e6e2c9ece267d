//! What is searched for, and what a person reads of a hit.

use serde::Serialize;
use serde_json::Value;
use spaxiom_event::Event;

use super::evidence::Evidence;

/// A hit as a person reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchResult {
    /// The event's id.
    pub id: String,
    /// The event's site.
    pub site: String,
    /// Cosine of the angle to the query, -1 to 1; greater is nearer.
    pub similarity: f32,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event's zone.
    pub zone: Option<String>,
    /// The event's time, RFC 3339.
    pub time: String,
    /// The same on the clock of the site, where its time zone is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_time: Option<String>,
    /// Hits of the same moment that were left out because this one is nearer; 0 where hits are single events.
    pub n_folded: usize,
    /// The whole event.
    pub metadata: Value,
    /// Why it was found, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// What is searched for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Query<'a> {
    /// An event, and what was before it at its site; where nothing is, it is compared by what a bare event has.
    Event {
        /// The event.
        event: &'a Event,
        /// Events of its site before it; others are ignored.
        context: &'a [Event],
    },
    /// A stored event, by its id.
    Id(&'a str),
    /// What was going on at a site in a span of time: the mean of the stored vectors.
    Span {
        /// The site.
        site: &'a str,
        /// The beginning in nanoseconds since 1970, UTC.
        from_ns: i64,
        /// The end, exclusive.
        to_ns: i64,
    },
    /// Stored events by their ids: the mean of those that hits shall be like, minus the mean of those that they shall not.
    Examples {
        /// At least one.
        like: &'a [&'a str],
        /// Any number.
        unlike: &'a [&'a str],
    },
    /// A vector that somebody made.
    Vector(&'a [f32]),
}
