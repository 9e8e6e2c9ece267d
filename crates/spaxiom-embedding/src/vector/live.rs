//! Many sites that are fed event by event, and what has to be kept of each to go on later.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use spaxiom_event::{Event, SiteId};
use spaxiom_token::{Layout, MemoryState};

use super::vectors::{SiteStream, Vectors};
use crate::error::EmbeddingError;

const WRITTEN: &str = "events and states have string keys and finite numbers only";

/// The newest format of a kept site.
const FORMAT: u32 = 1;

/// What a stream holds of a site.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct KeptSite {
    format: u32,
    /// The last events, oldest first: windows of the next ones are made of their tokens.
    events: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<MemoryState>,
    /// What a recurrent encoder goes on with, by the bits of its numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    walk: Vec<u32>,
}

/// Many sites that are fed event by event; see [`Vectors::live`].
pub struct LiveVectors<'a> {
    vectors: &'a Vectors,
    sites: HashMap<SiteId, LiveSite<'a>>,
}

struct LiveSite<'a> {
    stream: SiteStream<'a>,
    last: VecDeque<Event>,
}

impl Vectors {
    /// Streams of many sites, in none of which anything has happened yet.
    ///
    /// # Errors
    /// [`EmbeddingError::NotLive`] for tokens of stretches of time.
    pub fn live(&self) -> Result<LiveVectors<'_>, EmbeddingError> {
        if matches!(self.tokenizer().layout(), Layout::Bins { .. }) {
            return Err(EmbeddingError::NotLive);
        }
        Ok(LiveVectors { vectors: self, sites: HashMap::new() })
    }

    /// Events before one that its window can have, and one more for the gap of the first.
    fn n_kept(&self) -> usize {
        // What goes on event by event has the others in its state.
        let n_window = if self.encoder().is_some_and(|encoder| encoder.walk().is_some()) { 1 } else { self.max_len() };
        n_window + 1
    }
}

impl LiveVectors<'_> {
    /// The vector of the next event of its site: to the last bit that of [`super::VectorReader::read`] for the whole sequence.
    ///
    /// Events of a site come in order of time.
    pub fn push(&mut self, event: &Event) -> Vec<f32> {
        let vectors = self.vectors;
        let new = || LiveSite { stream: SiteStream::new(vectors, &event.site_id), last: VecDeque::new() };
        let site = self.sites.entry(event.site_id.clone()).or_insert_with(new);
        site.last.push_back(event.clone());
        if site.last.len() > vectors.n_kept() {
            site.last.pop_front();
        }
        site.stream.push(vectors, event)
    }

    /// The last event of a site.
    #[must_use]
    pub fn last(&self, site: &SiteId) -> Option<&Event> {
        self.sites.get(site)?.last.back()
    }

    /// What it holds of a site, to be gone on with by [`LiveVectors::resume`]; none for one of which nothing came.
    #[must_use]
    pub fn state(&self, site: &SiteId) -> Option<Vec<u8>> {
        let LiveSite { stream, last } = self.sites.get(site)?;
        let kept = KeptSite {
            format: FORMAT,
            events: last.iter().map(|event| serde_json::to_value(event).expect(WRITTEN)).collect(),
            memory: stream.memory().map(|memory| memory.state().clone()),
            walk: stream.walk().map(|walk| walk.state().into_iter().map(f32::to_bits).collect()).unwrap_or_default(),
        };
        Some(serde_json::to_vec(&kept).expect(WRITTEN))
    }

    /// Goes on with what [`LiveVectors::state`] gave.
    ///
    /// # Errors
    /// [`EmbeddingError::OtherState`] for that of another run or of a newer build.
    pub fn resume(&mut self, site: &SiteId, state: &[u8]) -> Result<(), EmbeddingError> {
        let other = || EmbeddingError::OtherState { of: format!("the site `{site}`") };
        let KeptSite { format, events, memory, walk } = serde_json::from_slice(state).map_err(|_| other())?;
        let events = events.iter().map(|event| Event::from_json(&event.to_string()));
        let events: Vec<Event> = events.collect::<Result<_, _>>().map_err(|_| other())?;
        let walk: Vec<f32> = walk.into_iter().map(f32::from_bits).collect();
        let stream = SiteStream::resumed(self.vectors, site, &events, memory, &walk);
        let stream = stream.filter(|_| format == FORMAT).ok_or_else(other)?;
        self.sites.insert(site.clone(), LiveSite { stream, last: events.into() });
        Ok(())
    }
}
