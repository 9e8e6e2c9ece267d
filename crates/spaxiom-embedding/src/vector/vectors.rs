//! Moments to vectors.

use std::ops::Range;

use spaxiom_event::{Event, SiteId};
use spaxiom_token::{
    ClockedMemory, EventTable, MemoryReader, MemoryStream, SequenceRows, Sites, TokenSequence, TokenStream,
    TokenWindow, Tokenizer,
};

use super::blocks::{Block, Blocks, Projection};
use super::name::VectorName;
use crate::data::Dataset;
use crate::engine::WindowEncoder;
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

    /// One vector per moment, row after row, of its window and of what the memory says, as [`ClockedMemory`] gives it.
    #[must_use]
    pub fn of(&self, windows: &[TokenWindow<'_>], remembered: &[f32]) -> Vec<f32> {
        match (self.encoder_block(windows), &self.memory) {
            (encoded, Some(part)) => joined(&encoded, &part.projection.applied(remembered), windows.len()),
            (encoded, None) => encoded,
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
        let mut vector = self.encoder_block(&windows);
        vector.resize(self.dim(), 0.0);
        vector
    }

    /// Empty without an encoder.
    fn encoder_block(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        let Some(EncoderPart { encoder, block }) = &self.encoder else { return Vec::new() };
        let encoded = encoder.encode(windows);
        block.as_ref().map_or_else(|| encoded.clone(), |block| block.applied(&encoded))
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
        VectorReader { vectors: self, tokens, memory }
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
        VectorStream { vectors: self, tokens: self.tokenizer.stream(self.max_len()), memory: None }
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
        let max_len = self.vectors.max_len();
        let windows: Vec<TokenWindow<'_>> = events.map(|last| self.tokens.context(last, max_len)).collect();
        self.vectors.of(&windows, &remembered)
    }
}

/// A site that is fed event by event; see [`Vectors::stream`].
pub struct VectorStream<'a> {
    vectors: &'a Vectors,
    tokens: TokenStream<'a>,
    /// Of the site of the last event.
    memory: Option<(SiteId, MemoryStream<'a>)>,
}

impl VectorStream<'_> {
    /// The vector of the next event; the same as [`VectorReader::read`] gives for the whole sequence.
    pub fn push(&mut self, event: &Event) -> Vec<f32> {
        let remembered = match self.vectors.memory() {
            Some(memory) => {
                let is_other = self.memory.as_ref().is_none_or(|(site, _)| *site != event.site_id);
                if is_other {
                    self.memory = Some((event.site_id.clone(), memory.stream(&event.site_id)));
                }
                self.memory.as_mut().map(|(_, memory)| memory.push(event)).unwrap_or_default()
            }
            None => Vec::new(),
        };
        self.vectors.of(&[self.tokens.push(event)], &remembered)
    }
}
