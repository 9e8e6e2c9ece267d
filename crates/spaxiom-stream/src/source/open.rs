//! Opening a source by its address.

use spaxiom_event::ReadOptions;

use super::address::SourceAddress;
use super::topic::TopicPattern;
use super::{lines, mqtt, nats};
use crate::error::StreamError;
use crate::feed::Feed;

impl SourceAddress {
    /// Opens the source and reads it on a thread of its own.
    ///
    /// `client` is the name that a broker keeps what is not acknowledged under; `password` is for its user.
    /// `topic` makes members of a message's topic.
    ///
    /// # Errors
    /// A file that cannot be opened, [`StreamError::Broker`] for a broker that refuses.
    pub fn open(
        &self,
        client: &str,
        password: Option<&str>,
        topic: Option<&TopicPattern>,
        options: ReadOptions,
    ) -> Result<Feed, StreamError> {
        let (opened, name) = match self {
            Self::Stdin => (lines::stdin(), "standard input".to_owned()),
            Self::File(path) => (lines::file(path)?, path.display().to_string()),
            Self::Mqtt(address) => {
                let opened = mqtt::open(address, client, password, topic.cloned())?;
                (opened, format!("mqtt://{}/{}", address.broker.host(), address.filter))
            }
            Self::Nats(address) => {
                let opened = nats::open(address, client, password, topic.cloned())?;
                (opened, format!("nats://{}/{}", address.server.host(), address.stream))
            }
        };
        Ok(Feed::start(opened, name, options))
    }
}
