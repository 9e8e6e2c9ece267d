//! A table of events to rows of ids and values, column by column on all threads.

use rayon::prelude::*;

use crate::bins::bin_id;
use crate::clock::{LocalClock, day_fraction, day_of_week, secs_between};
use crate::encode::{hour_id, single};
use crate::error::TokenError;
use crate::field::{Coding, Field};
use crate::number::{NumberColumn, NumberSource};
use crate::sequence::{TokenSequence, TokenWindow, same_values};
use crate::sites::ZoneContext;
use crate::spatial::{CellOptions, Frame};
use crate::special::{FIRST, NONE, UNK};
use crate::table::{AttributeColumn, Cursor, EventTable, Places, Words};
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

/// The columns of a tokenizer over those of a table.
struct Columns<'a> {
    fields: Vec<Column<'a>>,
    numbers: Vec<Numbers<'a>>,
    gap: Gap<'a>,
}

/// Where the time since the event before goes.
struct Gap<'a> {
    field: Option<(usize, &'a [f64])>,
    number: Option<usize>,
}

impl Gap<'_> {
    fn add_id(&self, cells: &mut [u32], secs: f64) {
        if let Some((field, edges_secs)) = self.field {
            cells[field] = bin_id(edges_secs, secs);
        }
    }

    fn add_value(&self, cells: &mut [f32], secs: f64) {
        if let Some(number) = self.number {
            cells[number] = single(secs.max(0.0).ln_1p());
        }
    }
}

/// What has to be made of a table before its columns can be read.
#[derive(Default)]
struct Prepared<'a> {
    /// Empty where no field asks for them.
    places: Places,
    /// What the site maps say of places.
    contexts: Vec<Option<&'a ZoneContext>>,
    /// Of places; empty where cells do not ask for them.
    frames: Vec<Frame>,
    /// Times on the walls of the sites; empty where all of them keep UTC.
    local: Vec<i64>,
}

impl<'a> Prepared<'a> {
    fn new(tokenizer: &'a Tokenizer, table: &EventTable) -> Self {
        let sites = tokenizer.known_sites();
        let local = local_times(tokenizer, table);
        let has_contexts =
            tokenizer.fields().iter().any(|field| matches!(field.coding, Coding::Kind(_) | Coding::Near(_)));
        let has_frames = tokenizer.index().has_frames;
        if !has_contexts && !has_frames {
            return Self { local, ..Self::default() };
        }
        let places = table.places();
        let contexts = table.contexts(&places, sites);
        let frames = if has_frames { table.frames(&places, sites) } else { Vec::new() };
        Self { places, contexts, frames, local }
    }

    /// The ids of places, and the place of each row.
    fn coded<'c>(&'c self, list: &WordList, word: impl Fn(&'a ZoneContext) -> Option<&'a str>) -> Column<'c> {
        let id = |context: Option<&'a ZoneContext>| context.and_then(&word).map_or(NONE, |word| list.id(word));
        Column::Coded { ids: self.contexts.iter().copied().map(id).collect(), codes: &self.places.codes }
    }

    fn columns<'c>(&'c self, tokenizer: &'c Tokenizer, table: &'c EventTable) -> Columns<'c> {
        let column = |field: &'c Field| Column::new(&field.coding, table, self);
        let fields: Vec<Column<'c>> = tokenizer.fields().par_iter().map(column).collect();
        let number = |number: &'c NumberColumn| Numbers::new(number.source(), table, &self.local);
        let numbers = tokenizer.numbers().iter().map(number).collect();
        let field = fields.iter().enumerate().find_map(|(field, column)| match column {
            Column::Gap { edges_secs } => Some((field, *edges_secs)),
            _ => None,
        });
        Columns { fields, numbers, gap: Gap { field, number: tokenizer.index().gap_number } }
    }
}

impl Tokenizer {
    /// Whether it can tokenize tables: in the composite layout, which has a row per event, without links between events.
    #[must_use]
    pub fn takes_tables(&self) -> bool {
        self.layout() == Layout::Composite && self.links().is_none()
    }

