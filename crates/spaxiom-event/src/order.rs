//! Order: a slightly disordered stream to one in order of time, without duplicates, in bounded memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use xxhash_rust::xxh64::xxh64;

use crate::event::Event;
use crate::ids::SiteId;

/// Sorts the events of each site by time, waiting for late ones for a while.
///
/// The watermark of a site stands `allowed_lateness` before the latest time that was seen of it.
/// Events up to the watermark are given in order; one that comes later than that is late, and is handed back.
/// Every site has a watermark of its own: the clock of one building says nothing about another.
#[derive(Debug)]
pub struct Reorder {
    allowed_lateness: TimeDelta,
    sites: BTreeMap<SiteId, Waiting>,
    n_pushed: u64,
    n_late: u64,
}

/// The events of a site that wait for their turn.
#[derive(Debug)]
struct Waiting {
    newest: DateTime<Utc>,
    heap: BinaryHeap<Reverse<Waiter>>,
}

/// Ordered by time, and events of one time in the order in which they came.
#[derive(Debug)]
struct Waiter {
    at: (DateTime<Utc>, u64),
    event: Event,
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Waiter {}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// An event that came after its time had been given out.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    /// The event.
    pub event: Event,
    /// How long after the watermark it came.
    pub by: TimeDelta,
}

impl Reorder {
    /// Waits so long for events that are late; events with the time of the watermark are still in time.
    #[must_use]
    pub fn new(allowed_lateness: TimeDelta) -> Self {
        Self { allowed_lateness, sites: BTreeMap::new(), n_pushed: 0, n_late: 0 }
    }

    /// Takes the next event, and appends to `ready` what can go on.
    pub fn push(&mut self, event: Event, ready: &mut Vec<Event>) -> Result<(), Box<Late>> {
        if !self.sites.contains_key(&event.site_id) {
            let waiting = Waiting { newest: event.time, heap: BinaryHeap::new() };
            self.sites.insert(event.site_id.clone(), waiting);
        }
        let waiting = self.sites.get_mut(&event.site_id).expect("it was just put in");
        let watermark = waiting.newest - self.allowed_lateness;
        if event.time < watermark {
            self.n_late += 1;
            return Err(Box::new(Late { by: watermark - event.time, event }));
        }
        waiting.newest = waiting.newest.max(event.time);
        let watermark = waiting.newest - self.allowed_lateness;
        waiting.heap.push(Reverse(Waiter { at: (event.time, self.n_pushed), event }));
        self.n_pushed += 1;
        while let Some(Reverse(first)) = waiting.heap.peek() {
            if first.at.0 >= watermark {
                break;
            }
            ready.extend(waiting.heap.pop().map(|Reverse(waiter)| waiter.event));
        }
        Ok(())
    }

    /// Everything that still waits, site by site in order of time.
    #[must_use]
    pub fn finish(self) -> Vec<Event> {
        let mut rest = Vec::new();
        for (_, mut waiting) in self.sites {
            rest.extend(std::iter::from_fn(|| waiting.heap.pop()).map(|Reverse(waiter)| waiter.event));
        }
        rest
    }

    /// Events that were handed back so far.
    #[must_use]
    pub fn n_late(&self) -> u64 {
        self.n_late
    }

    /// Events that wait.
    #[must_use]
    pub fn n_waiting(&self) -> usize {
        self.sites.values().map(|waiting| waiting.heap.len()).sum()
    }
}

/// Tells events that came before, by site and id.
///
/// Remembers the last `capacity` ids at least and twice as many at most, as 64-bit hashes:
/// a duplicate that comes later than that is not told, and one of 10^9 pairs of other events would be told as one
/// once in 10^10 runs.
#[derive(Debug)]
pub struct Deduplicator {
    capacity: usize,
    recent: HashSet<u64>,
    older: HashSet<u64>,
    n_duplicates: u64,
}

impl Deduplicator {
    /// Remembers so many ids.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), recent: HashSet::new(), older: HashSet::new(), n_duplicates: 0 }
    }

    /// Whether this event came before.
    pub fn is_duplicate(&mut self, event: &Event) -> bool {
        let hash = xxh64(event.id.as_str().as_bytes(), xxh64(event.site_id.as_str().as_bytes(), 0));
        if self.older.contains(&hash) || !self.recent.insert(hash) {
            self.n_duplicates += 1;
            return true;
        }
        if self.recent.len() >= self.capacity {
            self.older = std::mem::take(&mut self.recent);
        }
        false
    }

    /// Duplicates that were told so far.
    #[must_use]
    pub fn n_duplicates(&self) -> u64 {
        self.n_duplicates
    }
}
