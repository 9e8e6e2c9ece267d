//! Rows of token ids and values, and windows over them.

use std::ops::Range;

use crate::links::{Edge, EdgeType};

/// The cells of a row that is to be filled.
pub(crate) struct NewRow<'a> {
    pub(crate) ids: &'a mut [u32],
    pub(crate) values: &'a mut [f32],
    pub(crate) distances: &'a mut [u16],
    /// Of the whole sequence.
    pub(crate) n_unknown: &'a mut [u32],
}

/// Token ids and numbers of a sequence of events: one row per position.
///
/// In the composite layout a position is an event, in the flat one a token, in that of bins a stretch of time.
#[derive(Debug, Clone)]
pub struct TokenSequence {
    n_fields: usize,
    n_values: usize,
    ids: Vec<u32>,
    /// Not a number where an event has none.
    values: Vec<f32>,
    /// The column of [`crate::NumberSource::Gap`].
    gap: Option<usize>,
    n_links: usize,
    /// How many positions before its own the other end of each edge is, 0 for no edge; the same number for each type.
    distances: Vec<u16>,
    /// The positions up to each event, its own included; empty where each event is one.
    ends: Vec<usize>,
    /// A row per event for its bin as far as it had filled until then; empty in other layouts.
    open: Vec<u32>,
    /// Values of each field of the tokenizer that training never showed.
    n_unknown: Vec<u32>,
}

impl TokenSequence {
    /// An empty sequence of rows of `n_fields` ids without values, each of them one event.
    #[must_use]
    pub fn new(n_fields: usize) -> Self {
        Self::with_values(n_fields, 0, 0)
    }

    pub(crate) fn with_values(n_fields: usize, n_values: usize, n_tokenizer_fields: usize) -> Self {
        Self {
            n_fields,
            n_values,
            ids: Vec::new(),
            values: Vec::new(),
            gap: None,
            n_links: 0,
            distances: Vec::new(),
            ends: Vec::new(),
            open: Vec::new(),
            n_unknown: vec![0; n_tokenizer_fields],
        }
    }

    /// The same, empty, with so many distances in a row.
    pub(crate) fn with_links(self, n_links: usize) -> Self {
        Self { n_links, ..self }
    }

    /// The same, empty, with the time since the event before in a column of its values.
    pub(crate) fn with_gap(self, gap: Option<usize>) -> Self {
        Self { gap, ..self }
    }

    /// The same, empty, with these rows, each of them one event; unknown are counted the ids of `counted` fields.
    pub(crate) fn of_rows(
        mut self,
        ids: Vec<u32>,
        values: Vec<f32>,
        is_unknown: impl Fn(usize, u32) -> bool,
        counted: &[usize],
    ) -> Self {
        for row in ids.chunks_exact(self.n_fields) {
            for &field in counted {
                self.n_unknown[field] += u32::from(is_unknown(field, row[field]));
            }
        }
        Self { ids, values, ..self }
    }

    /// Appends the row of one event.
    ///
    /// # Panics
    /// Where the row has another number of ids: only a programmer can do that.
    pub fn push(&mut self, row: impl IntoIterator<Item = u32>) {
        self.ids.extend(row);
        self.values.resize(self.n_positions() * self.n_values, f32::NAN);
        self.distances.resize(self.n_positions() * self.n_links, 0);
        assert_eq!(self.ids.len() % self.n_fields, 0, "a row has {} ids", self.n_fields);
    }

