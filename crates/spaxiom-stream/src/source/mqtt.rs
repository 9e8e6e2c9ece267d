//! Messages of an MQTT broker (version 5), acknowledged after the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Packet, Publish};
use rumqttc::v5::{Client, Connection, ConnectionError, Event};

use super::address::MqttAddress;
use super::messages::{Message, Messages};
use super::opened::Opened;
use super::topic::TopicPattern;
use crate::error::StreamError;

/// Messages that a broker sends ahead of their acknowledgement. Mosquitto's own limit is 20 for older clients.
const RECEIVE_MAXIMUM: u16 = 4_096;

/// How long a broker keeps what comes while nobody is connected, in seconds: a week.
const SESSION_SECS: u32 = 7 * 86_400;

/// How long the first answer of a broker is waited for.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Between two tries to connect, at first and at most.
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(10)];

/// A message and the connection that it came by.
struct Delivery {
    connection: u64,
    publish: Publish,
}

impl Message for Delivery {
    fn topic(&self) -> String {
        String::from_utf8_lossy(&self.publish.topic).into_owned()
    }

    fn payload(&self) -> &[u8] {
        &self.publish.payload
    }
}

/// Subscribes, and gives messages as lines of text.
///
/// # Errors
/// [`StreamError::Broker`] where the first connection fails; later ones are tried again and again.
pub(super) fn open(
    address: &MqttAddress,
    client: &str,
    password: Option<&str>,
    pattern: Option<TopicPattern>,
) -> Result<Opened, StreamError> {
    let MqttAddress { broker, filter } = address;
    let mut options = broker.options(client, password);
    options.set_clean_start(false).set_manual_acks(true);
    options.set_session_expiry_interval(Some(SESSION_SECS)).set_receive_maximum(Some(RECEIVE_MAXIMUM));
    let (client, connection) = Client::new(options, usize::from(RECEIVE_MAXIMUM));
    let (sender, messages) = mpsc::channel();
    let (first, answer) = mpsc::channel();
    let connections = Arc::new(AtomicU64::new(0));
    let has_left = Arc::new(AtomicBool::new(false));
    let receiving = Receiving {
        client: client.clone(),
        filter: filter.clone(),
        connections: Arc::clone(&connections),
        sender,
        first: Some(first),
        has_left: Arc::clone(&has_left),
    };
    thread::spawn(move || receiving.run(connection));
    match answer.recv_timeout(FIRST_ANSWER) {
        Ok(Ok(())) => {}
        Ok(Err(what)) => return Err(broker.error(what)),
        Err(RecvTimeoutError::Timeout) => return Err(broker.error("it does not answer")),
        Err(RecvTimeoutError::Disconnected) => return Err(broker.error("the connection ended")),
    }
    let input = Messages::new(messages, pattern);
    let (n_given, unacknowledged) = (input.n_given(), input.unacknowledged());
    let leaving = Leaving { client, has_left };
    let acknowledge = move |n_durable: u64| {
        let now = connections.load(Ordering::Acquire);
        for Delivery { connection, publish } in unacknowledged.take(n_durable) {
            // What came by an earlier connection is delivered again, and is then known.
            if connection == now {
                let _ = leaving.client.ack(&publish);
            }
        }
        Ok(())
    };
    Ok(Opened { input: Box::new(input), delivers_again: true, n_given, acknowledge: Box::new(acknowledge) })
}

/// Says good-bye when the stream ends, so that the broker keeps what comes.
struct Leaving {
    client: Client,
    has_left: Arc<AtomicBool>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.has_left.store(true, Ordering::Release);
        let _ = self.client.try_disconnect();
    }
}

/// The side of the connection.
struct Receiving {
    client: Client,
    filter: String,
    connections: Arc<AtomicU64>,
    sender: Sender<Delivery>,
    /// Told how the first connection went.
    first: Option<Sender<Result<(), String>>>,
    has_left: Arc<AtomicBool>,
}

impl Receiving {
    fn run(mut self, mut connection: Connection) {
        let [mut pause, longest] = RETRY;
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    pause = RETRY[0];
                    self.connections.fetch_add(1, Ordering::AcqRel);
                    // Also where the broker knows the session: it may have lost it.
                    let _ = self.client.try_subscribe(self.filter.clone(), QoS::AtLeastOnce);
                }
                Ok(Event::Incoming(Packet::SubAck(_))) => self.answer(Ok(())),
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    let message = Delivery { connection: self.connections.load(Ordering::Acquire), publish };
                    // Nobody reads any more.
                    if self.sender.send(message).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let is_final = matches!(
                        error,
                        ConnectionError::RequestsDone
                            | ConnectionError::ConnectionRefused(
                                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized
                            )
                    );
                    if self.has_left.load(Ordering::Acquire) || self.first.is_some() || is_final {
                        self.answer(Err(error.to_string()));
                        return;
                    }
                    tracing::warn!("the broker is lost, tried again in {:.1} s: {error}", pause.as_secs_f64());
                    thread::sleep(pause);
                    pause = (2 * pause).min(longest);
                }
            }
        }
    }

    fn answer(&mut self, answer: Result<(), String>) {
        if let Some(first) = self.first.take() {
            let _ = first.send(answer);
        }
    }
}
