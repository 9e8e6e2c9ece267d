//! A table of events to token ids, field by field on all threads.

use rayon::prelude::*;

use crate::field::{Coding, bin_id, gap_of_nanos, word_id};
use crate::sequence::TokenWindow;
use crate::spatial::spatial_hash;
use crate::special::{FIRST, NONE, UNK};
use crate::table::{AttributeColumn, EventTable};
use crate::tokenizer::Tokenizer;

/// Rows that a thread encodes at a time.
const CHUNK_ROWS: usize = 8192;

const NANOS_PER_HOUR: i64 = 3_600_000_000_000;

/// Hours from Monday 00:00 to the first instant of 1970, a Thursday.
const EPOCH_HOUR_OF_WEEK: i64 = 72;

/// The token ids of a table, sequence by sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTable {
    n_fields: usize,
    ids: Vec<u32>,
    starts: Vec<usize>,
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
        let (start, end) = (self.starts[index], self.starts[index + 1]);
        TokenWindow::new(self.n_fields, &self.ids[start * self.n_fields..end * self.n_fields])
    }

    /// Every sequence in pieces of at most `max_len` events.
    pub fn windows(&self, max_len: usize) -> impl Iterator<Item = TokenWindow<'_>> {
        let rows = max_len * self.n_fields;
        (0..self.n_sequences()).flat_map(move |index| {
            let pieces = self.sequence(index).ids().chunks(rows);
            pieces.map(|ids| TokenWindow::new(self.n_fields, ids))
        })
    }
}

impl Tokenizer {
    /// The same ids as [`Tokenizer::tokenize`] gives sequence by sequence.
    #[must_use]
    pub fn tokenize_table(&self, table: &EventTable) -> TokenTable {
        let n_fields = self.fields().len();
        let columns: Vec<Column<'_>> =
            self.fields().par_iter().map(|field| Column::new(&field.coding, table)).collect();
        let ((order, starts), in_table_order) =
            rayon::join(|| table.sequences(), || encode_rows(table, &columns, n_fields));
        let ids = in_order_of_sequences(table, &columns, &in_table_order, &order, &starts);
        TokenTable { n_fields, ids, starts }
    }
}

/// Row after row as the table has them; what needs the event before comes later.
fn encode_rows(table: &EventTable, columns: &[Column<'_>], n_fields: usize) -> Vec<u32> {
    let mut ids = vec![NONE; table.len() * n_fields];
    ids.par_chunks_mut(CHUNK_ROWS * n_fields).enumerate().for_each(|(chunk, ids)| {
        // Field by field: a column is read from its start to its end.
        for (field, column) in columns.iter().enumerate() {
            let cells = ids.iter_mut().skip(field).step_by(n_fields);
            column.encode(table, chunk * CHUNK_ROWS, cells);
        }
    });
    ids
}

/// Moves whole rows, and adds the gap to the row before.
fn in_order_of_sequences(
    table: &EventTable,
    columns: &[Column<'_>],
    rows: &[u32],
    order: &[u32],
    starts: &[usize],
) -> Vec<u32> {
    let n_fields = columns.len();
    let gap = columns.iter().enumerate().find_map(|(field, column)| match column {
        Column::Gap { edges_secs } => Some((field, *edges_secs)),
        _ => None,
    });
    let mut ids = vec![0; rows.len()];
    ids.par_chunks_mut(CHUNK_ROWS * n_fields).enumerate().for_each(|(chunk, ids)| {
        let first = chunk * CHUNK_ROWS;
        let mut next_start = starts.partition_point(|start| *start < first);
        for (offset, cells) in ids.chunks_exact_mut(n_fields).enumerate() {
            let at = first + offset;
            let row = order[at] as usize;
            cells.copy_from_slice(&rows[row * n_fields..(row + 1) * n_fields]);
            if starts[next_start] == at {
                next_start += 1;
            } else if let Some((field, edges_secs)) = gap {
                let previous = table.times[order[at - 1] as usize];
                cells[field] = bin_id(edges_secs, gap_of_nanos(table.times[row] - previous));
            }
        }
    });
    ids
}

/// A field made ready for a table.
enum Column<'a> {
    Type(Vec<u32>),
    Zone(Vec<u32>),
    Cell {
        resolution_m: f64,
        n_buckets: u32,
    },
    Hour {
        n_hours: i64,
    },
    Gap {
        edges_secs: &'a [f64],
    },
    /// An id per row.
    Attribute(Vec<u32>),
    /// An attribute that no row has.
    Absent,
}

impl<'a> Column<'a> {
    fn new(coding: &'a Coding, table: &EventTable) -> Self {
        let ids_of =
            |words: &[String], found: &crate::table::Words| found.iter().map(|word| word_id(words, word)).collect();
        let attribute = |name: &str| {
            let code = table.names.iter().position(|known| known == name)?;
            Some(&table.attributes[code])
        };
        match coding {
            Coding::Type { words } => Self::Type(ids_of(words, &table.types)),
            Coding::Zone { words } => Self::Zone(ids_of(words, &table.zones)),
            Coding::Cell { resolution_m, n_buckets } => {
                Self::Cell { resolution_m: *resolution_m, n_buckets: *n_buckets }
            }
            Coding::Hour { n_hours } => Self::Hour { n_hours: i64::from(*n_hours) },
            Coding::Gap { edges_secs } => Self::Gap { edges_secs },
            Coding::Number { attribute: name, edges } => attribute(name).map_or(Self::Absent, |column| {
                let number = |number: f64| bin_id(edges, number);
                Self::Attribute(column.ids(table.len(), number, &vec![UNK; column.words.len()]))
            }),
            Coding::Word { attribute: name, words } => attribute(name).map_or(Self::Absent, |column| {
                let of_words: Vec<u32> = ids_of(words, &column.words);
                Self::Attribute(column.ids(table.len(), |_| UNK, &of_words))
            }),
        }
    }

    /// Fills in the ids of the rows from `first` on; a gap stays [`NONE`].
    fn encode<'i>(&self, table: &EventTable, first: usize, cells: impl Iterator<Item = &'i mut u32>) {
        let rows = cells.zip(first..);
        match self {
            Self::Type(ids) => rows.for_each(|(cell, row)| *cell = ids[table.type_codes[row] as usize]),
            Self::Zone(ids) => rows.for_each(|(cell, row)| {
                *cell = ids.get(table.zone_codes[row] as usize).copied().unwrap_or(NONE);
            }),
            Self::Cell { resolution_m, n_buckets } => rows.for_each(|(cell, row)| {
                let [x, y] = table.positions[row];
                if !x.is_nan() {
                    *cell = FIRST + spatial_hash(x, y, *resolution_m).bucket(*n_buckets);
                }
            }),
            Self::Hour { n_hours } => rows.for_each(|(cell, row)| {
                let hour = (table.times[row].div_euclid(NANOS_PER_HOUR) + EPOCH_HOUR_OF_WEEK).rem_euclid(*n_hours);
                *cell = FIRST + u32::try_from(hour).expect("an hour of the week");
            }),
            Self::Attribute(ids) => rows.for_each(|(cell, row)| *cell = ids[row]),
            Self::Gap { .. } | Self::Absent => {}
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
