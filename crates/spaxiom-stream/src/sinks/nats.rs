//! Alerts as messages of NATS `JetStream`.

use super::sink::Sink;
use crate::alerts::Notice;
use crate::error::StreamError;
use crate::publisher::{NatsPublisher, NatsSubject};

/// Publishes every notice as JSON. Its id is that of the alert with the number of the notice: what is sent again is kept once.
pub(super) struct Published(NatsPublisher);

impl Published {
    pub(super) fn connect(to: &NatsSubject, client: &str, password: Option<&str>) -> Result<Self, StreamError> {
        Ok(Self(NatsPublisher::connect(to, client, password)?))
    }
}

impl Sink for Published {
    fn send(&mut self, notices: &[Notice]) -> Result<(), StreamError> {
        for notice in notices {
            let payload = serde_json::to_vec(notice).expect("a notice is texts, times and finite numbers");
            self.0.publish(&format!("{}/{}", notice.alert.id, notice.number), payload)?;
        }
        Ok(())
    }
}
