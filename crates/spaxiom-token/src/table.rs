//! Events as columns: what a tokenizer reads of them, and nothing else.

use std::collections::HashMap;

use compact_str::CompactString;
use rustc_hash::FxBuildHasher;
use spaxiom_event::{AttrValue, Event, EventReader, Record, Rejected, SequenceKey};

use crate::clock::secs_between;
use crate::field::{what, word_of};
use crate::sites::Sites;
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
    /// Metres; not a number where there is no position.
    pub(crate) positions: Vec<[f64; 2]>,
    pub(crate) names: Words,
    /// Attributes, by the codes of their names.
    pub(crate) attributes: Vec<AttributeColumn>,
}

/// The values of an attribute, ascending by row.
#[derive(Debug, Clone, Default)]
pub(crate) struct AttributeColumn {
    pub(crate) numbers: Vec<(u32, f64)>,
    pub(crate) words: Words,
    pub(crate) word_codes: Vec<(u32, u32)>,
}

/// Pairs of site and part and their codes, in order of their first appearance.
#[derive(Debug, Clone, Default)]
struct Keys {
    codes: HashMap<(u32, u32), u32, FxBuildHasher>,
    keys: Vec<(u32, u32)>,
}

/// Words and their codes, in order of their first appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    codes: HashMap<CompactString, u32, FxBuildHasher>,
    words: Vec<CompactString>,
}

impl EventTable {
    /// An empty table whose sequences have `key` in common.
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
        }
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
                }
            }
        }
    }

    /// Appends the rows of another table of the same key.
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

    /// Site and floor of every row, or nothing where neither counts.
    pub(crate) fn frames(&self, sites: &Sites, count: bool) -> Vec<Frame> {
        if !count {
            return Vec::new();
        }
        let names: Vec<&str> = self.sites.iter().collect();
        let zones: Vec<&str> = self.zones.iter().collect();
        let mut known: HashMap<(u32, u32), Frame, FxBuildHasher> = HashMap::default();
        let frame = |(site, zone): (u32, u32)| {
            let site = names[site as usize];
            let zone = zones.get(zone as usize).and_then(|zone| sites.get(site)?.zone(zone));
            Frame::new(site, zone.and_then(|zone| zone.floor.as_deref()))
        };
        let rows = self.site_codes().zip(self.zone_codes.iter().copied());
        rows.map(|key| *known.entry(key).or_insert_with(|| frame(key))).collect()
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

impl Keys {
    fn code(&mut self, key: (u32, u32)) -> u32 {
        *self.codes.entry(key).or_insert_with(|| {
            self.keys.push(key);
            u32::try_from(self.keys.len() - 1).expect("a table has fewer than 2^32 sequences")
        })
    }
}

impl AttributeColumn {
    /// Whether most of its values are numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        self.numbers.len() >= self.word_codes.len()
    }

    pub(crate) fn sorted_numbers(&self) -> Vec<f64> {
        let mut numbers: Vec<f64> = self.numbers.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        numbers
    }

    fn append(&mut self, other: &Self, first: u32) {
        self.numbers.extend(other.numbers.iter().map(|&(row, number)| (first + row, number)));
        let codes = self.words.codes_of(&other.words);
        self.word_codes.extend(other.word_codes.iter().map(|&(row, code)| (first + row, codes[code as usize])));
    }
}

impl Words {
    /// The code of a word, a new one where it was never seen.
    fn code(&mut self, word: &str) -> u32 {
        if let Some(code) = self.codes.get(word) {
            return *code;
        }
        let code = u32::try_from(self.words.len()).expect("a table has fewer than 2^32 words");
        self.codes.insert(word.into(), code);
        self.words.push(word.into());
        code
    }

    /// The codes here of another table's words, in order of their codes there.
    fn codes_of(&mut self, other: &Self) -> Vec<u32> {
        other.words.iter().map(|word| self.code(word)).collect()
    }

    /// The place of each word, by its code, when all are sorted.
    fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.words.len()];
        let mut order: Vec<usize> = (0..self.words.len()).collect();
        order.sort_unstable_by_key(|&code| &self.words[code]);
        for (rank, code) in (0u32..).zip(order) {
            ranks[code] = rank;
        }
        ranks
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The words in order of their codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(CompactString::as_str)
    }
}