    /// Some sequences of rows of a table, each in order of time: the same as [`Tokenizer::tokenize`] gives for their events.
    ///
    /// # Errors
    /// [`TokenError::Layout`] where the tokenizer does not [take tables](Tokenizer::takes_tables).
    pub fn tokenize_rows(&self, table: &EventTable, sequences: &[&[u32]]) -> Result<Vec<TokenSequence>, TokenError> {
        if !self.takes_tables() {
            return Err(TokenError::Layout);
        }
        let prepared = Prepared::new(self, table);
        let Columns { fields, numbers, gap } = prepared.columns(self, table);
        let sequence = |rows: &[u32]| {
            let mut ids = selected(rows, &fields, NONE);
            let mut values = selected(rows, &numbers, f32::NAN);
            for (at, pair) in (1..).zip(rows.windows(2)) {
                let secs = secs_between(table.times[pair[0] as usize], table.times[pair[1] as usize]);
                gap.add_id(&mut ids[at * fields.len()..], secs);
                gap.add_value(&mut values[at * numbers.len()..], secs);
            }
            self.empty_sequence().of_rows(
                ids,
                values,
                |field, id| self.fields()[field].is_unknown(id),
                &self.index().words,
            )
        };
        Ok(sequences.iter().map(|rows| sequence(rows)).collect())
    }

    /// The same rows as [`Tokenizer::tokenize`] gives sequence by sequence.
    ///
    /// # Errors
    /// [`TokenError::Layout`] for another layout than the composite one, which has a row per event, and where events are joined.
    pub fn tokenize_table(&self, table: &EventTable) -> Result<TokenTable, TokenError> {
        if !self.takes_tables() {
            return Err(TokenError::Layout);
        }
        let prepared = Prepared::new(self, table);
        let Columns { fields, numbers, gap } = prepared.columns(self, table);
        let (n_fields, n_values) = (fields.len(), numbers.len());
        let ((order, starts), (ids, values)) = rayon::join(
            || table.sequences(),
            || (all_rows(table.len(), &fields, NONE), all_rows(table.len(), &numbers, f32::NAN)),
        );
        let ids = in_order_of_sequences(table, n_fields, &ids, &order, &starts, |cells, secs| gap.add_id(cells, secs));
        let values =
            in_order_of_sequences(table, n_values, &values, &order, &starts, |cells, secs| gap.add_value(cells, secs));
        Ok(TokenTable { n_fields, n_values, gap: self.index().gap_number, ids, values, starts })
    }
}

/// Fills in cells.
trait Fill<T>: Sync {
    /// The cells of these rows.
    fn fill<'c>(&self, rows: impl Iterator<Item = u32>, cells: impl Iterator<Item = &'c mut T>)
    where
        T: 'c;
}

/// Row after row as the table has them; what needs the event before comes later.
fn all_rows<T: Copy + Send, C: Fill<T>>(n_rows: usize, columns: &[C], empty: T) -> Vec<T> {
    filled(n_rows, columns, empty, |from, n| {
        let from = u32::try_from(from).expect("a table has fewer than 2^32 rows");
        (from..).take(n)
    })
}

/// The same for some rows.
fn selected<T: Copy + Send, C: Fill<T>>(rows: &[u32], columns: &[C], empty: T) -> Vec<T> {
    filled(rows.len(), columns, empty, |from, n| rows[from..from + n].iter().copied())
}

