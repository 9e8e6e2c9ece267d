//! Messages of a stream of NATS `JetStream`, acknowledged after the commit.
//!
//! A durable pull consumer of this name keeps what is not acknowledged, whoever ends: the stream, the server, the network.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use async_nats::jetstream::{self, AckKind};
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::address::NatsAddress;
use super::messages::{Message, Messages, Unacknowledged};
use super::opened::Opened;
use super::topic::TopicPattern;
use crate::error::StreamError;

/// Messages that a server sends ahead of their acknowledgement.
const MAX_ACK_PENDING: i64 = 4_096;

/// Messages that are asked for at once.
const BATCH: usize = 1_024;

/// A server gives a message again after so long; one that is still worked on says so three times before.
const ACK_WAIT: Duration = Duration::from_secs(30);
const PROGRESS: Duration = Duration::from_secs(10);

/// A server that says nothing for twice as long is asked anew.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long the first answer of a server is waited for.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Between two tries to get the consumer back, at first and at most.
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(10)];

impl Message for jetstream::Message {
    /// Subjects are parted by dots, and patterns of topics by slashes.
    fn topic(&self) -> String {
        self.subject.replace('.', "/")
    }

    fn payload(&self) -> &[u8] {
        &self.message.payload
    }
}

/// Pulls messages, and gives them as lines of text.
///
/// # Errors
/// [`StreamError::Broker`] for a server that cannot be reached, and a stream that it does not have.
pub(super) fn open(
    address: &NatsAddress,
    client: &str,
    password: Option<&str>,
    pattern: Option<TopicPattern>,
) -> Result<Opened, StreamError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (sender, receiver) = mpsc::channel();
    let input = Messages::new(receiver, pattern);
    let (n_given, unacknowledged) = (input.n_given(), input.unacknowledged());
    let (first, answer) = mpsc::channel();
    let (acknowledge, durable) = unbounded_channel();
    let pulling = Pulling {
        address: address.clone(),
        name: client.to_owned(),
        password: password.map(str::to_owned),
        sender,
        unacknowledged: Arc::clone(&unacknowledged),
    };
    let thread = thread::spawn(move || runtime.block_on(pulling.run(&first, durable)));
    let broker = &address.server;
    match answer.recv_timeout(FIRST_ANSWER) {
        Ok(Ok(())) => {}
        Ok(Err(what)) => return Err(broker.error(what)),
        Err(RecvTimeoutError::Timeout) => return Err(broker.error("it does not answer")),
        Err(RecvTimeoutError::Disconnected) => return Err(broker.error("the connection ended")),
    }
    let leaving = Leaving { acknowledge: Some(acknowledge), thread: Some(thread) };
    let acknowledge = move |n_durable: u64| {
        for message in unacknowledged.take(n_durable) {
            // Where nobody listens any more the server gives it again, and it is then known.
            if let Some(acknowledge) = &leaving.acknowledge {
                let _ = acknowledge.send(message);
            }
        }
        Ok(())
    };
    Ok(Opened { input: Box::new(input), delivers_again: true, n_given, acknowledge: Box::new(acknowledge) })
}

/// Waits, when the stream ends, until the server knows what is durable.
struct Leaving {
    acknowledge: Option<UnboundedSender<jetstream::Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        drop(self.acknowledge.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The side of the connection.
struct Pulling {
    address: NatsAddress,
    name: String,
    password: Option<String>,
    sender: Sender<jetstream::Message>,
    unacknowledged: Arc<Unacknowledged<jetstream::Message>>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Pulling {
    /// Runs until nobody reads, or nobody acknowledges any more.
    async fn run(self, first: &Sender<Result<(), String>>, durable: UnboundedReceiver<jetstream::Message>) {
        let begun = async {
            let client = self.connected().await?;
            let consumer = self.consumer(&client).await?;
            Ok::<_, Failure>((client, consumer))
        };
        let (client, consumer) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                let _ = first.send(Err(error.to_string()));
                return;
            }
        };
        let _ = first.send(Ok(()));
        let acknowledging = tokio::spawn(acknowledged(durable, Arc::clone(&self.unacknowledged)));
        tokio::select! {
            () = self.pull(&client, consumer) => {}
            // What was told to be durable is acknowledged before the end.
            _ = acknowledging => {}
        }
        let _ = client.flush().await;
    }

    async fn connected(&self) -> Result<Client, Failure> {
        let (options, place) = self.address.server.nats(&self.name, self.password.as_deref());
        Ok(options.connect(place).await?)
    }

    /// The durable consumer, made anew from the first message that is not acknowledged on: what was given and not
    /// acknowledged would else come again between newer messages, and each vector needs what was before it.
    ///
    /// One that has acknowledged more than the stream ever had begins at its beginning (nats-server#5412).
    async fn consumer(&self, client: &Client) -> Result<Consumer<Config>, Failure> {
        let context = jetstream::new(client.clone());
        let mut stream = context.get_stream(&self.address.stream).await?;
        let last = stream.info().await?.state.last_sequence;
        let known = stream.consumer_info(&self.name).await.ok();
        let floor = known.as_ref().map_or(0, |known| known.ack_floor.stream_sequence);
        if floor > last {
            tracing::warn!("the stream `{}` was made anew: it is read from its beginning", self.address.stream);
        }
        if known.is_some() {
            stream.delete_consumer(&self.name).await?;
        }
        let deliver_policy = match floor {
            1.. if floor <= last => DeliverPolicy::ByStartSequence { start_sequence: floor + 1 },
            _ => DeliverPolicy::All,
        };
        let config = Config {
            durable_name: Some(self.name.clone()),
            deliver_policy,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: MAX_ACK_PENDING,
            filter_subject: self.address.subject.clone().unwrap_or_default(),
            ..Config::default()
        };
        Ok(stream.create_consumer(config).await?)
    }

    /// Hands messages on; a consumer that is lost, or says nothing, is got anew.
    async fn pull(&self, client: &Client, mut consumer: Consumer<Config>) {
        let [mut pause, longest] = RETRY;
        loop {
            let why = match self.hand_on(&consumer).await {
                Ok(()) => return,
                Err(error) => error,
            };
            tracing::warn!("the server is lost, tried again in {:.1} s: {why}", pause.as_secs_f64());
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(longest);
            if let Ok(again) = self.consumer(client).await {
                consumer = again;
                pause = RETRY[0];
            }
        }
    }

    /// Until nobody reads, which is no error.
    async fn hand_on(&self, consumer: &Consumer<Config>) -> Result<(), Failure> {
        let mut messages = consumer.stream().max_messages_per_batch(BATCH).heartbeat(HEARTBEAT).messages().await?;
        while let Some(message) = messages.next().await {
            if self.sender.send(message?).is_err() {
                return Ok(());
            }
        }
        Err("its messages ended".into())
    }
}

/// Acknowledges what is durable, and says of all else that it is worked on; ends when nothing more becomes durable.
async fn acknowledged(
    mut durable: UnboundedReceiver<jetstream::Message>,
    unacknowledged: Arc<Unacknowledged<jetstream::Message>>,
) {
    let mut turn = tokio::time::interval(PROGRESS);
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            n = durable.recv_many(&mut batch, BATCH) => {
                if n == 0 {
                    return;
                }
                // Twice: the server says that it knows. One that does not is asked again when it gives the message again.
                join_all(batch.iter().map(jetstream::Message::double_ack)).await;
            }
            _ = turn.tick() => {
                for message in unacknowledged.all() {
                    let _ = message.ack_with(AckKind::Progress).await;
                }
            }
        }
    }
}
