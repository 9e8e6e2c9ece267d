//! The one that writes: takes in what programs give, on a thread of its own.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use spaxiom_embedding::{EmbeddingPipeline, FallRiskClassifier, ReadOptions, Rejected};
use spaxiom_stream::{
    Feed, Given, Inlet, Outcome, Sink, StreamError, StreamObserver, StreamOptions, StreamSummary, Worker,
};
use tokio::sync::oneshot;

use crate::desk::{AckAsked, Desk};
use crate::error::ServeError;

/// Tries of a commit until whoever gave the events is told that they are not stored.
const COMMIT_TRIES: u32 = 2;

/// After a failure it is not ready for so long, unless something is written before. After that whoever gives events only to
/// a server that is ready tries again: what else would show that there is room?
const UNREADY: TimeDelta = TimeDelta::seconds(5);

/// Until a store that could not be written is tried again.
const REST: Duration = Duration::from_millis(500);

/// Opens the places that alerts go to.
pub type OpenSinks = Box<dyn FnMut() -> Result<Vec<Box<dyn Sink>>, StreamError> + Send>;

/// What the writer needs to begin, and to begin again.
pub struct WriterOptions {
    /// Makes the vectors and writes the store.
    pub pipeline: EmbeddingPipeline,
    /// Judges risks too.
    pub risk: Option<FallRiskClassifier>,
    /// As for a stream.
    pub stream: StreamOptions,
    /// Opens the places that alerts go to.
    pub sinks: OpenSinks,
    /// How lines of events are read.
    pub read: ReadOptions,
    /// The time of the world.
    pub now: fn() -> DateTime<Utc>,
}

/// Takes in events and acknowledgements until it is closed.
pub struct Writer {
    inlet: Mutex<Option<Inlet>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    read: ReadOptions,
    progress: Arc<Progress>,
}

/// An alert that somebody has.
#[derive(Debug, Serialize)]
pub(crate) struct Acknowledged {
    alert_id: String,
}

/// How the thread fares.
struct Progress {
    summary: Mutex<StreamSummary>,
    failing_until: Mutex<Option<DateTime<Utc>>>,
    now: fn() -> DateTime<Utc>,
}

impl Progress {
    /// Writing failed, or went well.
    fn wrote(&self, well: bool) {
        let until = (!well).then(|| (self.now)() + UNREADY);
        *self.failing_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl Writer {
    /// Starts the thread, which goes on where the store's last commit ended.
    ///
    /// # Errors
    /// [`ServeError::Stream`] where it cannot begin: for places of alerts that cannot be opened, and rules that cannot be.
    pub fn start(options: WriterOptions) -> Result<Self, ServeError> {
        let WriterOptions { pipeline, risk, stream, sinks, read, now } = options;
        let (feed, inlet) = Feed::of_inlet();
        let stream = StreamOptions { is_live: true, commit_tries: COMMIT_TRIES, ..stream };
        let progress = Arc::new(Progress { summary: Mutex::default(), failing_until: Mutex::default(), now });
        let observer = Observer(Arc::clone(&progress));
        let (sender, begun) = mpsc::channel();
        let begin = Begin { pipeline, risk, stream, sinks };
        let thread = thread::spawn(move || run(begin, feed, observer, &sender));
        begun.recv().map_err(|_| StreamError::Over)??;
        Ok(Self { inlet: Mutex::new(Some(inlet)), thread: Mutex::new(Some(thread)), read, progress })
    }

    /// Hands something to the thread.
    pub(crate) fn give(&self, given: Given) -> Result<(), StreamError> {
        let inlet = self.inlet.lock().unwrap_or_else(PoisonError::into_inner).clone();
        inlet.ok_or(StreamError::Over)?.give(given)
    }

    /// Hands something to the thread and waits until it is durable.
    pub(crate) async fn durable<T>(&self, given: Given, answered: oneshot::Receiver<T>) -> Result<T, Refusal> {
        match self.give(given) {
            Ok(()) => answered.await.map_err(|_| Refusal::NotStored),
            Err(StreamError::Busy) => Err(Refusal::Busy),
            Err(_) => Err(Refusal::Ending),
        }
    }

    /// Acknowledges an alert of a site that the desk answers about.
    pub(crate) async fn acknowledge(&self, desk: Desk, asked: AckAsked) -> Result<Acknowledged, Refusal> {
        let AckAsked { alert_id, outcome } = asked;
        let none = || Refusal::Asked(format!("there is no alert `{alert_id}`, or it is over: say its outcome then"));
        let outcome =
            match outcome.as_str() {
                "" => None,
                name => Some(Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == name).ok_or_else(|| {
                    Refusal::Asked(format!("`outcome` is true, near, false or unknown, not `{name}`"))
                })?),
            };
        let id = alert_id.clone();
        let is_own = tokio::task::spawn_blocking(move || desk.knows_alert(&id)).await;
        if !is_own.is_ok_and(|known| known.unwrap_or(false)) {
            return Err(none());
        }
        let (sender, answered) = oneshot::channel();
        let done = Box::new(move |is_there| {
            let _ = sender.send(is_there);
        });
        let is_there = self.durable(Given::Acknowledgement(alert_id.clone(), outcome, done), answered).await?;
        if is_there { Ok(Acknowledged { alert_id }) } else { Err(none()) }
    }

    /// How lines of events are read.
    pub(crate) fn read(&self) -> &ReadOptions {
        &self.read
    }

    /// Whether the store could not be written when it was last tried, a moment ago.
    pub(crate) fn is_failing(&self) -> bool {
        let until = *self.progress.failing_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| (self.progress.now)() < until)
    }

