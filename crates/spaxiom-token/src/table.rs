//! Events as columns: what a tokenizer reads of them and, where it is wanted, everything else.

mod columns;
mod whole;

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use spaxiom_event::{AttrValue, Event, EventReader, Record, Rejected, SequenceKey, SiteId};

use self::columns::Keys;
pub(crate) use self::columns::{AttributeColumn, Cursor, Words};
use self::whole::{Events, Known, Rest};
use crate::clock::secs_between;
use crate::field::{what, word_of};
use crate::sites::{Sites, ZoneContext};
use crate::spatial::Frame;

/// Stands for "none" among codes.
pub(crate) const NO_CODE: u32 = u32::MAX;

/// Events as columns, a tenth of the size of the events themselves.
///
/// Tables can be filled on several threads and joined: the order of rows is that of the joins,
/// and nothing that is made of a table depends on the codes inside it.
#[derive(Debug, Clone)]
pub struct EventTable {
    key: SequenceKey,
    pub(crate) sites: Words,
    pub(crate) parts: Words,
    /// Site and part of each sequence, by its code.
    keys: Keys,
    /// The sequence of each row.
    sequence_codes: Vec<u32>,
    pub(crate) types: Words,
    pub(crate) type_codes: Vec<u32>,
    pub(crate) zones: Words,
    pub(crate) zone_codes: Vec<u32>,
    /// Nanoseconds since 1970.
    pub(crate) times: Vec<i64>,
    /// Meters; not a number where there is no position.
    pub(crate) positions: Vec<[f64; 2]>,
    pub(crate) names: Words,
    /// Attributes, by the codes of their names.
    pub(crate) attributes: Vec<AttributeColumn>,
    /// What a tokenizer does not read.
    rest: Option<Rest>,
}

/// Pairs of site and zone, and the pair of each row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) codes: Vec<u32>,
    pairs: Vec<(u32, u32)>,
}

/// The rows of one sequence, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceRows {
    /// The site of all of them.
    pub site_id: SiteId,
    /// Rows of the table.
    pub rows: Vec<u32>,
}

impl EventTable {
    /// An empty table whose sequences have `key` in common, for what a tokenizer reads.
    #[must_use]
    pub fn new(key: SequenceKey) -> Self {
        Self {
            key,
            sites: Words::default(),
            parts: Words::default(),
            keys: Keys::default(),
            sequence_codes: Vec::new(),
            types: Words::default(),
            type_codes: Vec::new(),
            zones: Words::default(),
            zone_codes: Vec::new(),
            times: Vec::new(),
            positions: Vec::new(),
            names: Words::default(),
            attributes: Vec::new(),
            rest: None,
        }
    }

    /// An empty table that gives back whole events ([`EventTable::events`]).
    #[must_use]
    pub fn of_whole_events(key: SequenceKey) -> Self {
        Self { rest: Some(Rest::default()), ..Self::new(key) }
    }

    /// Reads all events of a source on the threads of its reader, and gives the lines that were rejected.
    #[must_use]
    pub fn read(key: SequenceKey, reader: EventReader) -> (Self, Vec<Rejected>) {
        let mut all = (Self::new(key), Vec::new());
        let part = || (Self::new(key), Vec::new());
        let fold = |(table, rejected): &mut (Self, Vec<Rejected>), record: Result<Record, Rejected>| match record {
            Ok(record) => table.push(&record.event),
            Err(line) => rejected.push(line),
        };
        reader.fold_blocks(part, fold, |(table, rejected)| {
            all.0.append(&table);
            all.1.extend(rejected);
        });
        all
    }

