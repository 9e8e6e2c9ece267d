//! Publishes to a subject of NATS `JetStream`, and waits until the server has it.

use std::str::FromStr;
use std::time::Duration;

use async_nats::jetstream::{self, Context};
use async_nats::{HeaderMap, header};
use tokio::runtime::Runtime;

use crate::error::StreamError;
use crate::source::{Broker, NATS_PORT, hidden};

/// How long an answer of the server is waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// A subject of a server: `nats://[USER[:PASSWORD]@]HOST[:PORT]/SUBJECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsSubject {
    server: Broker,
    subject: String,
}

impl FromStr for NatsSubject {
    type Err = StreamError;

    fn from_str(text: &str) -> Result<Self, StreamError> {
        let wrong = || StreamError::Subject { got: hidden(text) };
        let (server, subject) = text.strip_prefix("nats://").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
        // What is published has one subject: no part of it stands for others.
        let is_plain = !subject.is_empty() && !subject.contains(|c: char| "*>/".contains(c) || c.is_whitespace());
        let server = Broker::parse_with(server, NATS_PORT).filter(|_| is_plain).ok_or_else(wrong)?;
        Ok(Self { server, subject: subject.to_owned() })
    }
}

/// A connection that publishes.
pub struct NatsPublisher {
    runtime: Runtime,
    context: Context,
    to: NatsSubject,
}

impl NatsPublisher {
    /// Connects; `password` is for the user where the address has none.
    ///
    /// # Errors
    /// [`StreamError::Broker`] for a server that cannot be reached.
    pub fn connect(to: &NatsSubject, client: &str, password: Option<&str>) -> Result<Self, StreamError> {
        // One thread of its own keeps the connection while nobody publishes.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let server = &to.server;
        let (options, place) = server.nats(client, password);
        let connected = runtime.block_on(options.connection_timeout(LONGEST).connect(place));
        let client = connected.map_err(|error| server.error(error.to_string()))?;
        let context = {
            // It starts a task of its own.
            let _entered = runtime.enter();
            jetstream::new(client)
        };
        Ok(Self { runtime, context, to: to.clone() })
    }

    /// Publishes, and waits until a stream of the server has it; the same id within a stream's window for duplicates is kept once.
    ///
    /// # Errors
    /// [`StreamError::Send`] where no stream has the subject, or the server does not answer.
    pub fn publish(&self, id: &str, payload: Vec<u8>) -> Result<(), StreamError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id);
        let sent = async {
            let told = self.context.publish_with_headers(self.to.subject.clone(), headers, payload.into()).await;
            told.map_err(|error| error.to_string())?.await.map_err(|error| error.to_string())
        };
        let answered = self.runtime.block_on(async { tokio::time::timeout(LONGEST, sent).await });
        let what = match answered {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(what)) => what,
            Err(_) => "it does not answer".into(),
        };
        Err(StreamError::Send { to: format!("subject `{}`", self.to.subject), what })
    }
}

#[cfg(test)]
mod tests {
    use super::NatsSubject;

    #[test]
    fn a_subject_is_one_of_a_server() {
        let check = |text: &str| text.parse::<NatsSubject>();
        assert_eq!(check("nats://me:pw@host:1/a.b").unwrap().subject, "a.b");
        for wrong in
            ["nats://host", "nats://host/", "nats://host/a.*", "nats://host/a.>", "nats://host/a b", "mqtt://host/a"]
        {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        let error = check("nats://me:secret@host/").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
