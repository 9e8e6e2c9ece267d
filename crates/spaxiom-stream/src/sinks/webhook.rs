//! Alerts by HTTP, in the shape that Alertmanager sends (version 4), which many programs take.

use std::time::Duration;

use serde_json::{Value, json};

use super::sink::Sink;
use crate::alerts::{Alert, AlertState, Notice};
use crate::error::StreamError;
use crate::source::hidden;

/// An answer is waited for so long.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Webhook {
    url: String,
    agent: ureq::Agent,
}

impl Webhook {
    pub(super) fn new(url: &str) -> Self {
        let agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
        Self { url: url.to_owned(), agent }
    }
}

impl Sink for Webhook {
    fn send(&mut self, notices: &[Notice]) -> Result<(), StreamError> {
        if notices.is_empty() {
            return Ok(());
        }
        let body = message(notices).to_string();
        let sent = self.agent.post(&self.url).header("Content-Type", "application/json").send(body);
        let failed = |error: ureq::Error| StreamError::Send { to: hidden(&self.url), what: error.to_string() };
        sent.map(drop).map_err(failed)
    }
}

/// Labels tell alerts apart, and pseudonyms of people stay out of them.
fn message(notices: &[Notice]) -> Value {
    let is_firing = notices.iter().any(|notice| notice.alert.state != AlertState::Resolved);
    let alerts: Vec<Value> = notices.iter().map(|notice| alert(&notice.alert)).collect();
    json!({
        "version": "4",
        "groupKey": "spaxiom",
        "truncatedAlerts": 0,
        "status": if is_firing { "firing" } else { "resolved" },
        "receiver": "spaxiom",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": alerts,
    })
}

fn alert(alert: &Alert) -> Value {
    let Alert { id, kind, state, site, zone, subject, score, text, event_id, since, resolved, .. } = alert;
    json!({
        "status": if *state == AlertState::Resolved { "resolved" } else { "firing" },
        "labels": {
            "alertname": format!("spaxiom-{}", kind.as_str()),
            "site": site,
            "zone": zone.as_deref().unwrap_or_default(),
            "alert_id": id_of_labels(id, subject.as_deref()),
        },
        "annotations": {
            "summary": text,
            "score": format!("{score:.4}"),
            "state": state.as_str(),
            "subject": subject.as_deref().unwrap_or_default(),
            "event_id": event_id.as_deref().unwrap_or_default(),
        },
        "startsAt": since.to_rfc3339(),
        "endsAt": resolved.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |time| time.to_rfc3339()),
        "generatorURL": "",
        "fingerprint": format!("{:016x}", fingerprint(id)),
    })
}

/// The id of an alert without whom it is about.
fn id_of_labels(id: &str, subject: Option<&str>) -> String {
    subject.filter(|subject| !subject.is_empty()).map_or_else(
        || id.to_owned(),
        |subject| id.replacen(&format!("/{subject}/"), &format!("/{:08x}/", fingerprint(subject) >> 32), 1),
    )
}

/// FNV-1a: the same for the same id on every machine.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::super::file::tests::notice;
    use super::{Sink, Webhook, message};

    #[test]
    fn labels_tell_alerts_apart_and_name_nobody() {
        let message = message(&[notice(1)]);
        let alert = &message["alerts"][0];
        assert_eq!((message["version"].as_str(), alert["status"].as_str()), (Some("4"), Some("firing")));
        assert!(!alert["labels"].to_string().contains("/a/"), "{alert}");
        assert_eq!(alert["annotations"]["subject"], "a");
    }

    #[test]
    fn a_server_gets_the_message_and_one_that_refuses_is_an_error() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/alerts", server.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            ["200 OK", "500 Internal Server Error"].map(|status| {
                let (mut stream, _) = server.accept().unwrap();
                let mut text = String::new();
                let mut chunk = [0; 4096];
                while !text.ends_with('}') {
                    let n = stream.read(&mut chunk).unwrap();
                    text.push_str(std::str::from_utf8(&chunk[..n]).unwrap());
                }
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
                text
            })
        });
        let mut webhook = Webhook::new(&url);
        webhook.send(&[notice(1)]).unwrap();
        assert!(webhook.send(&[notice(2)]).unwrap_err().to_string().contains("500"));
        let [first, _] = answering.join().unwrap();
        assert!(first.starts_with("POST /alerts") && first.contains("\"alertname\":\"spaxiom-risk\""), "{first}");
    }
}
