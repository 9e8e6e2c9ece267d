//! A source by its address.

use std::path::PathBuf;
use std::str::FromStr;

use super::broker::Broker;
use crate::error::StreamError;

/// Where NATS listens.
pub(crate) const NATS_PORT: u16 = 4222;

/// A source by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceAddress {
    /// `-`: standard input, until it ends.
    Stdin,
    /// A file, until its end; read again, events that are stored are passed over.
    File(PathBuf),
    /// `mqtt://HOST/TOPIC`: messages of a broker, acknowledged after the commit.
    Mqtt(MqttAddress),
    /// `nats://HOST/STREAM[/SUBJECT]`: messages of a stream of `JetStream`, acknowledged after the commit.
    Nats(NatsAddress),
}

impl SourceAddress {
    /// Whether it goes on as the world does.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Mqtt(_) | Self::Nats(_))
    }
}

/// A stream at a server of NATS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsAddress {
    /// The server.
    pub(crate) server: Broker,
    /// The stream, which has to be there.
    pub(crate) stream: String,
    /// Only these subjects of it, with `*` and `>`.
    pub(crate) subject: Option<String>,
}

/// A topic filter at a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttAddress {
    /// The broker.
    pub(crate) broker: Broker,
    /// The filter of topics, with `+` and `#`.
    pub(crate) filter: String,
}

impl FromStr for SourceAddress {
    type Err = StreamError;

    fn from_str(text: &str) -> Result<Self, StreamError> {
        let wrong = || StreamError::Source { got: hidden(text) };
        match text.split_once("://") {
            None if text == "-" => Ok(Self::Stdin),
            None if !text.is_empty() => Ok(Self::File(text.into())),
            Some(("mqtt", rest)) => {
                let (broker, filter) = rest.split_once('/').ok_or_else(wrong)?;
                let broker = Broker::parse(broker).filter(|_| !filter.is_empty()).ok_or_else(wrong)?;
                Ok(Self::Mqtt(MqttAddress { broker, filter: filter.to_owned() }))
            }
            Some(("nats", rest)) => {
                let (server, rest) = rest.split_once('/').ok_or_else(wrong)?;
                let (stream, subject) = rest.split_once('/').map_or((rest, None), |(a, b)| (a, Some(b.to_owned())));
                let server = Broker::parse_with(server, NATS_PORT).filter(|_| !stream.is_empty()).ok_or_else(wrong)?;
                Ok(Self::Nats(NatsAddress { server, stream: stream.to_owned(), subject }))
            }
            _ => Err(wrong()),
        }
    }
}

/// An address without its password.
pub(crate) fn hidden(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://...@{host}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{SourceAddress, hidden};

    #[test]
    fn an_address_names_a_pipe_a_file_or_topics_of_a_broker() {
        let check = |text: &str| text.parse::<SourceAddress>();
        assert_eq!(check("-").unwrap(), SourceAddress::Stdin);
        assert_eq!(check("data/x.jsonl").unwrap(), SourceAddress::File("data/x.jsonl".into()));
        let SourceAddress::Mqtt(mqtt) = check("mqtt://user:pa@ss@broker:1884/building/+/events").unwrap() else {
            panic!("a broker")
        };
        assert_eq!(
            (mqtt.broker.host(), mqtt.broker.port(), mqtt.filter.as_str()),
            ("broker", 1884, "building/+/events")
        );
        assert!(format!("{:?}", mqtt.broker).contains("user"), "a user is no secret");
        let SourceAddress::Nats(nats) = check("nats://me:pw@server/EVENTS/site.*.door").unwrap() else {
            panic!("NATS")
        };
        assert_eq!((nats.server.port(), nats.stream.as_str()), (4222, "EVENTS"));
        assert_eq!(nats.subject.as_deref(), Some("site.*.door"));
        for wrong in
            ["", "nats://server", "nats://server/", "mqtt://broker", "mqtt://broker/", "kafka://x/y", "mqtt://:x/y"]
        {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_message_has_a_password() {
        assert_eq!(hidden("mqtt://me:secret@host/x"), "mqtt://...@host/x");
        let error = "amqp://me:secret@host/x".parse::<SourceAddress>().unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
