//! Answers: objects, with bounded lists.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use spaxiom_stream::AlertOutcome;

use super::asked::Verdict;

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreDescription {
    /// Events in the store.
    pub events: usize,
    /// Time of the first event, on the clock of its site.
    pub first: String,
    /// Time of the last event.
    pub last: String,
    /// Sites.
    pub sites: Vec<String>,
    /// Types of events.
    pub types: Vec<String>,
    /// Zones, the first 200.
    pub zones: Vec<String>,
    /// Kinds of zones, as text may name them.
    pub zone_kinds: Vec<String>,
    /// Attributes of events, the first 200.
    pub attributes: Vec<String>,
    /// Clocks of sites: site and IANA name; the others show UTC.
    pub time_zones: Vec<String>,
    /// Where answers come from.
    pub provenance: Provenance,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// The run whose vectors are compared.
    pub run: String,
    /// How similar two moments of this store usually are: a hit means something above it.
    pub usual_similarity: Usual,
}

/// How similar two moments usually are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Usual {
    /// Half of all pairs are below.
    #[serde(serialize_with = "rounded")]
    pub median: f32,
    /// Of a hundred pairs 99 are below.
    #[serde(serialize_with = "rounded")]
    pub p99: f32,
}

/// Events that were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// What was understood, as a condition; and words that were not.
    pub interpreted_query: String,
    /// Events that pass the condition.
    pub total: usize,
    /// Whether there are more than these hits.
    pub truncated: bool,
    /// Hits, nearest first; each is a moment of a quarter of an hour.
    pub hits: Vec<Hit>,
    /// Where fewer pass than were wanted: which words to leave out, and how many pass then.
    pub relax: Vec<Counted>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// A moment that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// Id of its nearest event.
    pub id: String,
    /// Its site.
    pub site: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The zone; empty without one.
    pub zone: String,
    /// When, on the clock of the site.
    pub time: String,
    /// Cosine similarity to what was asked for.
    #[serde(serialize_with = "rounded")]
    pub similarity: f32,
    /// Other hits of the same moment.
    pub folded: usize,
    /// What followed at the site within 30 minutes: events by type, the most frequent first.
    pub followed: Vec<Counted>,
    /// The whole event, where it was asked for.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub event: Value,
}

/// A name and a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// What was counted.
    pub name: String,
    /// How many.
    pub count: usize,
}

/// Counts of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counts {
    /// What was understood, as a condition.
    pub interpreted_query: String,
    /// Events that pass it.
    pub total: usize,
    /// The counts, greatest first; hours in their order.
    pub counts: Vec<Counted>,
    /// Whether there are more than these counts.
    pub truncated: bool,
}

/// An event as a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventRow {
    /// Its id.
    pub id: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The zone; empty without one.
    pub zone: String,
    /// When, on the clock of the site.
    pub time: String,
    /// Seconds from the event that was asked about.
    pub secs: f64,
    /// Whom it is about, by a pseudonym; empty for nobody.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub entity: String,
    /// Attributes.
    pub attributes: Value,
}

/// An event with what was around it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Context {
    /// The site.
    pub site: String,
    /// The event that was asked about.
    pub event: EventRow,
    /// Before it, oldest first.
    pub before: Vec<EventRow>,
    /// After it, within two hours.
    pub after: Vec<EventRow>,
}

/// Why two events are alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// Cosine similarity.
    #[serde(serialize_with = "rounded")]
    pub similarity: f32,
    /// Events that both have in the same order, up to 30 minutes back.
    pub shared: Vec<PairRow>,
    /// What the similarity loses when a part of the first is hidden, the greatest loss first: part and loss.
    pub parts: Vec<String>,
    /// What followed the second one within 30 minutes.
    pub followed: Vec<Counted>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// An event of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairRow {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Zone at the first; empty without one.
    pub zone_a: String,
    /// Zone at the second.
    pub zone_b: String,
    /// Seconds before the first.
    pub secs_before_a: f64,
    /// Seconds before the second.
    pub secs_before_b: f64,
}

/// Moments on two axes, one after the other in every list.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MapOfMoments {
    /// Moments that pass the limits.
    pub total: usize,
    /// Whether there are more than these.
    pub truncated: bool,
    /// Names of types, to which the numbers in `type` point.
    pub types: Vec<String>,
    /// Names of zones, to which the numbers in `zone` point; one may be empty.
    pub zones: Vec<String>,
    /// Names of sites, to which the numbers in `site` point.
    pub sites: Vec<String>,
    /// Ids of events.
    pub id: Vec<String>,
    /// First coordinates.
    #[serde(serialize_with = "all_rounded")]
    pub x: Vec<f32>,
    /// Second coordinates.
    #[serde(serialize_with = "all_rounded")]
    pub y: Vec<f32>,
    /// Numbers of types.
    #[serde(rename = "type")]
    pub kind: Vec<usize>,
    /// Numbers of zones.
    pub zone: Vec<usize>,
    /// Numbers of sites.
    pub site: Vec<usize>,
    /// Times on the clock of the site.
    pub time: Vec<String>,
}

/// A site from above.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FloorPlan {
    /// The site.
    pub site: String,
    /// Its zones; none where its site map is not known.
    pub zones: Vec<PlanZone>,
}

/// A zone from above.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanZone {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: String,
    /// The floor it is on; empty where none is said.
    pub floor: String,
    /// Zones that can be reached from it in one step.
    pub neighbors: Vec<String>,
    /// Its outline in meters, as in the site map; null without one.
    pub shape: Value,
}

/// Labels of hits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Labels {
    /// How many there are.
    pub total: usize,
    /// Whether there are more than these.
    pub truncated: bool,
    /// The labels.
    pub labels: Vec<LabelRow>,
    /// What alerts turned out to be.
    pub outcomes: Vec<AlertOutcome>,
}

/// What somebody said of a hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRow {
    /// Id of the event that was asked about.
    pub event_id: String,
    /// Id of the hit.
    pub hit_id: String,
    /// Whether it is like it.
    pub verdict: Verdict,
    /// Who said so, by the name of the token.
    pub by: String,
    /// When.
    pub time: String,
}

/// Alerts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alerts {
    /// Alerts that pass.
    pub total: usize,
    /// Whether there are more than these.
    pub truncated: bool,
    /// Open ones first, then the newest.
    pub alerts: Vec<AlertRow>,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertRow {
    /// Its id.
    pub id: String,
    /// risk, trigger, silence or storm.
    pub kind: String,
    /// pending, firing, acknowledged or resolved.
    pub state: String,
    /// The site.
    pub site: String,
    /// The zone; empty without one.
    pub zone: String,
    /// In words.
    pub text: String,
    /// When it began, on the clock of the site.
    pub since: String,
    /// Id of the event that it began with; empty without one.
    pub event_id: String,
    /// What it was, once somebody said so: true, near, false or unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub outcome: String,
}

fn all_rounded<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|value| (f64::from(*value) * 1e4).round() / 1e4))
}

/// Four digits: more say nothing of a similarity, and an agent reads them all.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde hands over")]
fn rounded<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*value) * 1e4).round() / 1e4)
}