fn filled<T: Copy + Send, C: Fill<T>, R: Iterator<Item = u32>>(
    n_rows: usize,
    columns: &[C],
    empty: T,
    rows: impl Fn(usize, usize) -> R + Sync,
) -> Vec<T> {
    let n_columns = columns.len();
    let mut cells = vec![empty; n_rows * n_columns];
    if n_columns == 0 {
        return cells;
    }
    cells.par_chunks_mut(CHUNK_ROWS * n_columns).enumerate().for_each(|(chunk, cells)| {
        let n = cells.len() / n_columns;
        // Column by column: each is read from its start to its end.
        for (at, column) in columns.iter().enumerate() {
            column.fill(rows(chunk * CHUNK_ROWS, n), cells.iter_mut().skip(at).step_by(n_columns));
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
        prepared: &'a Prepared<'a>,
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
    /// A number by its bin.
    Binned {
        edges: &'a [f64],
        column: &'a AttributeColumn,
    },
    /// A word by its code.
    Worded {
        ids: Vec<u32>,
        column: &'a AttributeColumn,
    },
    /// An attribute that no row has.
    Absent,
}

impl<'a> Column<'a> {
    fn new(coding: &'a Coding, table: &'a EventTable, prepared: &'a Prepared<'_>) -> Self {
        let ids_of = |list: &WordList, found: &Words| found.iter().map(|word| list.id(word)).collect();
        let times = if prepared.local.is_empty() { &table.times } else { &prepared.local };
        match coding {
            Coding::Type(list) => Self::Coded { ids: ids_of(list, &table.types), codes: &table.type_codes },
            Coding::Zone(list) => Self::Coded { ids: ids_of(list, &table.zones), codes: &table.zone_codes },
            Coding::What(list) => {
                let (found, codes) = table.whats();
                let of_codes: Vec<u32> = ids_of(list, &found);
                Self::Ids(codes.iter().map(|&code| of_codes[code as usize]).collect())
            }
            Coding::Kind(list) => prepared.coded(list, |zone| Some(&zone.kind)),
            Coding::Near(list) => prepared.coded(list, |zone| zone.near.as_deref()),
            Coding::Cell(cells) => Self::Cell { cells, positions: &table.positions, prepared },
            Coding::Hour { n_hours } => Self::Hour { n_hours: *n_hours, times },
            Coding::Day => Self::Day { times },
            Coding::Gap { edges_secs } => Self::Gap { edges_secs },
            Coding::Number { attribute, edges } => {
                table.attribute(attribute).map_or(Self::Absent, |column| Self::Binned { edges, column })
            }
            Coding::Word(word) => table
                .attribute(&word.attribute)
                .map_or(Self::Absent, |column| Self::Worded { ids: ids_of(&word.list, &column.words), column }),
            Coding::Count { .. } => Self::Absent,
        }
    }
}

impl Fill<u32> for Column<'_> {
    /// A gap stays [`NONE`].
    fn fill<'c>(&self, rows: impl Iterator<Item = u32>, cells: impl Iterator<Item = &'c mut u32>) {
        let rows = cells.zip(rows.map(|row| row as usize));
        match self {
            Self::Coded { ids, codes } => rows.for_each(|(cell, row)| {
                *cell = ids.get(codes[row] as usize).copied().unwrap_or(NONE);
            }),
            Self::Cell { cells, positions, prepared: Prepared { places, frames, .. } } => {
                let frame = |row: usize| frames[places.codes[row] as usize];
                rows.for_each(|(cell, row)| {
                    let [x, y] = positions[row];
                    if !x.is_nan() {
                        let frame = if frames.is_empty() { Frame::default() } else { frame(row) };
                        *cell = FIRST + cells.bucket(x, y, frame);
                    }
                });
            }
            Self::Hour { n_hours, times } => {
                rows.for_each(|(cell, row)| *cell = FIRST + hour_id(times[row], *n_hours));
            }
            Self::Day { times } => rows.for_each(|(cell, row)| *cell = FIRST + day_of_week(times[row])),
            Self::Ids(ids) => rows.for_each(|(cell, row)| *cell = ids[row]),
            // A word where numbers are wanted, or the other way round, is unknown.
            Self::Binned { edges, column } => column.fill(rows, |number| bin_id(edges, *number), |_| UNK),
            Self::Worded { ids, column } => column.fill(rows, |_| UNK, |code| ids[*code as usize]),
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
    fn fill<'c>(&self, rows: impl Iterator<Item = u32>, cells: impl Iterator<Item = &'c mut f32>) {
        match self {
            Self::Attribute(column) => {
                let mut numbers = Cursor::new(&column.numbers);
                for (cell, row) in cells.zip(rows) {
                    if let Some(number) = numbers.get(row) {
                        *cell = single(*number);
                    }
                }
            }
            Self::DayFraction { times } => {
                cells.zip(rows).for_each(|(cell, row)| *cell = day_fraction(times[row as usize]));
            }
            Self::Absent => {}
        }
    }
}

impl AttributeColumn {
    /// Ids of numbers by `number`, and of words by `word`.
    fn fill<'c>(
        &self,
        cells: impl Iterator<Item = (&'c mut u32, usize)>,
        number: impl Fn(&f64) -> u32,
        word: impl Fn(&u32) -> u32,
    ) {
        let (mut numbers, mut words) = (Cursor::new(&self.numbers), Cursor::new(&self.word_codes));
        for (cell, row) in cells {
            let row = u32::try_from(row).expect("a table has fewer than 2^32 rows");
            if let Some(id) = numbers.get(row).map(&number).or_else(|| words.get(row).map(&word)) {
                *cell = id;
            }
        }
    }
}
