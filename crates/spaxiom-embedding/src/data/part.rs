//! A split of a data set in memory: its events as columns, and their tokens.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use spaxiom_event::{Event, EventSequence, SequenceKey, SiteId, group_by_site};
use spaxiom_objective::{Moment, ObjectiveSet, Timeline, Windows};
use spaxiom_token::{ClockedMemory, EventSpan, EventTable, SequenceRows, TokenSequence, TokenWindow, Tokenizer};

/// A split of a data set: one sequence of events per site, and their tokens.
///
/// Events are kept as columns; whole events are made of them the first time that somebody asks.
#[derive(Debug)]
pub struct PartData {
    sequences: Vec<PartSequence>,
    /// One per site.
    pub tokens: Vec<TokenSequence>,
    events: OnceLock<Vec<EventSequence>>,
    /// One per site, or none where nobody asked for moments.
    timelines: Vec<Timeline>,
}

/// The events of one site.
#[derive(Debug)]
struct PartSequence {
    table: Arc<EventTable>,
    rows: SequenceRows,
}

impl PartData {
    /// Of some rows of a table of whole events, in order of time.
    pub(crate) fn new(table: &Arc<EventTable>, rows: Vec<SequenceRows>, tokenizer: &Tokenizer) -> Self {
        let tokens = tokenize(table, &rows, tokenizer);
        let sequences = rows.into_iter().map(|rows| PartSequence { table: Arc::clone(table), rows }).collect();
        Self { sequences, tokens, events: OnceLock::new(), timelines: Vec::new() }
    }

    /// The same with a table of its own, so that the rest of the data can be dropped.
    pub(crate) fn apart(table: &EventTable, mut rows: Vec<SequenceRows>, tokenizer: &Tokenizer) -> Self {
        let mut own = EventTable::of_whole_events(SequenceKey::Site);
        for sequence in &mut rows {
            let first = u32::try_from(own.len()).expect("a table has fewer than 2^32 rows");
            table.events(&sequence.rows).for_each(|event| own.push(&event));
            sequence.rows = (first..).take(sequence.rows.len()).collect();
        }
        Self::new(&Arc::new(own), rows, tokenizer)
    }

    /// All parts after one another.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined =
            Self { sequences: Vec::new(), tokens: Vec::new(), events: OnceLock::new(), timelines: Vec::new() };
        for part in parts {
            joined.sequences.extend(part.sequences);
            joined.tokens.extend(part.tokens);
        }
        joined
    }

    /// The same with the moments of its windows, where an objective needs them, in tokens of the memory.
    ///
    /// A gap between days of the part is a time without events.
    pub(crate) fn with_moments(self, objectives: &ObjectiveSet, memory: Option<&ClockedMemory>) -> Self {
        let is_needed = objectives.names().iter().any(|name| name.needs_moments());
        let Some(memory) = memory.filter(|_| is_needed) else { return self };
        let timeline = |PartSequence { table, rows }: &PartSequence| {
            let times = rows.rows.iter().map(|row| table.time_ns(*row)).collect();
            Timeline::new(times, memory.tokens(table, rows))
        };
        Self { timelines: self.sequences.iter().map(timeline).collect(), ..self }
    }

    /// The moment of an event, given by sequence and event, where somebody asked for moments.
    pub(crate) fn moment(&self, (sequence_idx, event_idx): (usize, usize)) -> Option<Moment<'_>> {
        Some(self.timelines.get(sequence_idx)?.moment(event_idx))
    }

    /// Events per second of every token of the memory; empty where nobody asked for moments.
    pub(crate) fn token_rates(&self, memory: Option<&ClockedMemory>) -> Vec<f64> {
        let rates = |memory: &ClockedMemory| Timeline::rates(&self.timelines, memory.n_tokens());
        memory.filter(|_| !self.timelines.is_empty()).map(rates).unwrap_or_default()
    }

    /// The events, one sequence per site.
    #[must_use]
    pub fn sequences(&self) -> &[EventSequence] {
        self.events.get_or_init(|| {
            let of_site = |PartSequence { table, rows }: &PartSequence| group_by_site(table.events(&rows.rows));
            self.sequences.iter().flat_map(of_site).collect()
        })
    }

    /// The site of a sequence.
    pub(crate) fn site_id(&self, sequence_idx: usize) -> &SiteId {
        &self.sequences[sequence_idx].rows.site_id
    }

    /// The site and the rows of a sequence.
    pub(crate) fn rows(&self, sequence_idx: usize) -> &SequenceRows {
        &self.sequences[sequence_idx].rows
    }

    /// Sequence and event of all of them in order.
    pub(crate) fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let events =
            |(sequence_idx, part): (usize, &PartSequence)| (0..part.rows.rows.len()).map(move |at| (sequence_idx, at));
        self.sequences.iter().enumerate().flat_map(events)
    }

    /// The time of an event, given by sequence and event.
    pub(crate) fn time(&self, (sequence_idx, event_idx): (usize, usize)) -> DateTime<Utc> {
        let PartSequence { table, rows } = &self.sequences[sequence_idx];
        DateTime::from_timestamp_nanos(table.time_ns(rows.rows[event_idx]))
    }

    /// An event, given by sequence and event, and up to `n` before it, oldest first.
    pub(crate) fn events_up_to(&self, (sequence_idx, event_idx): (usize, usize), n: usize) -> Vec<Event> {
        let PartSequence { table, rows } = &self.sequences[sequence_idx];
        table.events(&rows.rows[event_idx.saturating_sub(n)..=event_idx]).collect()
    }

    /// The entities of the events of a sequence.
    pub(crate) fn entities(&self, sequence_idx: usize) -> impl Iterator<Item = Option<&str>> {
        let PartSequence { table, rows } = &self.sequences[sequence_idx];
        table.entities(&rows.rows)
    }

    /// The context of an event, given by sequence and event.
    #[must_use]
    pub fn context(&self, (sequence_idx, event_idx): (usize, usize), max_len: usize) -> TokenWindow<'_> {
        self.tokens[sequence_idx].context(event_idx, max_len)
    }

    /// The windows of the split, with their events if `with_events`, and with their moments where they are known.
    pub(crate) fn windows(&self, max_len: usize, with_events: bool) -> Windows<'_> {
        let windows = Windows::new(&self.tokens, max_len);
        let windows = if self.timelines.is_empty() { windows } else { windows.with_moments(&self.timelines) };
        if with_events { windows.with_events(self.sequences().iter().map(EventSpan::whole).collect()) } else { windows }
    }
}

/// The tokens of each sequence: of columns where the tokenizer takes them, otherwise event by event.
pub(crate) fn tokenize(table: &EventTable, sequences: &[SequenceRows], tokenizer: &Tokenizer) -> Vec<TokenSequence> {
    let rows: Vec<&[u32]> = sequences.iter().map(|sequence| sequence.rows.as_slice()).collect();
    tokenizer.tokenize_rows(table, &rows).unwrap_or_else(|_| {
        let of_site = |rows: &&[u32]| group_by_site(table.events(rows)).pop();
        rows.iter().filter_map(of_site).map(|sequence| tokenizer.tokenize(&sequence)).collect()
    })
}
