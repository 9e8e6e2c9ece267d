//! A run and a store that belong together.

use std::path::Path;
use std::sync::Arc;

use spaxiom_event::{EventSequence, SequenceKey};
use spaxiom_index::{IndexKind, Store, StoreHeader, VectorStore};
use spaxiom_token::{EventTable, SequenceRows, Sites, TokenSequence, Tokenizer};

use crate::engine::Engine;
use crate::error::EmbeddingError;
use crate::retrieval::TextVectors;
use crate::run::{Manifest, Run};
use crate::vector::{VectorName, VectorStream, Vectors};

/// Events that are encoded together and stored in one transaction, as in the seed.
const BATCH_SIZE: usize = 256;

/// Tokenizer, encoder, memory and store of one run.
pub struct EmbeddingPipeline {
    pub(super) vectors: Vectors,
    pub(super) store: Arc<dyn VectorStore>,
    pub(super) batch_size: usize,
    pub(super) is_replacing: bool,
    /// Where the run has a text encoder for the vectors of the store.
    texts: Option<TextVectors>,
}

/// The text encoder of a run, where it has one for vectors of this width.
fn texts_of(run: &Run, engine: &dyn Engine, dim: usize) -> Result<Option<TextVectors>, EmbeddingError> {
    if !TextVectors::is_in(run.path()) {
        return Ok(None);
    }
    Ok(Some(TextVectors::open(run.path(), engine)?).filter(|texts| texts.dim() == dim))
}

/// What makes the vectors of a run, and what a store says that it filled.
fn made_by(run: &Run, engine: &dyn Engine, name: VectorName) -> Result<(Vectors, StoreHeader), EmbeddingError> {
    let vectors = run.vectors(engine, name)?;
    let Manifest { tokenizer, weights, vector, .. } = run.manifest();
    let made = vector.as_ref().or(weights.as_ref()).expect("vectors were read, so the run has weights or a memory");
    let mut encoder: String = made.chars().take(16).collect();
    if name != VectorName::Both && vector.is_some() {
        encoder = format!("{encoder}-{}", name.as_str());
    }
    // Builds before walks filled stores with the vectors of windows, which are others.
    if vectors.encoder().is_some_and(|encoder| encoder.walk().is_some()) {
        encoder.push_str("-walk");
    }
    let header = StoreHeader { dim: vectors.dim(), tokenizer: tokenizer.clone(), encoder };
    Ok((vectors, header))
}

impl EmbeddingPipeline {
    /// Opens a store that the run filled; never creates one, and leaves its index kind and its vectors as they are.
    ///
    /// # Errors
    /// [`spaxiom_index::IndexError::NoStore`] without a store, [`spaxiom_index::IndexError::OtherRun`] if another run filled it.
    pub fn open(run: &Run, store: &Path, engine: &dyn Engine) -> Result<Self, EmbeddingError> {
        Self::over(run, Arc::new(Store::open(store)?), engine)
    }

    /// The same over a store of any engine.
    ///
    /// # Errors
    /// [`spaxiom_index::IndexError::OtherRun`] if another run filled it.
    pub fn over(run: &Run, store: Arc<dyn VectorStore>, engine: &dyn Engine) -> Result<Self, EmbeddingError> {
        let (vectors, header) = made_by(run, engine, Self::parts(store.header()))?;
        store.require(&header)?;
        let texts = texts_of(run, engine, vectors.dim())?;
        Ok(Self { texts, ..Self::new(vectors, store) })
    }

    /// What a store of the run says of its vectors.
    ///
    /// # Errors
    /// A run that cannot be read.
    pub fn header(run: &Run, engine: &dyn Engine, parts: VectorName) -> Result<StoreHeader, EmbeddingError> {
        made_by(run, engine, parts).map(|(_, header)| header)
    }

    /// Creates a store for the run; one that is there already keeps its events and gets the index kind.
    ///
    /// # Errors
    /// [`spaxiom_index::IndexError::OtherRun`] if another run filled the store.
    pub fn create(
        run: &Run,
        store: &Path,
        kind: Arc<dyn IndexKind>,
        engine: &dyn Engine,
    ) -> Result<Self, EmbeddingError> {
        Self::create_with(run, store, kind, engine, VectorName::Both)
    }

    /// The same for some parts of the vectors.
    ///
    /// # Errors
    /// As [`EmbeddingPipeline::create`], and if the store was filled with other parts.
    pub fn create_with(
        run: &Run,
        store: &Path,
        kind: Arc<dyn IndexKind>,
        engine: &dyn Engine,
        parts: VectorName,
    ) -> Result<Self, EmbeddingError> {
        let (vectors, header) = made_by(run, engine, parts)?;
        let texts = texts_of(run, engine, vectors.dim())?;
        Ok(Self { texts, ..Self::new(vectors, Arc::new(Store::open_or_create(store, &header, kind)?)) })
    }

    /// The parts of the vectors of a store.
    #[must_use]
    pub fn parts(header: &StoreHeader) -> VectorName {
        let parts = VectorName::ALL.into_iter().find(|name| header.encoder.ends_with(&format!("-{}", name.as_str())));
        parts.unwrap_or_default()
    }

    fn new(vectors: Vectors, store: Arc<dyn VectorStore>) -> Self {
        Self { vectors, store, batch_size: BATCH_SIZE, is_replacing: false, texts: None }
    }

    /// The same pipeline with another number of events that are encoded together and stored in one transaction; 256 by default.
    #[must_use]
    pub fn with_batch_size(self, batch_size: usize) -> Self {
        Self { batch_size: batch_size.max(1), ..self }
    }

    /// The same pipeline, in which an event takes the place of a stored one with its site and id that says something else.
    #[must_use]
    pub fn replacing(self) -> Self {
        Self { is_replacing: true, ..self }
    }

    /// The same pipeline for sites that were not in training: their clocks and kinds of zones.
    #[must_use]
    pub fn with_sites(mut self, sites: &Sites) -> Self {
        self.vectors = self.vectors.with_sites(sites);
        self
    }

    /// The vector of a text among those of the store; none for a run without a text encoder for them.
    ///
    /// # Errors
    /// A text encoder that is damaged.
    pub fn text_vector(&self, text: &str) -> Result<Option<Vec<f32>>, EmbeddingError> {
        self.texts.as_ref().map(|texts| texts.of(&[text])).transpose()
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        self.vectors.tokenizer()
    }

    /// What makes the vectors.
    #[must_use]
    pub fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &dyn VectorStore {
        self.store.as_ref()
    }

    /// The store, to be read by others too.
    #[must_use]
    pub fn shared_store(&self) -> Arc<dyn VectorStore> {
        Arc::clone(&self.store)
    }

    /// One row of ids per event.
    #[must_use]
    pub fn tokenize(&self, sequence: &EventSequence) -> TokenSequence {
        self.tokenizer().tokenize(sequence)
    }

    /// A stream of events of one site, each encoded in the context of those pushed before it.
    #[must_use]
    pub fn stream(&self) -> VectorStream<'_> {
        self.vectors.stream()
    }
}

/// The events of a site as columns, and their rows.
pub(super) fn table_of(sequence: &EventSequence) -> (EventTable, SequenceRows) {
    let mut table = EventTable::new(SequenceKey::Site);
    sequence.events().iter().for_each(|event| table.push(event));
    let rows = (0u32..).take(sequence.events().len()).collect();
    (table, SequenceRows { site_id: sequence.site_id().clone(), rows })
}
