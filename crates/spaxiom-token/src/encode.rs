//! Events to rows, one after the other: a whole sequence and a stream go the same way.

use chrono::{DateTime, Utc};
use spaxiom_event::{AttrValue, Event, EventSequence, SiteId, ZoneId};

use crate::bins::bin_id;
use crate::clock::{LocalClock, NANOS_PER_SEC, day_fraction, day_of_week, hour_of_day, secs_between};
use crate::field::{Coding, what, word_of};
use crate::links::Recent;
use crate::sequence::{NewRow, TokenSequence, TokenWindow};
use crate::sites::SiteContext;
use crate::spatial::Frame;
use crate::special::{FIRST, NONE, SEP, UNK};
use crate::tokenizer::{Layout, Tokenizer};

/// What is remembered from one event of a sequence to the next.
pub(crate) struct Cursor<'t> {
    site: Option<(SiteId, Option<&'t SiteContext>)>,
    clock: LocalClock,
    /// Nanoseconds of the event before.
    previous: Option<i64>,
    bin: Option<OpenBin>,
    /// A row to be filled before it is taken apart.
    row: Vec<u32>,
    recent: Recent,
}

/// A stretch of time with the events in it so far.
struct OpenBin {
    start: i64,
    /// Start of the bin before.
    previous: Option<i64>,
    counts: Vec<u32>,
}

impl Cursor<'_> {
    pub(crate) fn new() -> Self {
        Self {
            site: None,
            clock: LocalClock::new(None),
            previous: None,
            bin: None,
            row: Vec::new(),
            recent: Recent::default(),
        }
    }
}

/// Turns one event after the other into rows, and gives each in its context.
pub struct TokenStream<'t> {
    tokenizer: &'t Tokenizer,
    cursor: Cursor<'t>,
    tokens: TokenSequence,
    max_len: usize,
}

impl TokenStream<'_> {
    /// The context of the next event: as [`TokenSequence::context`] gives it for the whole sequence.
    pub fn push(&mut self, event: &Event) -> TokenWindow<'_> {
        let n_kept = 2 * self.max_len;
        if self.tokens.n_positions() > 2 * n_kept {
            self.tokens.keep_last(n_kept);
        }
        self.tokenizer.append(&mut self.cursor, &mut self.tokens, event);
        self.tokens.context(self.tokens.len() - 1, self.max_len)
    }
}

impl Tokenizer {
    /// One row of ids and values per position.
    #[must_use]
    pub fn tokenize(&self, sequence: &EventSequence) -> TokenSequence {
        self.tokenize_events(sequence.events())
    }

    /// The same of one event without context.
    #[must_use]
    pub fn tokenize_event(&self, event: &Event) -> TokenSequence {
        self.tokenize_events(std::slice::from_ref(event))
    }

    fn tokenize_events(&self, events: &[Event]) -> TokenSequence {
        let (mut tokens, mut cursor) = (self.empty_sequence(), Cursor::new());
        for event in events {
            self.append(&mut cursor, &mut tokens, event);
        }
        if let Some(bin) = cursor.bin {
            self.close_bin(&mut cursor.clock, &bin, &mut tokens);
        }
        tokens
    }