    /// Takes nothing more in, and waits until all that was taken in is durable.
    pub(crate) fn close(&self) {
        drop(self.inlet.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes the store broke off");
        }
    }

    /// Figures in the text format of Prometheus.
    pub(crate) fn to_text(&self) -> String {
        let StreamSummary { new, known, late, commits, decisions, notices, .. } =
            *self.progress.summary.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, value, help) in [
            ("new", new, "Events that are in the store now and were not before"),
            ("known", known, "Events that were there"),
            ("late", late, "New events that came after a newer one of their site"),
            ("commits", commits, "Commits"),
            ("decisions", decisions, "Decisions about a risk"),
            ("notices", notices, "Notices of alerts that were sent"),
        ] {
            let _ = writeln!(
                text,
                "# HELP spaxiom_ingest_{name}_total {help}.\n# TYPE spaxiom_ingest_{name}_total counter\n\
                spaxiom_ingest_{name}_total {value}"
            );
        }
        let is_failing = u8::from(self.is_failing());
        let _ = writeln!(
            text,
            "# HELP spaxiom_ingest_failing Whether the store could not be written when it was last tried.\n\
            # TYPE spaxiom_ingest_failing gauge\nspaxiom_ingest_failing {is_failing}"
        );
        text
    }
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("this server writes nothing: start it with `--allow-write`")]
    ReadOnly,
    #[error("{0}")]
    Asked(String),
    #[error("the store takes events more slowly than they come: give the same again")]
    Busy,
    #[error("the store cannot be written now, and nothing of this is known to be durable: give the same again")]
    NotStored,
    #[error("the server is ending")]
    Ending,
}

/// What a worker begins with, each time.
struct Begin {
    pipeline: EmbeddingPipeline,
    risk: Option<FallRiskClassifier>,
    stream: StreamOptions,
    sinks: OpenSinks,
}

impl Begin {
    fn worker(&mut self) -> Result<Worker<'_>, StreamError> {
        let sinks = (self.sinks)()?;
        Worker::new(&self.pipeline, self.risk.as_ref(), self.stream.clone(), sinks)
    }
}

/// Works until the feed ends. A store that cannot be written is left alone for a while, and gone on with from its last commit:
/// whoever gave what is not durable was told so, and gives it again. `begun` hears how it began, and nothing more if that failed.
fn run(mut begin: Begin, mut feed: Feed, mut observer: Observer, begun: &mpsc::Sender<Result<(), StreamError>>) {
    let mut is_first = true;
    loop {
        let worked = match begin.worker() {
            Err(error) if is_first => {
                let _ = begun.send(Err(error));
                return;
            }
            Err(error) => Err(error),
            Ok(mut worker) => {
                if std::mem::take(&mut is_first) {
                    let _ = begun.send(Ok(()));
                }
                let worked = worker.run(&mut feed, &mut observer);
                if worked.is_err() {
                    // Before the worker is dropped, and whoever waits for an answer asks whether it is ready.
                    observer.0.wrote(false);
                }
                worked
            }
        };
        let Err(error) = worked else { return };
        observer.0.wrote(false);
        tracing::error!("events are not stored now: {error}");
        thread::sleep(REST);
        // Nobody waits in vain, and nobody at all keeps the thread.
        if feed.refuse_waiting() {
            return;
        }
    }
}

struct Observer(Arc<Progress>);

impl StreamObserver for Observer {
    fn is_stopped(&mut self) -> bool {
        false
    }

    fn now(&mut self) -> DateTime<Utc> {
        (self.0.now)()
    }

    fn rejected(&mut self, _: &Rejected) {}

    fn committed(&mut self, summary: &StreamSummary) {
        self.0.wrote(true);
        *self.0.summary.lock().unwrap_or_else(PoisonError::into_inner) = *summary;
    }

    fn pause(&mut self, pause: Duration, why: &StreamError) {
        tracing::warn!("{why}");
        thread::sleep(pause);
    }
}
