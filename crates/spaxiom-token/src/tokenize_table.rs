//! A table of events to rows of ids and values, column by column on all threads.

use std::collections::HashMap;

use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use crate::bins::bin_id;
use crate::clock::{LocalClock, day_fraction, day_of_week, secs_between};
use crate::encode::{hour_id, single};
use crate::error::TokenError;
use crate::field::Coding;
use crate::number::NumberSource;
use crate::sequence::{TokenWindow, same_values};
use crate::sites::ZoneContext;
use crate::spatial::{CellOptions, Frame};
use crate::special::{FIRST, NONE, UNK};
use crate::table::{AttributeColumn, EventTable, Words};
use crate::tokenizer::{Layout, Tokenizer};
use crate::vocabulary::WordList;

/// Rows that a thread encodes at a time.
const CHUNK_ROWS: usize = 8192;

/// The token ids and values of a table, sequence by sequence.
#[derive(Debug, Clone)]
pub struct TokenTable {
    n_fields: usize,
    n_values: usize,
    /// The column of [`NumberSource::Gap`].
    gap: Option<usize>,
    ids: Vec<u32>,
    values: Vec<f32>,
    starts: Vec<usize>,
}

impl PartialEq for TokenTable {
    /// Missing values are equal to each other.
    fn eq(&self, other: &Self) -> bool {
        (self.n_fields, self.n_values, &self.ids, &self.starts)
            == (other.n_fields, other.n_values, &other.ids, &other.starts)
            && same_values(&self.values, &other.values)
    }
}

impl TokenTable {
    /// Number of sequences.
    #[must_use]
    pub fn n_sequences(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of events.
    #[must_use]
    pub fn n_events(&self) -> usize {
        self.ids.len() / self.n_fields
    }

    /// A whole sequence; sequences are in order of site, then of entity or zone.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn sequence(&self, index: usize) -> TokenWindow<'_> {
        self.window(self.starts[index], self.starts[index + 1])
    }

    /// Every sequence in pieces of at most `max_len` events.
    pub fn windows(&self, max_len: usize) -> impl Iterator<Item = TokenWindow<'_>> {
        self.starts.windows(2).flat_map(move |bounds| {
            let firsts = (bounds[0]..bounds[1]).step_by(max_len);
            firsts.map(move |first| self.window(first, (first + max_len).min(bounds[1])))
        })
    }

    fn window(&self, start: usize, end: usize) -> TokenWindow<'_> {
        let Self { n_fields, n_values, .. } = *self;
        let ids = &self.ids[start * n_fields..end * n_fields];
        let values = &self.values[start * n_values..end * n_values];
        TokenWindow::new(n_fields, ids, n_values, values).with_gap(self.gap)
    }
}

impl Tokenizer {
    /// The same rows as [`Tokenizer::tokenize`] gives sequence by sequence.
    ///
    /// # Errors
    /// [`TokenError::Layout`] for another layout than the composite one, which has a row per event, and where events are joined.
    pub fn tokenize_table(&self, table: &EventTable) -> Result<TokenTable, TokenError> {
        if self.layout() != Layout::Composite || self.links().is_some() {
            return Err(TokenError::Layout);
        }
        let (n_fields, n_values) = (self.fields().len(), self.numbers().len());
        let zones = Zones::new(self, table);
        let frames = table.frames(self.known_sites(), self.index().has_frames);
        let local = local_times(self, table);
        let columns: Vec<Column<'_>> =
            self.fields().par_iter().map(|field| Column::new(&field.coding, table, &zones, &frames, &local)).collect();
        let numbers: Vec<Numbers<'_>> =
            self.numbers().iter().map(|number| Numbers::new(number.source(), table, &local)).collect();
        let ((order, starts), (ids, values)) = rayon::join(
            || table.sequences(),
            || (rows(table.len(), &columns, NONE), rows(table.len(), &numbers, f32::NAN)),
        );
        let gap_field = columns.iter().enumerate().find_map(|(field, column)| match column {
            Column::Gap { edges_secs } => Some((field, *edges_secs)),
            _ => None,
        });
        let gap = |cells: &mut [u32], secs: f64| {
            if let Some((field, edges_secs)) = gap_field {
                cells[field] = bin_id(edges_secs, secs);
            }
        };
        let gap_value = |cells: &mut [f32], secs: f64| {
            if let Some(number) = self.index().gap_number {
                cells[number] = single(secs.max(0.0).ln_1p());
            }
        };
        let ids = in_order_of_sequences(table, n_fields, &ids, &order, &starts, gap);
        let values = in_order_of_sequences(table, n_values, &values, &order, &starts, gap_value);
        Ok(TokenTable { n_fields, n_values, gap: self.index().gap_number, ids, values, starts })
    }
}

/// Fills in a cell of every row.
trait Fill<T>: Sync {
    /// The cells of the rows from `first` on.
    fn fill<'c>(&self, first: usize, cells: impl Iterator<Item = &'c mut T>)
    where
        T: 'c;
}

