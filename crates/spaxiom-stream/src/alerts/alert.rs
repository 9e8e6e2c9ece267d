//! An alert.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// The risk of an entity is above its threshold.
    Risk,
    /// A moment is like an example.
    Trigger,
    /// A sensor that should have said something is silent.
    Silence,
    /// More alerts of a zone than anybody can look at: they are told as one.
    Storm,
}

impl AlertKind {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Trigger => "trigger",
            Self::Silence => "silence",
            Self::Storm => "storm",
        }
    }
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// Not yet long enough to be told.
    Pending,
    /// Told, and somebody should look.
    Firing,
    /// Somebody has it; it stays quiet until it is resolved.
    Acknowledged,
    /// Over.
    Resolved,
}

impl AlertState {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// What was found by the person who looked: a label to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was what the alert said.
    True,
    /// It nearly was.
    Near,
    /// It was nothing.
    False,
    /// Nobody knows.
    Unknown,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::True, Self::Near, Self::False, Self::Unknown];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::Near => "near",
            Self::False => "false",
            Self::Unknown => "unknown",
        }
    }
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Alert {
    /// Kind, site and whom or what it is about, and when it began: the same after a restart, and never used again.
    pub id: String,
    /// What it is about.
    pub kind: AlertKind,
    /// Where it stands.
    pub state: AlertState,
    /// The site.
    pub site: String,
    /// The zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whom it is about, or the name of the trigger, or the sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Probability, similarity, or how many times the usual silence; greater is worse.
    pub score: f64,
    /// In words.
    pub text: String,
    /// The event that it fired at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// When it began.
    pub since: DateTime<Utc>,
    /// When it was last seen above the lower threshold.
    pub last: DateTime<Utc>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<DateTime<Utc>>,
    /// What was found by the person who acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// A change that a person should hear of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// From 1 on, without gaps.
    pub number: u64,
    /// The alert as it was then.
    pub alert: Alert,
}
