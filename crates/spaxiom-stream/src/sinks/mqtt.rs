//! Alerts at an MQTT broker, as devices that Home Assistant discovers: one for each zone, with a sensor of the risk,
//! a sensor of safety, and a button to acknowledge.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, Packet};
use rumqttc::v5::{Client, Connection, ConnectionError, Event};
use serde_json::{Value, json};

use super::sink::Sink;
use crate::alerts::{Alert, AlertState, Notice, Outcome};
use crate::error::StreamError;
use crate::source::Broker;

/// `online` as long as this program is connected, and `offline` by its last will.
const STATUS: &str = "spaxiom/status";

/// Home Assistant says here when it starts; what it does not know any more is sent again.
const HOME_ASSISTANT: &str = "homeassistant/status";

/// The buttons of all zones; a payload of `true`, `near`, `false` or `unknown` says what was found too.
const ACKNOWLEDGE: &str = "spaxiom/+/acknowledge";

/// Between two tries to connect.
const RETRY: Duration = Duration::from_secs(1);

/// Messages that wait for the broker at most.
const CAPACITY: usize = 1_024;

/// How long the first answer of a broker is waited for.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

pub(super) struct Discovered {
    client: Client,
    broker: Broker,
    zones: Arc<Mutex<BTreeMap<String, Zone>>>,
    acknowledged: Receiver<(String, Option<Outcome>)>,
}

/// What a zone says.
#[derive(Debug, Clone)]
struct Zone {
    site: String,
    name: String,
    state: Value,
}

impl Discovered {
    pub(super) fn connect(broker: &Broker, client: &str, password: Option<&str>) -> Result<Self, StreamError> {
        let mut options = broker.options(&format!("{client}-alerts"), password);
        options.set_last_will(LastWill::new(STATUS, "offline", QoS::AtLeastOnce, true, None));
        let (client, connection) = Client::new(options, CAPACITY);
        let zones: Arc<Mutex<BTreeMap<String, Zone>>> = Arc::default();
        let (first, answer) = mpsc::channel();
        let (pressed, acknowledged) = mpsc::channel();
        let link = Link { client: client.clone(), zones: Arc::clone(&zones), pressed };
        thread::spawn(move || link.keep(connection, &first));
        await_first(&answer, broker)?;
        Ok(Self { client, broker: broker.clone(), zones, acknowledged })
    }
}

fn await_first(answer: &Receiver<Result<(), String>>, broker: &Broker) -> Result<(), StreamError> {
    match answer.recv_timeout(FIRST_ANSWER) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(what)) => Err(broker.error(what)),
        Err(_) => Err(broker.error("it does not answer")),
    }
}

/// The side of the connection.
struct Link {
    client: Client,
    zones: Arc<Mutex<BTreeMap<String, Zone>>>,
    pressed: Sender<(String, Option<Outcome>)>,
}

impl Link {
    fn keep(&self, mut connection: Connection, first: &Sender<Result<(), String>>) {
        let mut was_connected = false;
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    was_connected = true;
                    for topic in [HOME_ASSISTANT, ACKNOWLEDGE] {
                        let _ = self.client.try_subscribe(topic, QoS::AtLeastOnce);
                    }
                    let _ = self.client.try_publish(STATUS, QoS::AtLeastOnce, true, "online");
                    let _ = first.send(Ok(()));
                    self.say_all();
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    self.heard(&String::from_utf8_lossy(&publish.topic), &String::from_utf8_lossy(&publish.payload));
                }
                Ok(_) => {}
                Err(ConnectionError::RequestsDone) => return,
                Err(error) if was_connected => {
                    tracing::warn!("the broker of the alerts is lost, tried again: {error}");
                    thread::sleep(RETRY);
                }
                Err(error) => {
                    let _ = first.send(Err(error.to_string()));
                    return;
                }
            }
        }
    }

    fn zones(&self) -> MutexGuard<'_, BTreeMap<String, Zone>> {
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What every zone is and says, as after a restart of Home Assistant or the broker.
    fn say_all(&self) {
        for (id, zone) in self.zones().iter() {
            for (topic, payload) in zone.messages(id) {
                let _ = self.client.try_publish(topic, QoS::AtLeastOnce, true, payload);
            }
        }
    }

    fn heard(&self, topic: &str, payload: &str) {
        if topic == HOME_ASSISTANT {
            if payload == "online" {
                self.say_all();
            }
            return;
        }
        let zone = topic.split('/').nth(1).and_then(|id| self.zones().get(id).cloned());
        let alert = zone.and_then(|zone| zone.state["alert_id"].as_str().map(str::to_owned));
        if let Some(alert) = alert {
            // A press of the button says no more than that somebody looks.
            let outcome = serde_json::from_value(Value::from(payload)).ok();
            let _ = self.pressed.send((alert, outcome));
        }
    }
}