/// Row after row as the table has them; what needs the event before comes later.
fn rows<T: Copy + Send, C: Fill<T>>(n_rows: usize, columns: &[C], empty: T) -> Vec<T> {
    let n_columns = columns.len();
    let mut cells = vec![empty; n_rows * n_columns];
    if n_columns == 0 {
        return cells;
    }
    cells.par_chunks_mut(CHUNK_ROWS * n_columns).enumerate().for_each(|(chunk, cells)| {
        // Column by column: each is read from its start to its end.
        for (at, column) in columns.iter().enumerate() {
            column.fill(chunk * CHUNK_ROWS, cells.iter_mut().skip(at).step_by(n_columns));
        }
    });
    cells
}

/// Moves whole rows, and adds the gap to the row before.
fn in_order_of_sequences<T: Copy + Default + Send + Sync>(
    table: &EventTable,
    n_columns: usize,
    rows: &[T],
    order: &[u32],
    starts: &[usize],
    add_gap: impl Fn(&mut [T], f64) + Sync,
) -> Vec<T> {
    let mut ordered = vec![T::default(); rows.len()];
    if n_columns == 0 {
        return ordered;
    }
    ordered.par_chunks_mut(CHUNK_ROWS * n_columns).enumerate().for_each(|(chunk, ordered)| {
        let first = chunk * CHUNK_ROWS;
        let mut next_start = starts.partition_point(|start| *start < first);
        for (offset, cells) in ordered.chunks_exact_mut(n_columns).enumerate() {
            let at = first + offset;
            let row = order[at] as usize;
            cells.copy_from_slice(&rows[row * n_columns..(row + 1) * n_columns]);
            if starts[next_start] == at {
                next_start += 1;
            } else {
                add_gap(cells, secs_between(table.times[order[at - 1] as usize], table.times[row]));
            }
        }
    });
    ordered
}

/// Times on the walls of the sites; empty where all of them keep UTC.
fn local_times(tokenizer: &Tokenizer, table: &EventTable) -> Vec<i64> {
    let zones: Vec<_> = table.sites.iter().map(|site| tokenizer.known_sites().time_zone(site)).collect();
    if zones.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut clocks: Vec<LocalClock> = zones.into_iter().map(LocalClock::new).collect();
    table.site_codes().zip(&table.times).map(|(site, &time)| clocks[site as usize].local(time)).collect()
}

/// What the site maps say of the zones of all rows.
struct Zones<'a> {
    /// Number of the context of each row; empty without any site map.
    codes: Vec<u32>,
    contexts: Vec<Option<&'a ZoneContext>>,
}

impl<'a> Zones<'a> {
    fn new(tokenizer: &'a Tokenizer, table: &EventTable) -> Self {
        let mut contexts = Vec::new();
        if !tokenizer.fields().iter().any(|field| matches!(field.coding, Coding::Kind(_) | Coding::Near(_))) {
            return Self { codes: Vec::new(), contexts };
        }
        let (sites, zones): (Vec<&str>, Vec<&str>) = (table.sites.iter().collect(), table.zones.iter().collect());
        let mut known: HashMap<(u32, u32), u32, FxBuildHasher> = HashMap::default();
        let keys = table.site_codes().zip(table.zone_codes.iter().copied());
        let codes = keys.map(|(site, zone)| {
            *known.entry((site, zone)).or_insert_with(|| {
                let name = zones.get(zone as usize);
                let site = tokenizer.known_sites().get(sites[site as usize]);
                contexts.push(name.and_then(|zone| site?.zone(zone)));
                u32::try_from(contexts.len() - 1).expect("fewer pairs of site and zone than rows")
            })
        });
        let codes = codes.collect();
        Self { codes, contexts }
    }

    /// The id of every row.
    fn ids(&self, list: &WordList, word: impl Fn(&'a ZoneContext) -> Option<&'a str>) -> Vec<u32> {
        let id = |context: Option<&'a ZoneContext>| context.and_then(&word).map_or(NONE, |word| list.id(word));
        let of_contexts: Vec<u32> = self.contexts.iter().copied().map(id).collect();
        self.codes.iter().map(|&code| of_contexts[code as usize]).collect()
    }
}

/// A field made ready for a table.
enum Column<'a> {
    /// The id of each code, and the code of each row.
    Coded {
        ids: Vec<u32>,
        codes: &'a [u32],
    },
    Cell {
        cells: &'a CellOptions,
        positions: &'a [[f64; 2]],
        frames: &'a [Frame],
    },
    Hour {
        n_hours: u32,
        times: &'a [i64],
    },
    Day {
        times: &'a [i64],
    },
    Gap {
        edges_secs: &'a [f64],
    },
    /// An id per row.
    Ids(Vec<u32>),
    /// An attribute that no row has.
    Absent,
}

