//! Ids as types of their own, so that a zone is never passed where a site is meant.
//!
//! Up to 24 bytes they live in the event itself: reading an event allocates nothing for them.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(CompactString);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<CompactString>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// Identifies one event within its source.
    EventId
}
text_id! {
    /// What happened, in `PascalCase`: `QueueFormed`, `DoorOpened`.
    EventType
}
text_id! {
    /// The leaf zone in which an event happened: `loading_dock`, or a sensor's name where nothing better is known.
    ZoneId
}
text_id! {
    /// The building or home that an event comes from.
    SiteId
}
text_id! {
    /// A pseudonymous subject. It serves windows, labels and splits, and never becomes a token.
    EntityId
}
