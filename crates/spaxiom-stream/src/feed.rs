//! A thread that reads a source, and the bounded channel between it and the one that encodes.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use spaxiom_event::{EventReader, ReadOptions};

use crate::error::StreamError;
use crate::inlet::Inlet;
use crate::item::Item;
use crate::source::Opened;

/// Items between the threads at most: a slow store makes a slow source, not a large memory.
const CAPACITY: usize = 4_096;

/// What a program gives that waits at most, without a source: each may be thousands of events.
const N_GIVEN: usize = 16;

/// What a worker takes in: the items of a source, or what a program gives.
pub struct Feed {
    items: Receiver<Item>,
    acknowledge: Box<dyn FnMut(u64) -> Result<(), StreamError> + Send>,
}

/// What came of waiting for an item.
pub(crate) enum Next {
    Item(Item),
    Nothing,
    End,
}

impl Feed {
    /// What a program gives, and nothing else; over once every inlet is dropped.
    #[must_use]
    pub fn of_inlet() -> (Self, Inlet) {
        let (sender, items) = sync_channel(N_GIVEN);
        (Self { items, acknowledge: Box::new(|_| Ok(())) }, Inlet(sender))
    }

    /// Reads a source on a thread of its own.
    pub(crate) fn start(opened: Opened, name: String, options: ReadOptions) -> Self {
        let Opened { input, delivers_again, n_given, acknowledge } = opened;
        let (sender, items) = sync_channel(CAPACITY);
        let marking = Marking { input, n_given, has_begun: Arc::default(), sender };
        thread::spawn(move || read(marking, delivers_again, &name, &options));
        Self { items, acknowledge }
    }

    /// The next item; waits for it at most so long.
    pub(crate) fn next_within(&self, wait: Duration) -> Next {
        match self.items.recv_timeout(wait) {
            Ok(item) => Next::Item(item),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// The next item, if there is one now.
    pub(crate) fn next_now(&self) -> Next {
        match self.items.try_recv() {
            Ok(item) => Next::Item(item),
            Err(TryRecvError::Empty) => Next::Nothing,
            Err(TryRecvError::Disconnected) => Next::End,
        }
    }

    /// Drops what waits, so that a program hears at once that it is not durable; whether nothing more can come.
    ///
    /// For what an inlet gave: a source would not give it again.
    #[expect(clippy::must_use_candidate, reason = "dropping is a use of its own")]
    pub fn refuse_waiting(&self) -> bool {
        loop {
            match self.items.try_recv() {
                Ok(_) => {}
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    /// Tells the source that everything up to this message is durable.
    pub(crate) fn acknowledge(&mut self, n_messages: u64) -> Result<(), StreamError> {
        (self.acknowledge)(n_messages)
    }
}

/// Tells, at each read, that everything before it was handed on.
struct Marking {
    input: Box<dyn Read + Send>,
    n_given: Arc<AtomicU64>,
    has_begun: Arc<AtomicBool>,
    sender: SyncSender<Item>,
}

impl Read for Marking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // A reader that looks for more has handed on what it had, but for its first look at the format.
        if self.has_begun.load(Ordering::Acquire) {
            let _ = self.sender.send(Item::Delivered(self.n_given.load(Ordering::Acquire)));
        }
        self.input.read(into)
    }
}

fn read(marking: Marking, delivers_again: bool, name: &str, options: &ReadOptions) {
    let Marking { n_given, has_begun, sender, .. } = &marking;
    let (n_given, has_begun, sender) = (Arc::clone(n_given), Arc::clone(has_begun), sender.clone());
    // One thread: what is read is handed on before more is asked for.
    let options = ReadOptions { threads: Some(1), ..options.clone() };
    let reader = match EventReader::from_stream(Box::new(marking), name, &options) {
        Ok(reader) if delivers_again => reader.of_deliveries(),
        Ok(reader) => reader,
        Err(error) => {
            let _ = sender.send(Item::Broken(Box::new(error.into())));
            return;
        }
    };
    has_begun.store(true, Ordering::Release);
    for item in reader {
        let item = match item {
            Ok(record) => Item::Record(Box::new(record)),
            Err(rejected) => Item::Rejected(Box::new(rejected)),
        };
        // Nobody listens any more: the stream was stopped.
        if sender.send(item).is_err() {
            return;
        }
    }
    let _ = sender.send(Item::Delivered(n_given.load(Ordering::Acquire)));
}