impl<'a> Column<'a> {
    fn new(
        coding: &'a Coding,
        table: &'a EventTable,
        zones: &Zones<'_>,
        frames: &'a [Frame],
        local: &'a [i64],
    ) -> Self {
        let ids_of = |list: &WordList, found: &Words| found.iter().map(|word| list.id(word)).collect();
        let times = if local.is_empty() { &table.times } else { local };
        match coding {
            Coding::Type(list) => Self::Coded { ids: ids_of(list, &table.types), codes: &table.type_codes },
            Coding::Zone(list) => Self::Coded { ids: ids_of(list, &table.zones), codes: &table.zone_codes },
            Coding::What(list) => {
                let (found, codes) = table.whats();
                let of_codes: Vec<u32> = ids_of(list, &found);
                Self::Ids(codes.iter().map(|&code| of_codes[code as usize]).collect())
            }
            Coding::Kind(list) => Self::Ids(zones.ids(list, |zone| Some(&zone.kind))),
            Coding::Near(list) => Self::Ids(zones.ids(list, |zone| zone.near.as_deref())),
            Coding::Cell(cells) => Self::Cell { cells, positions: &table.positions, frames },
            Coding::Hour { n_hours } => Self::Hour { n_hours: *n_hours, times },
            Coding::Day => Self::Day { times },
            Coding::Gap { edges_secs } => Self::Gap { edges_secs },
            Coding::Number { attribute, edges } => table.attribute(attribute).map_or(Self::Absent, |column| {
                Self::Ids(column.ids(table.len(), |number| bin_id(edges, number), &vec![UNK; column.words.len()]))
            }),
            Coding::Word(word) => table.attribute(&word.attribute).map_or(Self::Absent, |column| {
                let of_words: Vec<u32> = ids_of(&word.list, &column.words);
                Self::Ids(column.ids(table.len(), |_| UNK, &of_words))
            }),
            Coding::Count { .. } => Self::Absent,
        }
    }
}

impl Fill<u32> for Column<'_> {
    /// A gap stays [`NONE`].
    fn fill<'c>(&self, first: usize, cells: impl Iterator<Item = &'c mut u32>) {
        let rows = cells.zip(first..);
        match self {
            Self::Coded { ids, codes } => rows.for_each(|(cell, row)| {
                *cell = ids.get(codes[row] as usize).copied().unwrap_or(NONE);
            }),
            Self::Cell { cells, positions, frames } => rows.for_each(|(cell, row)| {
                let [x, y] = positions[row];
                if !x.is_nan() {
                    *cell = FIRST + cells.bucket(x, y, frames.get(row).copied().unwrap_or_default());
                }
            }),
            Self::Hour { n_hours, times } => {
                rows.for_each(|(cell, row)| *cell = FIRST + hour_id(times[row], *n_hours));
            }
            Self::Day { times } => rows.for_each(|(cell, row)| *cell = FIRST + day_of_week(times[row])),
            Self::Ids(ids) => rows.for_each(|(cell, row)| *cell = ids[row]),
            Self::Gap { .. } | Self::Absent => {}
        }
    }
}

/// A column of values made ready for a table.
enum Numbers<'a> {
    Attribute(&'a AttributeColumn),
    DayFraction {
        times: &'a [i64],
    },
    /// An attribute that no row has, or what comes later.
    Absent,
}

impl<'a> Numbers<'a> {
    fn new(source: &NumberSource, table: &'a EventTable, local: &'a [i64]) -> Self {
        match source {
            NumberSource::Attribute { attribute } => table.attribute(attribute).map_or(Self::Absent, Self::Attribute),
            NumberSource::DayFraction => {
                Self::DayFraction { times: if local.is_empty() { &table.times } else { local } }
            }
            NumberSource::Gap => Self::Absent,
        }
    }
}

impl Fill<f32> for Numbers<'_> {
    fn fill<'c>(&self, first: usize, cells: impl Iterator<Item = &'c mut f32>) {
        match self {
            Self::Attribute(column) => {
                let from = column.numbers.partition_point(|(row, _)| (*row as usize) < first);
                let mut numbers = column.numbers[from..].iter().peekable();
                for (cell, row) in cells.zip(first..) {
                    if let Some((_, number)) = numbers.next_if(|(of, _)| *of as usize == row) {
                        *cell = single(*number);
                    }
                }
            }
            Self::DayFraction { times } => cells.zip(first..).for_each(|(cell, row)| *cell = day_fraction(times[row])),
            Self::Absent => {}
        }
    }
}

impl AttributeColumn {
    /// An id per row of the table: of numbers by `number`, of words by their codes.
    fn ids(&self, n_rows: usize, number: impl Fn(f64) -> u32, of_words: &[u32]) -> Vec<u32> {
        let mut ids = vec![NONE; n_rows];
        for &(row, value) in &self.numbers {
            ids[row as usize] = number(value);
        }
        for &(row, code) in &self.word_codes {
            ids[row as usize] = of_words[code as usize];
        }
        ids
    }
}
