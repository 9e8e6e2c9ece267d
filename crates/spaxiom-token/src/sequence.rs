//! Rows of token ids, and windows over them.

/// Token ids of a sequence: one row per event, one id per field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSequence {
    n_fields: usize,
    ids: Vec<u32>,
}

impl TokenSequence {
    /// An empty sequence of rows of `n_fields` ids.
    #[must_use]
    pub fn new(n_fields: usize) -> Self {
        Self { n_fields, ids: Vec::new() }
    }

    /// Appends the row of one event.
    ///
    /// # Panics
    /// Where the row has another number of ids: only a programmer can do that.
    pub fn push(&mut self, row: impl IntoIterator<Item = u32>) {
        self.ids.extend(row);
        assert_eq!(self.ids.len() % self.n_fields, 0, "a row has {} ids", self.n_fields);
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len() / self.n_fields
    }

    /// Whether there is no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The context of event `last`: itself and at most `max_len - 1` events before it, never one after it.
    #[must_use]
    pub fn context(&self, last: usize, max_len: usize) -> TokenWindow<'_> {
        self.window((last + 1).saturating_sub(max_len), last + 1)
    }

    /// The events from `start` to before `end`.
    #[must_use]
    pub fn window(&self, start: usize, end: usize) -> TokenWindow<'_> {
        TokenWindow { n_fields: self.n_fields, ids: &self.ids[start * self.n_fields..end * self.n_fields] }
    }
}

/// Some consecutive events of a [`TokenSequence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenWindow<'a> {
    n_fields: usize,
    ids: &'a [u32],
}

impl<'a> TokenWindow<'a> {
    pub(crate) fn new(n_fields: usize, ids: &'a [u32]) -> Self {
        Self { n_fields, ids }
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len() / self.n_fields
    }

    /// Whether there is no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Number of ids in a row.
    #[must_use]
    pub fn n_fields(&self) -> usize {
        self.n_fields
    }

    /// The rows, one per event.
    pub fn rows(&self) -> std::slice::ChunksExact<'a, u32> {
        self.ids.chunks_exact(self.n_fields)
    }

    /// All ids, row after row.
    #[must_use]
    pub fn ids(&self) -> &'a [u32] {
        self.ids
    }
}
