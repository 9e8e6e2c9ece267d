//! Questions: flat, and every part of them but the first may be left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Events like what a text, an event or a filter says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchAsked {
    /// What to look for, in words: "queues in loading zones between 7 and 9 am"
    pub text: String,
    /// Or an event as a JSON object with at least type and time
    pub event_json: String,
    /// Only these types of events
    pub types: Vec<String>,
    /// Only these zones
    pub zones: Vec<String>,
    /// Only these sites
    pub sites: Vec<String>,
    /// Only from this time on (RFC 3339, or 2025-01-20T10:00 on the site's clock)
    pub from: String,
    /// Only before this time
    pub to: String,
    /// Only at this time of the site's day, such as 7..9 or 22:30..6
    pub time_of_day: String,
    /// Hits, 1 to 50
    #[serde(default = "hits")]
    #[schemars(range(min = 1, max = 50))]
    pub k: usize,
    /// Whether hits have the whole event
    pub full: bool,
}

fn hits() -> usize {
    10
}

/// Moments like a stored event.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimilarAsked {
    /// Id of a stored event
    pub event_id: String,
    /// Only these types of events
    pub types: Vec<String>,
    /// Only these zones
    pub zones: Vec<String>,
    /// Only these sites
    pub sites: Vec<String>,
    /// Only from this time on
    pub from: String,
    /// Only before this time
    pub to: String,
    /// Hits, 1 to 50
    #[serde(default = "hits")]
    #[schemars(range(min = 1, max = 50))]
    pub k: usize,
    /// Whether hits have the whole event
    pub full: bool,
}

/// What was before and after an event at its site.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextAsked {
    /// Id of a stored event
    pub event_id: String,
    /// Events before it, 0 to 200
    #[serde(default = "before")]
    #[schemars(range(min = 0, max = 200))]
    pub before: usize,
    /// Events after it, 0 to 200
    #[serde(default = "after")]
    #[schemars(range(min = 0, max = 200))]
    pub after: usize,
}

fn before() -> usize {
    20
}

fn after() -> usize {
    5
}

/// How many events there are.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CountAsked {
    /// What to count by: type, zone, site, hour, weekday or day
    pub by: String,
    /// Only these types of events
    pub types: Vec<String>,
    /// Only these zones
    pub zones: Vec<String>,
    /// Only these sites
    pub sites: Vec<String>,
    /// Only from this time on
    pub from: String,
    /// Only before this time
    pub to: String,
    /// Only at this time of the site's day
    pub time_of_day: String,
}

/// Why two stored events are alike.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainAsked {
    /// Id of a stored event
    pub event_a: String,
    /// Id of another one
    pub event_b: String,
}

/// Alerts of the stream that fills the store.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlertsAsked {
    /// Only those in this state: firing, acknowledged or resolved
    pub state: String,
    /// Only those that began at this time or later (RFC 3339)
    pub since: String,
}

/// Moments on a map.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LayoutAsked {
    /// Only these types of events
    pub types: Vec<String>,
    /// Only these zones
    pub zones: Vec<String>,
    /// Only these sites
    pub sites: Vec<String>,
    /// Only from this time on
    pub from: String,
    /// Only before this time
    pub to: String,
    /// Only at this time of the site's day
    pub time_of_day: String,
    /// Only these events, whatever else is said
    pub ids: Vec<String>,
    /// Points at most, up to 100000
    #[schemars(range(max = 100_000))]
    pub n: usize,
}

/// The floor plan of a site.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanAsked {
    /// The site
    pub site: String,
}

/// Somebody has an alert.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AckAsked {
    /// Id of an alert
    pub alert_id: String,
    /// What it was, once somebody knows: true, near, false or unknown
    #[serde(default)]
    pub outcome: String,
}

/// What somebody says of a hit.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelAsked {
    /// Id of the event that was asked about
    pub event_id: String,
    /// Id of the hit
    pub hit_id: String,
    /// Whether it is like it
    pub verdict: Verdict,
}

/// Whether a hit is like what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Verdict {
    /// It is
    Good,
    /// It is not
    Bad,
    /// Nobody says so any more
    None,
}

/// The vectors of texts
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EmbeddingsAsked {
    /// A text, or a list of texts
    #[schemars(extend("type" = ["string", "array"]))]
    pub input: serde_json::Value,
    /// Any name: there is one model
    pub model: String,
}
