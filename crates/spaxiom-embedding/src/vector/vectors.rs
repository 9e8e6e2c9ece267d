//! Moments to vectors.

use std::ops::Range;

use spaxiom_event::{Event, SiteId};
use spaxiom_token::{
    ClockedMemory, EventTable, MemoryReader, MemoryState, MemoryStream, SequenceRows, Sites, TokenSequence,
    TokenStream, TokenWindow, Tokenizer,
};

use super::blocks::{Block, Blocks, Projection};
use super::name::VectorName;
use crate::data::Dataset;
use crate::engine::{SiteWalk, WindowEncoder};
use crate::error::EmbeddingError;

/// Events that are encoded together.
const BATCH_SIZE: usize = 1024;

/// Makes the vectors of a run: encoder and memory, or one of them.
pub struct Vectors {
    tokenizer: Tokenizer,
    encoder: Option<EncoderPart>,
    memory: Option<MemoryPart>,
}

struct EncoderPart {
    encoder: Box<dyn WindowEncoder>,
    /// None in runs of builds without a memory.
    block: Option<Block>,
}

struct MemoryPart {
    memory: ClockedMemory,
    projection: Projection,
}

impl Vectors {
    /// Vectors of an encoder alone, as it gives them.
    pub(crate) fn encoded(tokenizer: Tokenizer, encoder: Box<dyn WindowEncoder>) -> Self {
        Self { tokenizer, encoder: Some(EncoderPart { encoder, block: None }), memory: None }
    }

    /// The parts of `name` that are there.
    pub(crate) fn of_blocks(
        tokenizer: Tokenizer,
        encoder: Option<Box<dyn WindowEncoder>>,
        memory: ClockedMemory,
        blocks: Blocks,
        name: VectorName,
    ) -> Self {
        let Blocks { encoder: block, memory: projection } = blocks;
        let encoder = encoder.filter(|_| name.has_encoder()).map(|encoder| EncoderPart { encoder, block });
        Self { tokenizer, encoder, memory: name.has_memory().then_some(MemoryPart { memory, projection }) }
    }

    /// The same for sites that training did not have: their clocks, and what their zones are for.
    #[must_use]
    pub fn with_sites(mut self, sites: &Sites) -> Self {
        self.tokenizer = self.tokenizer.with_sites(sites);
        self.memory = self.memory.map(|part| MemoryPart { memory: part.memory.with_sites(sites), ..part });
        self
    }

    /// The same with another encoder of the same tokens, whose block is learned from some windows.
    pub(crate) fn with_encoder(self, encoder: Box<dyn WindowEncoder>, windows: &[TokenWindow<'_>]) -> Self {
        if self.encoder.is_none() {
            return self;
        }
        let block = self.memory.is_some().then(|| Block::fit(&encoder.encode(windows), encoder.dim()));
        Self { encoder: Some(EncoderPart { encoder, block }), ..self }
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The memory, where vectors have one.
    #[must_use]
    pub fn memory(&self) -> Option<&ClockedMemory> {
        self.memory.as_ref().map(|part| &part.memory)
    }

    /// The encoder, where vectors have one.
    #[must_use]
    pub fn encoder(&self) -> Option<&dyn WindowEncoder> {
        self.encoder.as_ref().map(|part| part.encoder.as_ref())
    }

    /// Width of the vectors.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.encoder_dim() + self.memory.as_ref().map_or(0, |part| part.projection.width())
    }

    fn encoder_dim(&self) -> usize {
        self.encoder().map_or(0, WindowEncoder::dim)
    }

    /// The longest window in positions; 1 without an encoder.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.encoder().map_or(1, WindowEncoder::max_len)
    }

    /// How many positions back the encoder reaches; 1 without one.
    #[must_use]
    pub fn reach(&self) -> usize {
        self.encoder().map_or(1, WindowEncoder::reach)
    }

