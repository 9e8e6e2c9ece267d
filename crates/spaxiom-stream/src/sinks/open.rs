//! Opening a place for alerts by its address.

use super::address::AlertAddress;
use super::sink::Sink;
use super::{file, mqtt, nats, webhook};
use crate::error::StreamError;

impl AlertAddress {
    /// Opens the place; `client` and `password` are for a broker, `stdout` takes a line of JSON.
    ///
    /// # Errors
    /// A file that cannot be opened, [`StreamError::Broker`] for a broker or server that refuses.
    pub fn open(
        &self,
        client: &str,
        password: Option<&str>,
        stdout: Box<dyn FnMut(&str) + Send>,
    ) -> Result<Box<dyn Sink>, StreamError> {
        Ok(match self {
            Self::Stdout => Box::new(file::Printed(stdout)),
            Self::File(path) => Box::new(file::Appended::open(path)?),
            Self::Webhook(url) => Box::new(webhook::Webhook::new(url)),
            Self::Nats(subject) => Box::new(nats::Published::connect(subject, client, password)?),
            Self::Mqtt(broker) => Box::new(mqtt::Discovered::connect(broker, client, password)?),
        })
    }
}
