//! A memory that outlasts every window: what happened how often lately, how long ago, and where, at a constant cost per event.
//!
//! A window of 32 events is some minutes of a busy site. A memory holds hours of it: decayed counts of every token at several
//! half-lives, the time since each token came last, and the same for every zone, read out over the zones of a kind without
//! their names, so that it says "one of the docks had nothing for an hour" at a site that training never saw.
//! It is a closed form: a vocabulary is all that is learned.

mod bits;
mod clocks;
mod decayed;
mod functions;
mod options;
mod plan;
mod state;
mod vocabulary;
mod zones;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spaxiom_event::{Event, SiteId, ZoneId};
use xxhash_rust::xxh64::xxh64;

use self::clocks::Clocks;
pub use self::options::MemoryOptions;
use self::plan::Plan;
pub use self::state::MemoryState;
use self::state::{Moment, Room};
use self::vocabulary::{Vocabulary, VocabularyFile};
use crate::clock::LocalClock;
use crate::error::TokenError;
use crate::field::Coding;
use crate::fit::{TokenizerFit, TokenizerOptions};
use crate::format;
use crate::number::{NumberColumn, NumberSource};
use crate::sites::Sites;
use crate::table::{EventTable, SequenceRows};
use crate::tokenizer::{Layout, Tokenizer};

/// The newest format of a memory; this build reads this one and all before it.
const FORMAT: u32 = 1;

/// Turns the whole past of a site into one row of numbers per event.
///
/// ```
/// use spaxiom_event::{Event, SequenceKey};
/// use spaxiom_token::{ClockedMemory, EventTable, MemoryOptions, TokenizerFit};
///
/// let event = |kind: &str, secs: i64| {
///     Event::from_json(&format!(r#"{{"type": "{kind}", "zone": "dock_1", "time": {secs}}}"#))
/// };
/// let events = [event("DoorOpened", 0)?, event("DoorClosed", 20)?, event("DoorOpened", 3600)?];
/// let mut table = EventTable::new(SequenceKey::Site);
/// events.iter().for_each(|event| table.push(event));
/// let memory = ClockedMemory::fit(&MemoryOptions::default(), &TokenizerFit::default(), &table)?;
/// let mut stream = memory.stream(&events[0].site_id);
/// let rows: Vec<Vec<f32>> = events.iter().map(|event| stream.push(event)).collect();
/// assert_eq!(rows[2].len(), memory.n_features());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClockedMemory {
    /// Types, zones, their kinds, and attributes.
    tokenizer: Tokenizer,
    plan: Plan,
}

/// The artifact, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct MemoryFile {
    format: u32,
    options: MemoryOptions,
    vocabulary: VocabularyFile,
    tokenizer: Tokenizer,
}

impl ClockedMemory {
    /// Learns a vocabulary from the training part, whose sites and units `fit` knows.
    ///
    /// # Errors
    /// As of [`TokenizerFit::table`], and [`TokenError::Setting`] for options out of range.
    pub fn fit(options: &MemoryOptions, fit: &TokenizerFit, train: &EventTable) -> Result<Self, TokenError> {
        options.check()?;
        let options = &options.resolved();
        let fit = TokenizerFit {
            options: TokenizerOptions {
                n_bins: options.n_bins,
                bins: BTreeMap::new(),
                max_words: options.max_tokens,
                cell_resolutions_m: Vec::new(),
                value_segments: 1,
                ..TokenizerOptions::default()
            },
            ..fit.clone()
        };
        let (tokenizer, _) = fit.table(train)?;
        let is_remembered = |coding: &Coding| {
            matches!(
                coding,
                Coding::Type(_) | Coding::Zone(_) | Coding::Kind(_) | Coding::Number { .. } | Coding::Word(_)
            )
        };
        let fields = tokenizer.fields().iter().filter(|field| is_remembered(&field.coding)).cloned().collect();
        let is_attribute = |number: &&NumberColumn| matches!(number.source(), NumberSource::Attribute { .. });
        let numbers = tokenizer.numbers().iter().filter(is_attribute).cloned().collect();
        let tokenizer = Tokenizer::new(Layout::Composite, fields, numbers, &fit.sites, fit.registry.clone(), None);
        let vocabulary = vocabulary::learn(options, &tokenizer, train, &train.by_sequence());
        Ok(Self::of(options.clone(), tokenizer, vocabulary))
    }

