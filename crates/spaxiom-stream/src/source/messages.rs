//! Messages of a broker as lines of text, numbered, and kept until what they say is durable.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use super::topic::{TopicPattern, line};

/// Messages that are given in one read at most.
const N_AT_ONCE: usize = 256;

/// A message of a broker.
pub(super) trait Message: Send + 'static {
    /// Where it was published.
    fn topic(&self) -> String;

    /// What it says.
    fn payload(&self) -> &[u8];
}

/// Messages that were given and are not yet durable, with their numbers.
#[derive(Debug)]
pub(super) struct Unacknowledged<M>(Mutex<VecDeque<(u64, M)>>);

impl<M> Unacknowledged<M> {
    /// Those up to a number, which are forgotten.
    pub(super) fn take(&self, n_durable: u64) -> Vec<M> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        while let Some((_, message)) = waiting.pop_front_if(|(number, _)| *number <= n_durable) {
            taken.push(message);
        }
        taken
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<M>
    where
        M: Clone,
    {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().map(|(_, message)| message.clone()).collect()
    }

    fn push(&self, number: u64, message: M) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back((number, message));
    }
}

/// Messages as lines, as many as there are.
pub(super) struct Messages<M> {
    coming: Receiver<M>,
    pattern: Option<TopicPattern>,
    text: Vec<u8>,
    at: usize,
    n_in_text: u64,
    n_given: Arc<AtomicU64>,
    unacknowledged: Arc<Unacknowledged<M>>,
    n_taken: u64,
}

impl<M: Message> Messages<M> {
    pub(super) fn new(coming: Receiver<M>, pattern: Option<TopicPattern>) -> Self {
        Self {
            coming,
            pattern,
            text: Vec::new(),
            at: 0,
            n_in_text: 0,
            n_given: Arc::default(),
            unacknowledged: Arc::new(Unacknowledged(Mutex::default())),
            n_taken: 0,
        }
    }

    /// How many were given.
    pub(super) fn n_given(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.n_given)
    }

    /// Those that are not durable yet.
    pub(super) fn unacknowledged(&self) -> Arc<Unacknowledged<M>> {
        Arc::clone(&self.unacknowledged)
    }

    fn take(&mut self, message: M) {
        self.text.extend(line(&message.topic(), message.payload(), self.pattern.as_ref()));
        self.n_in_text += 1;
        self.n_taken += 1;
        self.unacknowledged.push(self.n_taken, message);
    }
}

impl<M: Message> Read for Messages<M> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
            // At the end of the connection there is nothing more to come.
            let Ok(message) = self.coming.recv() else { return Ok(0) };
            self.take(message);
            while self.n_in_text < N_AT_ONCE as u64
                && let Ok(message) = self.coming.try_recv()
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
