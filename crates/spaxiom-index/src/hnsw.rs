//! FAISS HNSW: a navigable small world graph over the vectors (Malkov and Yashunin 2018).

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::faiss::FaissIndex;
use crate::vector_index::{Neighbour, VectorId, VectorIndex, check_rows};

/// What may be set about the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HnswOptions {
    /// Neighbours of a vector on each level (on the lowest twice as many); 32.
    pub m: u32,
    /// Candidates while the graph is built: more is slower to build and finds more; 80.
    pub ef_construction: u32,
    /// Candidates while the graph is searched: more is slower and finds more; 64.
    pub ef_search: u32,
    /// Threads while the graph is built. One gives the same graph every time; more is faster and does not; 1.
    pub n_threads: u32,
}

impl Default for HnswOptions {
    fn default() -> Self {
        Self { m: 32, ef_construction: 80, ef_search: 64, n_threads: 1 }
    }
}

/// An HNSW graph in memory.
#[derive(Debug)]
pub struct HnswIndex {
    options: HnswOptions,
    faiss: FaissIndex,
}

impl HnswIndex {
    /// An empty graph for vectors of `dim` numbers.
    ///
    /// # Errors
    /// [`IndexError::Setting`] for a graph without edges or candidates.
    pub fn new(dim: usize, options: HnswOptions) -> Result<Self, IndexError> {
        let HnswOptions { m, ef_construction, ef_search, n_threads: _ } = options;
        let at_least = [("m", m, 2), ("ef-construction", ef_construction, 1), ("ef-search", ef_search, 1)];
        if let Some((name, value, _)) = at_least.into_iter().find(|(_, value, least)| value < least) {
            return Err(IndexError::Setting { name, want: "1 or more, and m 2 or more", got: value.to_string() });
        }
        let mut faiss = FaissIndex::from_factory(dim, &format!("IDMap,HNSW{m}"))?;
        faiss.set("efConstruction", ef_construction)?;
        faiss.set("efSearch", ef_search)?;
        Ok(Self { options, faiss })
    }

    /// Reads a graph that [`HnswIndex::write`] wrote; the caller has checked the file's checksum.
    pub(crate) fn read(path: &Path, options: HnswOptions) -> Result<Self, IndexError> {
        let mut faiss = FaissIndex::read(path)?;
        faiss.set("efSearch", options.ef_search)?;
        Ok(Self { options, faiss })
    }

    /// Writes the graph.
    pub(crate) fn write(&self, path: &Path) -> Result<(), IndexError> {
        self.faiss.write(path)
    }

    /// Changes how many candidates a search keeps.
    pub fn set_ef_search(&mut self, ef_search: u32) -> Result<(), IndexError> {
        self.options.ef_search = ef_search;
        self.faiss.set("efSearch", ef_search)
    }
}

impl VectorIndex for HnswIndex {
    fn dim(&self) -> usize {
        self.faiss.dim()
    }

    fn len(&self) -> usize {
        self.faiss.len()
    }

    /// Every call costs time in proportion to the vectors that are there: add many at once.
    fn add(&mut self, ids: &[VectorId], vectors: &[f32]) -> Result<(), IndexError> {
        check_rows(self.dim(), ids.len(), vectors)?;
        if ids.is_empty() {
            return Ok(());
        }
        self.faiss.add(ids, vectors, self.options.n_threads)
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbour>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        self.faiss.search(query, k)
    }
}
