//! Alerts: what is told to whom, once, and until when.
//!
//! An observation (a risk, a similarity, a silence) opens an alert, which goes from pending to firing to resolved;
//! somebody may acknowledge it on the way. Every change that a person should hear of is a notice with a number.
//! All of it is a value that is kept with the store's commit: after a restart nothing is told twice and nothing is forgotten.
//! Times are those of the events, so that a replay gives the same alerts as the day itself.

mod alert;
mod book;
mod outcome;
mod rules;
mod silence;
mod triggers;

pub use self::alert::{Alert, AlertKind, AlertState, Notice, Outcome};
pub use self::book::AlertBook;
pub(crate) use self::book::{BOOK, Observation, Timing};
pub use self::outcome::AlertOutcome;
pub use self::rules::{AlertRules, RiskRules, SilenceRules, StormRules, TriggerRule};
pub(crate) use self::silence::Silences;
pub(crate) use self::triggers::Triggers;