    /// Appends an event; one without the key (an entity, a zone) is left out.
    pub fn push(&mut self, event: &Event) {
        let zone = event.zone.as_ref().map(spaxiom_event::ZoneId::as_str);
        let part = match self.key {
            SequenceKey::Site => Some(""),
            SequenceKey::Zone => zone,
            SequenceKey::Entity => event.entity_id.as_ref().map(spaxiom_event::EntityId::as_str),
        };
        let Some(part) = part else { return };
        let row = self.n_rows();
        let key = (self.sites.code(event.site_id.as_str()), self.parts.code(part));
        self.sequence_codes.push(self.keys.code(key));
        self.type_codes.push(self.types.code(event.kind.as_str()));
        self.zone_codes.push(zone.map_or(NO_CODE, |zone| self.zones.code(zone)));
        self.times.push(event.time.timestamp_nanos_opt().expect("events have times between 1677 and 2262"));
        self.positions.push(event.position.map_or([f64::NAN; 2], |at| [at.x, at.y]));
        for (name, value) in event.attrs.iter() {
            let code = self.names.code(name) as usize;
            if code == self.attributes.len() {
                self.attributes.push(AttributeColumn::default());
            }
            let column = &mut self.attributes[code];
            match value {
                AttrValue::Number(number) => column.numbers.push((row, *number)),
                AttrValue::Text(word) => column.word_codes.push((row, column.words.code(word))),
                AttrValue::Flag(_) => {
                    let word = word_of(value).expect("a flag is a word");
                    column.word_codes.push((row, column.words.code(word)));
                    column.flags.push(row);
                }
            }
        }
        if let Some(rest) = &mut self.rest {
            rest.push(row, event);
        }
    }

    /// Appends the rows of another table of the same key.
    ///
    /// # Panics
    /// Where one of the two has whole events and the other has not: only a programmer can mix them.
    pub fn append(&mut self, other: &Self) {
        let first = self.n_rows();
        let (sites, parts) = (self.sites.codes_of(&other.sites), self.parts.codes_of(&other.parts));
        let key = |&(site, part): &(u32, u32)| self.keys.code((sites[site as usize], parts[part as usize]));
        let sequences: Vec<u32> = other.keys.keys.iter().map(key).collect();
        self.sequence_codes.extend(other.sequence_codes.iter().map(|&code| sequences[code as usize]));
        let types = self.types.codes_of(&other.types);
        self.type_codes.extend(other.type_codes.iter().map(|&code| types[code as usize]));
        let zones = self.zones.codes_of(&other.zones);
        self.zone_codes
            .extend(other.zone_codes.iter().map(|&code| zones.get(code as usize).copied().unwrap_or(NO_CODE)));
        self.times.extend_from_slice(&other.times);
        self.positions.extend_from_slice(&other.positions);
        let names = self.names.codes_of(&other.names);
        self.attributes.resize_with(self.names.len(), AttributeColumn::default);
        for (&code, column) in names.iter().zip(&other.attributes) {
            self.attributes[code as usize].append(column, first);
        }
        assert_eq!(self.rest.is_some(), other.rest.is_some(), "tables of whole events and of others are joined");
        if let Some((rest, other)) = self.rest.as_mut().zip(other.rest.as_ref()) {
            rest.append(other, first);
        }
    }

    /// The sequences, in order of site and then of entity or zone.
    #[must_use]
    pub fn by_sequence(&self) -> Vec<SequenceRows> {
        let (order, starts) = self.sequences();
        let rows = |bounds: &[usize]| {
            let rows = order[bounds[0]..bounds[1]].to_vec();
            let (site, _) = self.keys.keys[self.sequence_codes[rows[0] as usize] as usize];
            SequenceRows { site_id: self.sites.word(site).into(), rows }
        };
        starts.windows(2).map(rows).collect()
    }

    /// Nanoseconds since 1970 of a row.
    ///
    /// # Panics
    /// Where there is no such row.
    #[must_use]
    pub fn time_ns(&self, row: u32) -> i64 {
        self.times[row as usize]
    }

    /// The zone of a row, where it has one.
    pub(crate) fn zone(&self, row: u32) -> Option<&str> {
        let zone = self.zone_codes[row as usize];
        (zone != NO_CODE).then(|| self.zones.word(zone))
    }

    /// The whole events of these rows.
    ///
    /// # Panics
    /// For a table that is not one [`EventTable::of_whole_events`].
    pub fn events<'t>(&'t self, rows: &'t [u32]) -> impl Iterator<Item = Event> + 't {
        let mut events = Events::new(self.whole(), &self.names, &self.attributes);
        rows.iter().map(move |&row| events.event(row, &self.known(row)))
    }