    fn of(options: MemoryOptions, tokenizer: Tokenizer, vocabulary: VocabularyFile) -> Self {
        let vocabulary = Vocabulary::new(vocabulary, &tokenizer, options.n_hashed);
        let clocks = Clocks::new(&options);
        let mut memory = Self { tokenizer, plan: Plan { options, vocabulary, clocks, fingerprint: String::new() } };
        memory.plan.fingerprint = format!("{:016x}", xxh64(memory.to_json().as_bytes(), 0));
        memory
    }

    /// What was set.
    #[must_use]
    pub fn options(&self) -> &MemoryOptions {
        &self.plan.options
    }

    /// A short hash of the artifact; two memories with one fingerprint give the same numbers.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.plan.fingerprint.clone()
    }

    /// The same memory for sites that training did not have: their clocks, and what their zones are for.
    #[must_use]
    pub fn with_sites(mut self, sites: &Sites) -> Self {
        self.tokenizer = self.tokenizer.with_sites(sites);
        self
    }

    /// Numbers in a row.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.plan.n_features()
    }

    /// Tokens by name, and slots for others.
    #[must_use]
    pub fn n_tokens(&self) -> usize {
        self.plan.vocabulary.n_tokens()
    }

    /// The token of each row of a site.
    #[must_use]
    pub fn tokens(&self, table: &EventTable, sequence: &SequenceRows) -> Vec<usize> {
        let tokens =
            self.tokenizer.tokenize_rows(table, &[&sequence.rows]).expect("the tokenizer of a memory takes tables");
        let rows = tokens.iter().flat_map(|tokens| tokens.window(0, tokens.n_positions()).rows());
        rows.map(|row| self.plan.vocabulary.observe(row).token).collect()
    }

    /// Numbers at the end of a row that are read out over zones.
    #[must_use]
    pub fn n_zone_features(&self) -> usize {
        self.plan.n_zone_features()
    }

    /// A stream of events of a site in which nothing has happened yet.
    #[must_use]
    pub fn stream(&self, site: &SiteId) -> MemoryStream<'_> {
        let mut state = MemoryState::new(&self.plan);
        for (name, zone) in self.tokenizer.known_sites().zones_of(site.as_str()) {
            if let Some(kind) = self.kind_id(zone) {
                state.zones.place(name, kind, &self.plan.vocabulary, self.plan.options.max_zones);
            }
        }
        self.stream_of(site, state)
    }

    /// A stream that goes on with a state of the same memory.
    ///
    /// # Errors
    /// [`TokenError::MemoryState`] for a state of another memory or format.
    pub fn resumed(&self, site: &SiteId, state: MemoryState) -> Result<MemoryStream<'_>, TokenError> {
        Ok(self.stream_of(site, state.restored(&self.plan).ok_or(TokenError::MemoryState)?))
    }

    fn stream_of(&self, site: &SiteId, state: MemoryState) -> MemoryStream<'_> {
        let clock = LocalClock::new(self.tokenizer.known_sites().time_zone(site.as_str()));
        MemoryStream { memory: self, state, clock, room: Room::default() }
    }

    /// The id of a kind of zones that training knows.
    fn kind_id(&self, kind: &str) -> Option<u32> {
        let list = self.tokenizer.fields().iter().find_map(|field| match &field.coding {
            Coding::Kind(list) => Some(list),
            _ => None,
        })?;
        Some(list.id(kind))
    }

    /// Rows of numbers of some events of a site, given by their places among all rows of the site in order of time.
    ///
    /// # Panics
    /// Where the places do not ascend, or there are not so many rows: only a programmer can do that.
    #[must_use]
    pub fn read_rows(&self, table: &EventTable, sequence: &SequenceRows, wanted: &[usize]) -> Vec<f32> {
        let mut reader = self.reader(table, sequence);
        let mut features = vec![0.0; wanted.len() * self.n_features()];
        for (&place, features) in wanted.iter().zip(features.chunks_exact_mut(self.n_features())) {
            reader.read(place, features);
        }
        features
    }

    /// Reads the rows of a site one after the other.
    #[must_use]
    pub fn reader<'m>(&'m self, table: &'m EventTable, sequence: &'m SequenceRows) -> MemoryReader<'m> {
        let SequenceRows { site_id, rows } = sequence;
        let tokens = self.tokenizer.tokenize_rows(table, &[rows]).expect("the tokenizer of a memory takes tables");
        let tokens = tokens.into_iter().next().expect("one sequence in, one out");
        let window = tokens.window(0, tokens.n_positions());
        let (ids, values) = (window.ids(), window.values());
        MemoryReader { stream: self.stream(site_id), table, rows, ids, values, n_read: 0 }
    }

    /// The artifact: readable, ordered, the same bytes for the same memory.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Plan { options, vocabulary, clocks: _, fingerprint: _ } = &self.plan;
        let (options, tokenizer, vocabulary) = (options.clone(), self.tokenizer.clone(), vocabulary.file.clone());
        let file = MemoryFile { format: FORMAT, options, vocabulary, tokenizer };
        serde_json::to_string_pretty(&file).expect("a memory has string keys and finite numbers only")
    }

    /// Reads the artifact.
    ///
    /// # Errors
    /// [`TokenError::Format`] for the format of a newer build, [`TokenError::Json`] for anything that is no memory.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        format::require(text, FORMAT)?;
        let MemoryFile { format: _, options, vocabulary, tokenizer } = serde_json::from_str(text)?;
        options.check()?;
        Ok(Self::of(options, tokenizer, vocabulary))
    }
}

