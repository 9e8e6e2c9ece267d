//! Messages of an MQTT broker (version 5), acknowledged after the commit.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Packet, Publish};
use rumqttc::v5::{Client, Connection, ConnectionError, Event};

use super::address::MqttAddress;
use super::opened::Opened;
use super::topic::{TopicPattern, line};
use crate::error::StreamError;

/// Messages that a broker sends ahead of their acknowledgement. Mosquitto's own limit is 20 for older clients.
const RECEIVE_MAXIMUM: u16 = 4_096;

/// How long a broker keeps what comes while nobody is connected, in seconds: a week.
const SESSION_SECS: u32 = 7 * 86_400;

/// How long the first answer of a broker is waited for.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Between two tries to connect, at first and at most.
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(10)];

/// Messages that are given in one read at most.
const N_AT_ONCE: usize = 256;

/// A message and the connection that it came by.
struct Message {
    connection: u64,
    publish: Publish,
}

/// Messages that were given and are not yet durable, with their numbers.
type Unacknowledged = Arc<Mutex<VecDeque<(u64, Message)>>>;

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
    let n_given = Arc::new(AtomicU64::new(0));
    let unacknowledged = Unacknowledged::default();
    let input = Lines {
        messages,
        pattern,
        text: Vec::new(),
        at: 0,
        n_in_text: 0,
        n_given: Arc::clone(&n_given),
        unacknowledged: Arc::clone(&unacknowledged),
        n_taken: 0,
    };
    let leaving = Leaving { client, has_left };
    let acknowledge = move |n_durable: u64| {
        let mut waiting = unacknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        let now = connections.load(Ordering::Acquire);
        while let Some((_, Message { connection, publish })) = waiting.pop_front_if(|(number, _)| *number <= n_durable)
        {
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
    sender: Sender<Message>,
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
                    let message = Message { connection: self.connections.load(Ordering::Acquire), publish };
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

/// Messages as lines, as many as there are.
struct Lines {
    messages: Receiver<Message>,
    pattern: Option<TopicPattern>,
    text: Vec<u8>,
    at: usize,
    n_in_text: u64,
    n_given: Arc<AtomicU64>,
    unacknowledged: Unacknowledged,
    n_taken: u64,
}

impl Lines {
    fn take(&mut self, message: Message) {
        let topic = String::from_utf8_lossy(&message.publish.topic);
        self.text.extend(line(&topic, &message.publish.payload, self.pattern.as_ref()));
        self.n_in_text += 1;
        self.n_taken += 1;
        let mut waiting = self.unacknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back((self.n_taken, message));
    }
}

impl Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            // At the end of the connection there is nothing more to come.
            let Ok(message) = self.messages.recv() else { return Ok(0) };
            self.take(message);
            while self.n_in_text < N_AT_ONCE as u64
                && let Ok(message) = self.messages.try_recv()
            {
                self.take(message);
            }
        }
        let n = into.len().min(self.text.len() - self.at);
        into[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at += n;
        if self.at == self.text.len() {
            self.n_given.fetch_add(std::mem::take(&mut self.n_in_text), Ordering::AcqRel);
        }
        Ok(n)
    }
}