    /// A stream whose contexts have at most `max_len` positions.
    #[must_use]
    pub fn stream(&self, max_len: usize) -> TokenStream<'_> {
        TokenStream { tokenizer: self, cursor: Cursor::new(), tokens: self.empty_sequence(), max_len }
    }

    /// One id per field for an event; `previous` is the time of the event before it in its sequence.
    ///
    /// Fields of time bins are [`NONE`]: they say nothing of one event.
    #[must_use]
    pub fn encode(&self, event: &Event, previous: Option<DateTime<Utc>>) -> Vec<u32> {
        let mut cursor = Cursor { previous: previous.map(|time| nanos(&time)), ..Cursor::new() };
        let mut ids = vec![NONE; self.fields().len()];
        self.fill_row(&mut cursor, event, &mut ids, &mut []);
        ids
    }

    fn append<'t>(&'t self, cursor: &mut Cursor<'t>, tokens: &mut TokenSequence, event: &Event) {
        match self.layout() {
            Layout::Composite => {
                let NewRow { ids, values, distances, n_unknown } = tokens.push_row(NONE);
                self.fill_row(cursor, event, ids, values);
                if let Some(links) = self.links() {
                    let site = cursor.site.as_ref().and_then(|(_, context)| *context);
                    cursor.recent.link(links, event, nanos(&event.time), site, distances);
                }
                for &field in &self.index().words {
                    n_unknown[field] += u32::from(self.fields()[field].is_unknown(ids[field]));
                }
            }
            Layout::Flat => {
                let mut row = std::mem::take(&mut cursor.row);
                row.clear();
                row.resize(self.fields().len(), NONE);
                self.fill_row(cursor, event, &mut row, &mut []);
                for (field, &id) in row.iter().enumerate().filter(|(_, id)| **id != NONE) {
                    tokens.push([self.flat_id(field, id)]);
                    if self.fields()[field].is_unknown(id) {
                        tokens.count_unknown(field);
                    }
                }
                tokens.push([SEP]);
                tokens.end_event();
                cursor.row = row;
            }
            Layout::Bins { window_secs } => self.append_to_bin(cursor, tokens, event, i64::from(window_secs)),
        }
    }

    fn append_to_bin<'t>(&'t self, cursor: &mut Cursor<'t>, tokens: &mut TokenSequence, event: &Event, secs: i64) {
        self.enter_site(cursor, event);
        let start = cursor.clock.window_start(nanos(&event.time), secs * NANOS_PER_SEC);
        let mut bin = match cursor.bin.take() {
            Some(bin) if start <= bin.start => bin,
            before => {
                if let Some(before) = &before {
                    self.close_bin(&mut cursor.clock, before, tokens);
                }
                let counts = vec![0; self.fields().len()];
                OpenBin { start, previous: before.map(|before| before.start), counts }
            }
        };
        if let Some(field) = self.index().count_of(event.kind.as_str()) {
            bin.counts[field] += 1;
        }
        let mut row = std::mem::take(&mut cursor.row);
        self.bin_row(&mut cursor.clock, &bin, &mut row);
        tokens.end_event_in(&row);
        (cursor.row, cursor.bin) = (row, Some(bin));
    }

    fn close_bin(&self, clock: &mut LocalClock, bin: &OpenBin, tokens: &mut TokenSequence) {
        let mut row = Vec::new();
        self.bin_row(clock, bin, &mut row);
        tokens.push(row);
    }

    fn bin_row(&self, clock: &mut LocalClock, bin: &OpenBin, row: &mut Vec<u32>) {
        let local = clock.local(bin.start);
        row.clear();
        row.extend(self.fields().iter().zip(&bin.counts).map(|(field, count)| match &field.coding {
            Coding::Hour { n_hours } => FIRST + hour_id(local, *n_hours),
            Coding::Day => FIRST + day_of_week(local),
            Coding::Gap { edges_secs } => {
                bin.previous.map_or(NONE, |previous| bin_id(edges_secs, secs_between(previous, bin.start)))
            }
            Coding::Count { edges, .. } => bin_id(edges, f64::from(*count)),
            _ => NONE,
        }));
    }

    /// Fills in the ids of all fields and the values of all numbers; both are empty of everything before.
    fn fill_row<'t>(&'t self, cursor: &mut Cursor<'t>, event: &Event, ids: &mut [u32], values: &mut [f32]) {
        self.enter_site(cursor, event);
        let now = nanos(&event.time);
        let local = cursor.clock.local(now);
        let gap = cursor.previous.replace(now).map(|previous| secs_between(previous, now));
        let site = cursor.site.as_ref().and_then(|(_, context)| *context);
        let zone = event.zone.as_ref().and_then(|zone| site?.zone(zone.as_str()));
        let index = self.index();
        for &field in &index.plain {
            ids[field] = match &self.fields()[field].coding {
                Coding::Type(list) => list.id(event.kind.as_str()),
                Coding::Zone(list) => event.zone.as_ref().map_or(NONE, |zone| list.id(zone.as_str())),
                Coding::What(list) => list.id(&what(event.kind.as_str(), event.zone.as_ref().map(ZoneId::as_str))),
                Coding::Kind(list) => zone.map_or(NONE, |zone| list.id(&zone.kind)),
                Coding::Near(list) => zone.and_then(|zone| zone.near.as_deref()).map_or(NONE, |near| list.id(near)),
                Coding::Cell(cells) => event.position.map_or(NONE, |at| {
                    let floor = zone.and_then(|zone| zone.floor.as_deref());
                    let frame =
                        if index.has_frames { Frame::new(event.site_id.as_str(), floor) } else { Frame::default() };
                    FIRST + cells.bucket(at.x, at.y, frame)
                }),
                Coding::Hour { n_hours } => FIRST + hour_id(local, *n_hours),
                Coding::Day => FIRST + day_of_week(local),
                Coding::Gap { edges_secs } => gap.map_or(NONE, |gap| bin_id(edges_secs, gap)),
                Coding::Number { .. } | Coding::Word(_) | Coding::Count { .. } => NONE,
            };
        }
        for (name, value) in event.attrs.iter() {
            let Some(slot) = index.attributes.get(name) else { continue };
            if let Some(field) = slot.field {
                ids[field] = match (&self.fields()[field].coding, value) {
                    (Coding::Number { edges, .. }, AttrValue::Number(number)) => bin_id(edges, *number),
                    (Coding::Word(word), value) => word_of(value).map_or(UNK, |text| word.list.id(text)),
                    _ => UNK,
                };
            }
            if let (Some(number), AttrValue::Number(value)) = (slot.number, value)
                && !values.is_empty()
            {
                values[number] = single(*value);
            }
        }
        if values.is_empty() {
            return;
        }
        if let (Some(number), Some(gap)) = (index.gap_number, gap) {
            values[number] = single(gap.max(0.0).ln_1p());
        }
        if let Some(number) = index.day_number {
            values[number] = day_fraction(local);
        }
    }

    fn enter_site<'t>(&'t self, cursor: &mut Cursor<'t>, event: &Event) {
        if cursor.site.as_ref().is_none_or(|(site, _)| *site != event.site_id) {
            let site = event.site_id.as_str();
            cursor.clock = LocalClock::new(self.known_sites().time_zone(site));
            cursor.site = Some((event.site_id.clone(), self.known_sites().get(site)));
        }
    }
}

pub(crate) fn hour_id(local: i64, n_hours: u32) -> u32 {
    (day_of_week(local) * 24 + hour_of_day(local)) % n_hours
}

#[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
pub(crate) fn single(value: f64) -> f32 {
    (value as f32).clamp(f32::MIN, f32::MAX)
}

fn nanos(time: &DateTime<Utc>) -> i64 {
    time.timestamp_nanos_opt().expect("events have times between 1677 and 2262")
}
