//! What can go wrong between a source and a store.

use std::path::PathBuf;

use spaxiom_embedding::EmbeddingError;
use spaxiom_event::EventError;

/// Why a stream cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// A word that names no source.
    #[error(
        "`{got}` is no source: wanted `-`, a file, `mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC` or `nats://[USER[:PASSWORD]@]HOST[:PORT]/STREAM[/SUBJECT]`"
    )]
    Source {
        /// The word.
        got: String,
    },
    /// A word that names no subject of a server.
    #[error("`{got}` is no subject: wanted `nats://[USER[:PASSWORD]@]HOST[:PORT]/SUBJECT`, without `*` and `>`")]
    Subject {
        /// The word.
        got: String,
    },
    /// A word that names no place for alerts.
    #[error(
        "`{got}` is no place for alerts: wanted `stdout`, `file:PATH`, `webhook:URL`, `mqtt://[USER[:PASSWORD]@]HOST[:PORT]`, or `nats://[USER[:PASSWORD]@]HOST[:PORT]/SUBJECT`"
    )]
    AlertAddress {
        /// The word.
        got: String,
    },
    /// A pattern of topics that says nothing.
    #[error(
        "`{got}` is no pattern of topics: wanted one like `building/{{zone}}/{{sensor}}`, where each part is text, `{{NAME}}`, `+`, or `#` at the end"
    )]
    Topic {
        /// The pattern.
        got: String,
    },
    /// Rules of alerts that cannot be.
    #[error("{path}: {name} has to be {want}, not {got}")]
    Rule {
        /// The file.
        path: PathBuf,
        /// The rule.
        name: &'static str,
        /// What it has to be.
        want: &'static str,
        /// What it is.
        got: String,
    },
    /// A file of rules that is none.
    #[error("`{path}` has no rules of alerts")]
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// The state of alerts that the store keeps was written by a newer build.
    #[error("the alerts in the store have format {found}, and this build reads up to {newest}")]
    Alerts {
        /// Its format.
        found: u32,
        /// The newest that this build reads.
        newest: u32,
    },
    /// A broker that cannot be reached at all, or refuses.
    #[error("the broker at {address} cannot be used: {what}")]
    Broker {
        /// Host and port.
        address: String,
        /// What it said.
        what: String,
    },
    /// More waits to be stored than may: the same can be given again soon.
    #[error("the store takes events more slowly than they come")]
    Busy,
    /// Nothing is taken in any more.
    #[error("nothing is taken in any more")]
    Over,
    /// An alert that could not be sent on; it is kept and sent later.
    #[error("an alert could not be sent to {to}: {what}")]
    Send {
        /// Where to.
        to: String,
        /// What went wrong.
        what: String,
    },
    /// The source.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The store, or what makes vectors.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    /// A file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