    /// Appends an empty row and gives it to be filled.
    pub(crate) fn push_row(&mut self, fill: u32) -> NewRow<'_> {
        let (first_id, first_value, first_link) = (self.ids.len(), self.values.len(), self.distances.len());
        self.ids.resize(first_id + self.n_fields, fill);
        self.values.resize(first_value + self.n_values, f32::NAN);
        self.distances.resize(first_link + self.n_links, 0);
        NewRow {
            ids: &mut self.ids[first_id..],
            values: &mut self.values[first_value..],
            distances: &mut self.distances[first_link..],
            n_unknown: &mut self.n_unknown,
        }
    }

    /// The next event ends with the last position.
    pub(crate) fn end_event(&mut self) {
        self.ends.push(self.n_positions());
    }

    /// The next event lies in a bin that is open yet.
    pub(crate) fn end_event_in(&mut self, open_bin: &[u32]) {
        self.end_event();
        self.open.extend_from_slice(open_bin);
    }

    pub(crate) fn count_unknown(&mut self, field: usize) {
        self.n_unknown[field] += 1;
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.ends.is_empty() { self.n_positions() } else { self.ends.len() }
    }

    /// Whether there is no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of positions: what windows are cut from.
    #[must_use]
    pub fn n_positions(&self) -> usize {
        self.ids.len() / self.n_fields
    }

    /// How many values of each field of the tokenizer training never showed.
    #[must_use]
    pub fn n_unknown(&self) -> &[u32] {
        &self.n_unknown
    }

    /// The context of event `last`: at most `max_len` positions up to its own, and nothing after it.
    #[must_use]
    pub fn context(&self, last: usize, max_len: usize) -> TokenWindow<'_> {
        let end = if self.ends.is_empty() { last + 1 } else { self.ends[last] };
        if self.open.is_empty() {
            return self.window(end.saturating_sub(max_len), end);
        }
        let open = &self.open[last * self.n_fields..(last + 1) * self.n_fields];
        TokenWindow { open, ..self.window(end.saturating_sub(max_len - 1), end) }
    }

    /// The first event of which something is in the context of event `last`.
    #[must_use]
    pub fn first_of_context(&self, last: usize, max_len: usize) -> usize {
        if self.ends.is_empty() {
            return (last + 1).saturating_sub(max_len);
        }
        let first = if self.open.is_empty() {
            let start = self.ends[last].saturating_sub(max_len);
            self.ends.partition_point(|end| *end <= start)
        } else {
            // An event lies in the bin behind those that were closed before it.
            let start = self.ends[last].saturating_sub(max_len - 1);
            self.ends.partition_point(|n_closed| *n_closed < start)
        };
        first.min(last)
    }

    /// The positions from `start` to before `end`.
    #[must_use]
    pub fn window(&self, start: usize, end: usize) -> TokenWindow<'_> {
        TokenWindow {
            n_fields: self.n_fields,
            n_values: self.n_values,
            ids: &self.ids[start * self.n_fields..end * self.n_fields],
            values: &self.values[start * self.n_values..end * self.n_values],
            gap: self.gap,
            n_links: self.n_links,
            distances: &self.distances[start * self.n_links..end * self.n_links],
            open: &[],
        }
    }

    /// Forgets all but the last positions and events, so that a stream does not grow.
    pub(crate) fn keep_last(&mut self, n_positions: usize) {
        let n_gone = self.n_positions().saturating_sub(n_positions);
        self.ids.drain(..n_gone * self.n_fields);
        self.values.drain(..n_gone * self.n_values);
        self.distances.drain(..n_gone * self.n_links);
        let n_events = self.ends.len().saturating_sub(1);
        self.ends.drain(..n_events);
        self.ends.iter_mut().for_each(|end| *end -= n_gone.min(*end));
        self.open.drain(..self.open.len().saturating_sub(self.n_fields));
    }
}

impl PartialEq for TokenSequence {
    /// Missing values are equal to each other.
    fn eq(&self, other: &Self) -> bool {
        (&self.ends, &self.open, &self.n_unknown) == (&other.ends, &other.open, &other.n_unknown)
            && self.n_positions() == other.n_positions()
            && self.window(0, self.n_positions()) == other.window(0, other.n_positions())
    }
}

/// Some consecutive positions of a [`TokenSequence`].
#[derive(Debug, Clone, Copy)]
pub struct TokenWindow<'a> {
    n_fields: usize,
    n_values: usize,
    ids: &'a [u32],
    values: &'a [f32],
    gap: Option<usize>,
    n_links: usize,
    distances: &'a [u16],
    /// A last row that is not in the sequence: a bin that was open yet.
    open: &'a [u32],
}

