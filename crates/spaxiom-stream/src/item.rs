//! What a worker takes in, one after the other.

use spaxiom_event::{Event, Record, Rejected};

use crate::alerts::Outcome;
use crate::error::StreamError;

/// What a source gives.
#[derive(Debug)]
pub enum Item {
    /// An event.
    Record(Box<Record>),
    /// What is no event.
    Rejected(Box<Rejected>),
    /// Everything up to this message of the source was given before.
    Delivered(u64),
    /// The source broke off.
    Broken(Box<StreamError>),
    /// What a program gives itself.
    Given(Box<Given>),
}

/// What became of an event that was given, and is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is in the store now and was not before.
    New,
    /// Its site and id were there.
    Known,
    /// It is in the store now, and came after a newer one of its site.
    Late,
}

/// What a program gives, and how it is answered once that is durable.
///
/// Nobody is answered if it is not: the sender of an answer is dropped.
pub enum Given {
    /// Events, in the order of time of each site.
    Events(Vec<Event>, Box<dyn FnOnce(Vec<Stored>) + Send>),
    /// Somebody has the alert of this id, and may have found what it was; false for an id that no alert has.
    Acknowledgement(String, Option<Outcome>, Box<dyn FnOnce(bool) + Send>),
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Events(events, _) => f.debug_tuple("Events").field(events).finish_non_exhaustive(),
            Self::Acknowledgement(id, outcome, _) => {
                f.debug_tuple("Acknowledgement").field(id).field(outcome).finish_non_exhaustive()
            }
        }
    }
}