impl Sink for Discovered {
    fn send(&mut self, notices: &[Notice]) -> Result<(), StreamError> {
        for Notice { alert, .. } in notices {
            let name = alert.zone.clone().unwrap_or_else(|| "site".into());
            let id = format!("spaxiom_{}_{}", plain(&alert.site), plain(&name));
            let zone = Zone { site: alert.site.clone(), name, state: state(alert) };
            for (topic, payload) in zone.messages(&id) {
                let failed = |error: rumqttc::v5::ClientError| StreamError::Send {
                    to: format!("mqtt://{}:{}", self.broker.host(), self.broker.port()),
                    what: error.to_string(),
                };
                self.client.try_publish(topic, QoS::AtLeastOnce, true, payload).map_err(failed)?;
            }
            self.zones.lock().unwrap_or_else(PoisonError::into_inner).insert(id, zone);
        }
        Ok(())
    }

    fn acknowledged(&mut self) -> Vec<(String, Option<Outcome>)> {
        self.acknowledged.try_iter().collect()
    }
}

fn state(alert: &Alert) -> Value {
    let is_open = alert.state != AlertState::Resolved;
    json!({
        "risk": (100.0 * alert.score.clamp(0.0, 1.0)).round(),
        "safety": if is_open { "ON" } else { "OFF" },
        "state": alert.state.as_str(),
        "kind": alert.kind.as_str(),
        "alert_id": alert.id,
        "text": alert.text,
        "since": alert.since.to_rfc3339(),
    })
}

impl Zone {
    /// What it is, and what it says.
    fn messages(&self, id: &str) -> [(String, String); 2] {
        let Self { site, name, state } = self;
        let topic = format!("spaxiom/{id}/state");
        let part = |suffix: &str, rest: Value| {
            let mut part = json!({"unique_id": format!("{id}_{suffix}")});
            if let (Value::Object(part), Value::Object(rest)) = (&mut part, rest) {
                part.extend(rest);
            }
            part
        };
        let config = json!({
            "device": {"identifiers": [id], "name": format!("{name}, {site}"), "manufacturer": "spaxiom"},
            "origin": {"name": "spaxiom", "sw_version": env!("CARGO_PKG_VERSION")},
            "availability_topic": STATUS,
            "state_topic": topic,
            "components": {
                "risk": part("risk", json!({"platform": "sensor", "name": "Risk", "unit_of_measurement": "%",
                    "value_template": "{{ value_json.risk }}", "json_attributes_topic": topic})),
                "safety": part("safety", json!({"platform": "binary_sensor", "name": "Alert", "device_class": "safety",
                    "value_template": "{{ value_json.safety }}"})),
                "acknowledge": part("acknowledge", json!({"platform": "button", "name": "Acknowledge",
                    "command_topic": format!("spaxiom/{id}/acknowledge"), "payload_press": "acknowledge"})),
            },
        });
        [(format!("homeassistant/device/{id}/config"), config.to_string()), (topic, state.to_string())]
    }
}

/// Letters, digits and lines: what a topic and an id of Home Assistant may have.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::notice;
    use super::{Zone, plain, state};

    #[test]
    fn a_zone_is_a_device_with_three_parts_at_one_topic() {
        let zone = Zone { site: "st-1".into(), name: "Ward 3".into(), state: state(&notice(1).alert) };
        let [(config_topic, config), (topic, said)] = zone.messages(&format!("spaxiom_{}", plain(&zone.name)));
        assert_eq!(
            (config_topic.as_str(), topic.as_str()),
            ("homeassistant/device/spaxiom_ward_3/config", "spaxiom/spaxiom_ward_3/state")
        );
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["state_topic"], "spaxiom/spaxiom_ward_3/state");
        assert_eq!(config["components"]["safety"]["device_class"], "safety");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!((said["risk"].as_f64(), said["safety"].as_str()), (Some(50.0), Some("ON")));
    }
}