impl<'a> TokenWindow<'a> {
    pub(crate) fn new(n_fields: usize, ids: &'a [u32], n_values: usize, values: &'a [f32]) -> Self {
        Self { n_fields, n_values, ids, values, gap: None, n_links: 0, distances: &[], open: &[] }
    }

    pub(crate) fn with_gap(self, gap: Option<usize>) -> Self {
        Self { gap, ..self }
    }

    /// Number of positions.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.ids.len() + self.open.len()) / self.n_fields
    }

    /// Whether there is no position.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both begin at the same position of the same sequence: the shorter one is a beginning of the longer one.
    #[must_use]
    pub fn has_start_of(&self, other: &Self) -> bool {
        std::ptr::eq(self.ids.as_ptr(), other.ids.as_ptr())
    }

    /// Some of its positions, without a bin that is open yet.
    #[must_use]
    pub fn part(&self, positions: Range<usize>) -> Self {
        let of = |width: usize| positions.start * width..positions.end * width;
        Self {
            ids: &self.ids[of(self.n_fields)],
            values: &self.values[of(self.n_values)],
            distances: &self.distances[of(self.n_links)],
            open: &[],
            ..*self
        }
    }

    /// Number of ids in a row.
    #[must_use]
    pub fn n_fields(&self) -> usize {
        self.n_fields
    }

    /// Number of values in a row.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.n_values
    }

    /// Earlier positions to which one position is joined at most, by each type of edge.
    #[must_use]
    pub fn max_degree(&self) -> usize {
        self.n_links / EdgeType::ALL.len()
    }

    /// The rows of ids, one per position.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u32]> + use<'a> {
        self.ids.chunks_exact(self.n_fields).chain(self.open.chunks_exact(self.n_fields))
    }

    /// The edges between the positions of the window, by their later ends.
    pub fn edges(&self) -> impl Iterator<Item = Edge> + use<'a> {
        let max_degree = self.max_degree();
        let of_row = move |(to, row): (usize, &'a [u16])| {
            EdgeType::ALL.into_iter().zip(row.chunks_exact(max_degree)).flat_map(move |(kind, distances)| {
                // An event before the window is no part of it.
                let inside =
                    distances.iter().map(|distance| usize::from(*distance)).filter(move |d| *d > 0 && *d <= to);
                inside.map(move |distance| Edge { from: to - distance, to, kind })
            })
        };
        self.distances.chunks_exact(self.n_links.max(1)).enumerate().flat_map(of_row)
    }

    /// Seconds from each position to the last one, at least 0; where gaps are no numbers, positions are a second apart.
    #[must_use]
    pub fn ages(&self) -> Vec<f32> {
        let mut ages = vec![0.0; self.len()];
        for at in (1..ages.len()).rev() {
            let gap = match self.gap {
                Some(column) => self.values.get(at * self.n_values + column).map_or(0.0, |gap| gap.exp_m1().max(0.0)),
                None => 1.0,
            };
            ages[at - 1] = ages[at] + gap;
        }
        ages
    }

    /// All ids, row after row.
    #[must_use]
    pub fn ids(&self) -> Vec<u32> {
        [self.ids, self.open].concat()
    }

    /// All values, row after row; not a number where an event has none.
    #[must_use]
    pub fn values(&self) -> Vec<f32> {
        let mut values = self.values.to_vec();
        values.resize(self.len() * self.n_values, f32::NAN);
        values
    }
}

impl PartialEq for TokenWindow<'_> {
    /// Missing values are equal to each other.
    fn eq(&self, other: &Self) -> bool {
        (self.n_fields, self.n_values) == (other.n_fields, other.n_values)
            && self.rows().eq(other.rows())
            && self.edges().eq(other.edges())
            && same_values(&self.values(), &other.values())
    }
}

pub(crate) fn same_values(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}