/// The memory of a site that is fed event by event.
pub struct MemoryStream<'m> {
    memory: &'m ClockedMemory,
    state: MemoryState,
    clock: LocalClock,
    room: Room,
}

impl MemoryStream<'_> {
    /// Takes the next event in, and gives the numbers of its moment, itself included.
    pub fn push(&mut self, event: &Event) -> Vec<f32> {
        let tokens = self.memory.tokenizer.tokenize_event(event);
        let (row, values) = (tokens.window(0, 1).ids(), tokens.window(0, 1).values());
        let time_ns = event.time.timestamp_nanos_opt().expect("events have times between 1677 and 2262");
        let zone = event.zone.as_ref().map(ZoneId::as_str);
        self.take(Moment { time_ns, row: &row, values: &values, zone });
        let mut features = vec![0.0; self.memory.n_features()];
        self.write(time_ns, &mut features);
        features
    }

    /// What it holds, to be gone on with by [`ClockedMemory::resumed`].
    #[must_use]
    pub fn state(&self) -> &MemoryState {
        &self.state
    }

    fn take(&mut self, moment: Moment<'_>) {
        self.state.push(&self.memory.plan, moment, &mut self.room.weights);
    }

    fn write(&mut self, time_ns: i64, features: &mut [f32]) {
        self.state.read(&self.memory.plan, self.clock.local(time_ns), &mut self.room, features);
    }
}

/// Reads the rows of a site in a table one after the other; see [`ClockedMemory::reader`].
pub struct MemoryReader<'m> {
    stream: MemoryStream<'m>,
    table: &'m EventTable,
    rows: &'m [u32],
    ids: Vec<u32>,
    values: Vec<f32>,
    n_read: usize,
}

impl MemoryReader<'_> {
    /// Numbers in a row.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.stream.memory.n_features()
    }

    /// Writes the numbers of an event, given by its place among the rows; all before it are taken in.
    ///
    /// # Panics
    /// For a place before one that was read, or behind the last row.
    pub fn read(&mut self, place: usize, features: &mut [f32]) {
        assert!(place + 1 >= self.n_read.max(1), "row {place} is read after row {}", self.n_read - 1);
        self.skip_to(place + 1);
        self.stream.write(self.table.time_ns(self.rows[place]), features);
    }

    /// Takes rows in until there are so many.
    pub fn skip_to(&mut self, n_rows: usize) {
        let n_rows_in_all = self.rows.len().max(1);
        let (n_fields, n_values) = (self.ids.len() / n_rows_in_all, self.values.len() / n_rows_in_all);
        for place in self.n_read..n_rows {
            let row = self.rows[place];
            let ids = &self.ids[place * n_fields..(place + 1) * n_fields];
            let values = &self.values[place * n_values..(place + 1) * n_values];
            let moment = Moment { time_ns: self.table.time_ns(row), row: ids, values, zone: self.table.zone(row) };
            self.stream.take(moment);
        }
        self.n_read = self.n_read.max(n_rows);
    }
}