    /// One vector per moment, row after row, of its window and of what the memory says, as [`ClockedMemory`] gives it.
    #[must_use]
    pub fn of(&self, windows: &[TokenWindow<'_>], remembered: &[f32]) -> Vec<f32> {
        let encoded = self.encoder().map(|encoder| encoder.encode(windows));
        self.of_rows(encoded.unwrap_or_default(), remembered, windows.len())
    }

    /// The same from what the encoder says of `n` moments; nothing without one.
    fn of_rows(&self, encoded: Vec<f32>, remembered: &[f32], n: usize) -> Vec<f32> {
        let encoded = self.scaled(encoded);
        match &self.memory {
            Some(part) => joined(&encoded, &part.projection.applied(remembered), n),
            None => encoded,
        }
    }

    /// What an encoder says, as the block of a vector.
    fn scaled(&self, encoded: Vec<f32>) -> Vec<f32> {
        match self.encoder.as_ref().and_then(|part| part.block.as_ref()) {
            Some(block) => block.applied(&encoded),
            None => encoded,
        }
    }

    /// The vector of an event of which nothing before is known: what its encoder says, and 0 for its memory.
    ///
    /// Without an encoder it is what the memory says of an event at a site where nothing else happened.
    #[must_use]
    pub fn of_bare(&self, event: &Event) -> Vec<f32> {
        let tokens = self.tokenizer.tokenize_event(event);
        let windows = [tokens.context(0, self.max_len())];
        if let (None, Some(part)) = (&self.encoder, &self.memory) {
            return self.of(&windows, &part.memory.stream(&event.site_id).push(event));
        }
        let encoded = self.encoder().map(|encoder| encoder.encode(&windows));
        let mut vector = self.scaled(encoded.unwrap_or_default());
        vector.resize(self.dim(), 0.0);
        vector
    }

    /// Reads the moments of a site one after the other, given its tokens and its rows in a table.
    #[must_use]
    pub fn reader<'a>(
        &'a self,
        tokens: &'a TokenSequence,
        table: &'a EventTable,
        sequence: &'a SequenceRows,
    ) -> VectorReader<'a> {
        let memory = self.memory().map(|memory| memory.reader(table, sequence));
        let walk = self.encoder().and_then(WindowEncoder::walk).map(|walk| Walk { walk, n_read: 0 });
        VectorReader { vectors: self, tokens, memory, walk }
    }

    /// Shows the events of every site of a data set that `is_wanted`, batch by batch in order of time, with their vectors.
    ///
    /// # Errors
    /// Those of `show`.
    pub fn of_data(
        &self,
        data: &Dataset,
        is_wanted: impl Fn(&SiteId) -> bool,
        mut show: impl FnMut(&[Event], &[f32]) -> Result<(), EmbeddingError>,
    ) -> Result<(), EmbeddingError> {
        let (table, sequences) = data.columns();
        let tokens = data.tokenize(&self.tokenizer);
        for (sequence, tokens) in sequences.iter().zip(&tokens).filter(|(sequence, _)| is_wanted(&sequence.site_id)) {
            let mut reader = self.reader(tokens, table, sequence);
            for start in (0..tokens.len()).step_by(BATCH_SIZE) {
                let batch = start..(start + BATCH_SIZE).min(tokens.len());
                let events: Vec<Event> = table.events(&sequence.rows[batch.clone()]).collect();
                show(&events, &reader.read(batch))?;
            }
        }
        Ok(())
    }

    /// A stream of events of a site in which nothing has happened yet.
    #[must_use]
    pub fn stream(&self) -> VectorStream<'_> {
        VectorStream { vectors: self, site: None }
    }
}

/// Rows of two blocks beside each other.
fn joined(left: &[f32], right: &[f32], n_rows: usize) -> Vec<f32> {
    let (n_left, n_right) = (left.len() / n_rows.max(1), right.len() / n_rows.max(1));
    let mut rows = Vec::with_capacity(left.len() + right.len());
    for row in 0..n_rows {
        rows.extend_from_slice(&left[row * n_left..(row + 1) * n_left]);
        rows.extend_from_slice(&right[row * n_right..(row + 1) * n_right]);
    }
    rows
}

/// Reads the moments of a site one after the other; see [`Vectors::reader`].
pub struct VectorReader<'a> {
    vectors: &'a Vectors,
    tokens: &'a TokenSequence,
    memory: Option<MemoryReader<'a>>,
    /// Where the encoder goes on event by event.
    walk: Option<Walk<'a>>,
}

/// A site that an encoder walks through, and how many of its positions it has read.
struct Walk<'a> {
    walk: Box<dyn SiteWalk + 'a>,
    n_read: usize,
}

impl Walk<'_> {
    /// The vectors after these positions; those before them that were not read are taken in.
    fn read(&mut self, tokens: &TokenSequence, positions: Range<usize>) -> Vec<f32> {
        while self.n_read < positions.start {
            let end = (self.n_read + BATCH_SIZE).min(positions.start);
            drop(self.walk.read(tokens.window(self.n_read, end)));
            self.n_read = end;
        }
        self.n_read = positions.end;
        self.walk.read(tokens.window(positions.start, positions.end))
    }
}

