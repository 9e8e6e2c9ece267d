//! What a page shows of a run's own vectors beside figures: what is taken for what, a map, and examples.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use spaxiom_eval::Interval;

/// What a page shows of the run's own vectors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// Test events by their class, and by the class that a linear probe gives them; what training never saw is left out.
    pub confusion: Vec<Vec<usize>>,
    /// Test vectors by their first two principal components; not in `report.json`.
    #[serde(skip)]
    pub map: Vec<MapPoint>,
    /// Queries with what is nearest to them.
    pub examples: Vec<ShownQuery>,
    /// Accuracy by the number of labels; empty without `--skeptic`.
    pub label_curve: Vec<LabelShare>,
    /// Accuracy with a handful of examples; empty without `--skeptic`.
    #[serde(default)]
    pub few_shot: Vec<FewShot>,
}

/// A test event in two dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPoint {
    /// Its place.
    pub at: [f32; 2],
    /// Its label.
    pub label: String,
    /// Its type.
    pub kind: String,
    /// The hour of its site's day, `H h`.
    pub hour: String,
}

/// A query with what is nearest to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownQuery {
    /// The moment that was asked about; its similarity is 1.
    pub query: ShownMoment,
    /// Moments of other episodes, nearest first.
    pub hits: Vec<ShownMoment>,
}

/// A moment with the events before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownMoment {
    /// The site.
    pub site: String,
    /// Its time.
    pub time: DateTime<Utc>,
    /// Its label.
    pub label: String,
    /// Cosine of its vector and that of the query.
    pub similarity: f32,
    /// The events up to it, oldest first.
    pub events: Vec<EventBefore>,
}

/// An event before a moment, or at it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventBefore {
    /// How long before.
    pub secs: f64,
    /// The type.
    pub kind: String,
    /// The zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// What the nearest of a handful of examples tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FewShot {
    /// The representation.
    pub name: String,
    /// Labeled examples of each label, or as many as there are.
    pub n_shots: usize,
    /// Accuracy on all test events, mean over ten draws of examples; the interval resamples episodes.
    pub accuracy: Interval,
    /// Mean F1 over the labels of the test part, mean over the draws.
    pub macro_f1: f64,
}

/// What a linear probe reads out of a representation with some of the labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelShare {
    /// The representation.
    pub name: String,
    /// Labeled training events.
    pub n_labels: usize,
    /// Accuracy on all test events.
    pub accuracy: Interval,
}