    /// The entities of these rows.
    ///
    /// # Panics
    /// As of [`EventTable::events`].
    pub fn entities<'t>(&'t self, rows: &'t [u32]) -> impl Iterator<Item = Option<&'t str>> + 't {
        self.whole().entities(rows)
    }

    fn whole(&self) -> &Rest {
        self.rest.as_ref().expect("a table of whole events")
    }

    fn known(&self, row: u32) -> Known<'_> {
        let at = row as usize;
        let (site, _) = self.keys.keys[self.sequence_codes[at] as usize];
        Known {
            kind: self.types.word(self.type_codes[at]),
            site: self.sites.word(site),
            zone: self.zone(row),
            time_ns: self.times[at],
            position: self.positions[at],
        }
    }

    /// What a tokenizer reads of these rows, in their order.
    #[must_use]
    pub fn select(&self, rows: impl IntoIterator<Item = u32>) -> Self {
        let mut table = Self::new(self.key);
        let mut attributes: Vec<_> = self.names.iter().zip(&self.attributes).map(Attribute::new).collect();
        for from in rows {
            let (row, at) = (table.n_rows(), from as usize);
            let (site, part) = self.keys.keys[self.sequence_codes[at] as usize];
            let key = (table.sites.code(self.sites.word(site)), table.parts.code(self.parts.word(part)));
            table.sequence_codes.push(table.keys.code(key));
            table.type_codes.push(table.types.code(self.types.word(self.type_codes[at])));
            let zone = self.zone_codes[at];
            table.zone_codes.push(if zone == NO_CODE { NO_CODE } else { table.zones.code(self.zones.word(zone)) });
            table.times.push(self.times[at]);
            table.positions.push(self.positions[at]);
            for attribute in &mut attributes {
                attribute.copy(from, row);
            }
        }
        for Attribute { name, column, .. } in attributes {
            if !column.numbers.is_empty() || !column.word_codes.is_empty() {
                table.names.code(name);
                table.attributes.push(column);
            }
        }
        table
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    fn n_rows(&self) -> u32 {
        u32::try_from(self.len()).expect("a table has fewer than 2^32 rows")
    }

    /// The rows sequence by sequence, in order of site and part, each in order of time; and where each sequence starts.
    pub(crate) fn sequences(&self) -> (Vec<u32>, Vec<usize>) {
        let mut next = self.first_places();
        let mut starts: Vec<usize> = next.clone();
        starts.sort_unstable();
        starts.push(self.len());
        let mut order = vec![0; self.len()];
        for (row, &sequence) in (0u32..).zip(&self.sequence_codes) {
            let place = &mut next[sequence as usize];
            order[*place] = row;
            *place += 1;
        }
        let time = |row: &u32| self.times[*row as usize];
        for bounds in starts.windows(2) {
            let rows = &mut order[bounds[0]..bounds[1]];
            if !rows.is_sorted_by_key(time) {
                // Stable: events of one instant stay in the order in which they came.
                rows.sort_by_key(time);
            }
        }
        (order, starts)
    }

    /// The values of an attribute, where any row has it.
    pub(crate) fn attribute(&self, name: &str) -> Option<&AttributeColumn> {
        let code = self.names.iter().position(|known| known == name)?;
        Some(&self.attributes[code])
    }

    /// The codes of the sites of all rows.
    pub(crate) fn site_codes(&self) -> impl Iterator<Item = u32> {
        self.sequence_codes.iter().map(|&sequence| self.keys.keys[sequence as usize].0)
    }

    /// Type and zone of each row together, and the words for them.
    pub(crate) fn whats(&self) -> (Words, Vec<u32>) {
        let (types, zones): (Vec<&str>, Vec<&str>) = (self.types.iter().collect(), self.zones.iter().collect());
        let mut words = Words::default();
        let mut known: HashMap<(u32, u32), u32, FxBuildHasher> = HashMap::default();
        let keys = self.type_codes.iter().zip(&self.zone_codes);
        let code = |(&kind, &zone): (&u32, &u32)| {
            let word = || what(types[kind as usize], zones.get(zone as usize).copied());
            *known.entry((kind, zone)).or_insert_with(|| words.code(&word()))
        };
        let codes = keys.map(code).collect();
        (words, codes)
    }

    /// Seconds from each event to the next of its sequence.
    pub(crate) fn gaps(&self) -> Vec<f64> {
        let (order, starts) = self.sequences();
        let time = |at: usize| self.times[order[at] as usize];
        let of_sequence = |bounds: &[usize]| (bounds[0] + 1..bounds[1]).map(|at| secs_between(time(at - 1), time(at)));
        starts.windows(2).flat_map(|bounds| of_sequence(bounds).collect::<Vec<_>>()).collect()
    }

    /// The pairs of site and zone that rows have, by their codes ([`NO_CODE`] without a zone), and the pair of each row.
    pub(crate) fn places(&self) -> Places {
        let mut places = Places { codes: Vec::with_capacity(self.len()), pairs: Vec::new() };
        let mut known: HashMap<(u32, u32), u32, FxBuildHasher> = HashMap::default();
        for pair in self.site_codes().zip(self.zone_codes.iter().copied()) {
            let code = *known.entry(pair).or_insert_with(|| {
                places.pairs.push(pair);
                u32::try_from(places.pairs.len() - 1).expect("fewer pairs of site and zone than rows")
            });
            places.codes.push(code);
        }
        places
    }

    /// What the site maps know of pairs of site and zone.
    pub(crate) fn contexts<'s>(&self, places: &Places, sites: &'s Sites) -> Vec<Option<&'s ZoneContext>> {
        let context = |&(site, zone): &(u32, u32)| {
            let site = sites.get(self.sites.word(site))?;
            if zone == NO_CODE { None } else { site.zone(self.zones.word(zone)) }
        };
        places.pairs.iter().map(context).collect()
    }

    /// Site and floor of pairs of site and zone.
    pub(crate) fn frames(&self, places: &Places, sites: &Sites) -> Vec<Frame> {
        let contexts = self.contexts(places, sites).into_iter();
        let frame = |(&(site, _), zone): (&(u32, u32), Option<&ZoneContext>)| {
            Frame::new(self.sites.word(site), zone.and_then(|zone| zone.floor.as_deref()))
        };
        places.pairs.iter().zip(contexts).map(frame).collect()
    }

    /// Gives back memory that was set aside for more rows.
    pub fn shrink_to_fit(&mut self) {
        self.sequence_codes.shrink_to_fit();
        self.type_codes.shrink_to_fit();
        self.zone_codes.shrink_to_fit();
        self.times.shrink_to_fit();
        self.positions.shrink_to_fit();
        self.attributes.iter_mut().for_each(AttributeColumn::shrink_to_fit);
        if let Some(rest) = &mut self.rest {
            rest.shrink_to_fit();
        }
    }

    /// Where the rows of each sequence begin, by the code of the sequence.
    fn first_places(&self) -> Vec<usize> {
        let mut counts = vec![0usize; self.keys.keys.len()];
        for &sequence in &self.sequence_codes {
            counts[sequence as usize] += 1;
        }
        let (sites, parts) = (self.sites.ranks(), self.parts.ranks());
        let mut by_name: Vec<usize> = (0..counts.len()).collect();
        by_name.sort_unstable_by_key(|&sequence| {
            let (site, part) = self.keys.keys[sequence];
            (sites[site as usize], parts[part as usize])
        });
        let (mut places, mut place) = (vec![0; counts.len()], 0);
        for sequence in by_name {
            places[sequence] = place;
            place += counts[sequence];
        }
        places
    }
}

/// An attribute on its way from one table to another.
struct Attribute<'a> {
    name: &'a str,
    words: &'a Words,
    numbers: Cursor<'a, f64>,
    word_codes: Cursor<'a, u32>,
    column: AttributeColumn,
}

impl<'a> Attribute<'a> {
    fn new((name, from): (&'a str, &'a AttributeColumn)) -> Self {
        let (numbers, word_codes) = (Cursor::new(&from.numbers), Cursor::new(&from.word_codes));
        Self { name, words: &from.words, numbers, word_codes, column: AttributeColumn::default() }
    }

    fn copy(&mut self, from: u32, to: u32) {
        if let Some(number) = self.numbers.get(from) {
            self.column.numbers.push((to, *number));
        } else if let Some(code) = self.word_codes.get(from) {
            let code = self.column.words.code(self.words.word(*code));
            self.column.word_codes.push((to, code));
        }
    }
}