impl VectorReader<'_> {
    /// The vectors of these events, row after row; those before them that were not read are taken in.
    ///
    /// # Panics
    /// For events before some that were read.
    pub fn read(&mut self, events: Range<usize>) -> Vec<f32> {
        let mut remembered = Vec::new();
        if let Some(memory) = &mut self.memory {
            let n_features = memory.n_features();
            remembered.resize(events.len() * n_features, 0.0);
            for (event, features) in events.clone().zip(remembered.chunks_exact_mut(n_features)) {
                memory.read(event, features);
            }
        }
        if let Some(walk) = &mut self.walk {
            let encoded = walk.read(self.tokens, events.clone());
            return self.vectors.of_rows(encoded, &remembered, events.len());
        }
        let max_len = self.vectors.max_len();
        let windows: Vec<TokenWindow<'_>> = events.map(|last| self.tokens.context(last, max_len)).collect();
        self.vectors.of(&windows, &remembered)
    }

    /// The vectors of some events, given by their places in ascending order.
    ///
    /// # Panics
    /// As [`VectorReader::read`].
    pub(crate) fn read_some(&mut self, places: &[usize]) -> Vec<f32> {
        if self.walk.is_some() {
            return places.iter().flat_map(|&place| self.read(place..place + 1)).collect();
        }
        let n_features = self.memory.as_ref().map_or(0, MemoryReader::n_features);
        let mut remembered = vec![0.0; places.len() * n_features];
        if let Some(memory) = &mut self.memory {
            let rows = remembered.chunks_exact_mut(n_features.max(1));
            places.iter().zip(rows).for_each(|(&place, features)| memory.read(place, features));
        }
        let max_len = self.vectors.max_len();
        let windows: Vec<TokenWindow<'_>> = places.iter().map(|&last| self.tokens.context(last, max_len)).collect();
        self.vectors.of(&windows, &remembered)
    }
}

/// A site that is fed event by event; see [`Vectors::stream`].
pub struct VectorStream<'a> {
    vectors: &'a Vectors,
    /// Of the last event.
    site: Option<SiteStream<'a>>,
}

/// What goes on from event to event of a site.
pub(super) struct SiteStream<'a> {
    site_id: SiteId,
    tokens: TokenStream<'a>,
    memory: Option<MemoryStream<'a>>,
    walk: Option<Box<dyn SiteWalk + 'a>>,
}

impl<'a> SiteStream<'a> {
    /// Of a site in which nothing has happened yet.
    pub(super) fn new(vectors: &'a Vectors, site_id: &SiteId) -> Self {
        Self {
            site_id: site_id.clone(),
            tokens: vectors.tokenizer.stream(vectors.max_len()),
            memory: vectors.memory().map(|memory| memory.stream(site_id)),
            walk: vectors.encoder().and_then(WindowEncoder::walk),
        }
    }

    /// Of a site with its last events and what was kept of it; none where that is of other vectors.
    pub(super) fn resumed(
        vectors: &'a Vectors,
        site_id: &SiteId,
        last: &[Event],
        memory: Option<MemoryState>,
        walk: &[f32],
    ) -> Option<Self> {
        let mut stream = Self::new(vectors, site_id);
        for event in last {
            stream.tokens.push(event);
        }
        stream.memory = match (vectors.memory(), memory) {
            (Some(memory), Some(state)) => Some(memory.resumed(site_id, state).ok()?),
            (None, None) => None,
            _ => return None,
        };
        let is_own = match &mut stream.walk {
            Some(own) => own.resume(walk),
            None => walk.is_empty(),
        };
        is_own.then_some(stream)
    }

    pub(super) fn memory(&self) -> Option<&MemoryStream<'a>> {
        self.memory.as_ref()
    }

    pub(super) fn walk(&self) -> Option<&dyn SiteWalk> {
        self.walk.as_deref().map(|walk| walk as &dyn SiteWalk)
    }

    /// The vector of the next event.
    pub(super) fn push(&mut self, vectors: &Vectors, event: &Event) -> Vec<f32> {
        let remembered = self.memory.as_mut().map(|memory| memory.push(event)).unwrap_or_default();
        let window = self.tokens.push(event);
        match &mut self.walk {
            Some(walk) => {
                let encoded = walk.read(window.part(window.len() - 1..window.len()));
                vectors.of_rows(encoded, &remembered, 1)
            }
            None => vectors.of(&[window], &remembered),
        }
    }
}

impl VectorStream<'_> {
    /// The vector of the next event; an event of another site than the last one begins that site anew.
    ///
    /// It is the same as [`VectorReader::read`] gives for the whole sequence.
    pub fn push(&mut self, event: &Event) -> Vec<f32> {
        let vectors = self.vectors;
        self.site = self.site.take().filter(|site| site.site_id == event.site_id);
        self.site.get_or_insert_with(|| SiteStream::new(vectors, &event.site_id)).push(vectors, event)
    }
}
