//! Events as they come, from a file, a pipe or a broker, into a store; alerts out.
//!
//! Takes a source ([`SourceAddress`]), how its text is read, and a pipeline; gives a store that is up to date, and alerts ([`AlertBook`]).
//! The source may forget what it gave only after the store's commit; what is delivered twice is stored once.
//! Threads and a broker's client live here; the pipeline knows of neither. Knows no tensors, no index and no web server.

mod alerts;
mod error;
mod feed;
mod inlet;
mod item;
mod publisher;
mod sinks;
mod source;
mod worker;

pub use crate::alerts::{
    Alert, AlertBook, AlertKind, AlertOutcome, AlertRules, AlertState, Notice, Outcome, RiskRules, SilenceRules,
    StormRules, TriggerRule,
};
pub use crate::error::StreamError;
pub use crate::feed::Feed;
pub use crate::inlet::Inlet;
pub use crate::item::{Given, Item, Stored};
pub use crate::publisher::{NatsPublisher, NatsSubject};
pub use crate::sinks::{AlertAddress, Sink};
pub use crate::source::{SourceAddress, TopicPattern};
pub use crate::worker::{StreamObserver, StreamOptions, StreamSummary, Worker};
