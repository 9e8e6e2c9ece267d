//! A place for alerts by its address.

use std::path::PathBuf;
use std::str::FromStr;

use crate::error::StreamError;
use crate::publisher::NatsSubject;
use crate::source::{Broker, hidden};

/// A place for alerts by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertAddress {
    /// `stdout`: JSON lines.
    Stdout,
    /// `file:PATH`: JSON lines, appended.
    File(PathBuf),
    /// `webhook:URL`: POST in the shape of Alertmanager's version 4.
    Webhook(String),
    /// `mqtt://HOST`: entities that Home Assistant discovers.
    Mqtt(Broker),
    /// `nats://HOST/SUBJECT`: JSON messages of a stream.
    Nats(NatsSubject),
}

impl FromStr for AlertAddress {
    type Err = StreamError;

    fn from_str(text: &str) -> Result<Self, StreamError> {
        let wrong = || StreamError::AlertAddress { got: hidden(text) };
        if text == "stdout" {
            return Ok(Self::Stdout);
        }
        if let Some(rest) = text.strip_prefix("mqtt://") {
            return Broker::parse(rest.trim_end_matches('/')).map(Self::Mqtt).ok_or_else(wrong);
        }
        if text.starts_with("nats://") {
            return text.parse().map(Self::Nats);
        }
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("webhook", url)) if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Webhook(url.to_owned()))
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AlertAddress;

    #[test]
    fn a_place_is_named_by_its_kind() {
        let check = |text: &str| text.parse::<AlertAddress>();
        assert_eq!(check("stdout").unwrap(), AlertAddress::Stdout);
        assert_eq!(check("file:/var/alerts.jsonl").unwrap(), AlertAddress::File("/var/alerts.jsonl".into()));
        assert_eq!(check("webhook:http://h:1/x").unwrap(), AlertAddress::Webhook("http://h:1/x".into()));
        assert!(matches!(check("mqtt://me:secret@broker").unwrap(), AlertAddress::Mqtt(_)));
        for wrong in ["", "file:", "webhook:ftp://x", "mail:me"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
