//! FAISS HNSW: a hierarchical navigable small world graph over the vectors (Malkov and Yashunin 2018).

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::faiss::FaissIndex;
use crate::index_kind::{IndexFile, IndexKind};
use crate::settings::KindSettings;
use crate::vector_index::{Neighbor, VectorIndex};
use crate::vectors::{Rows, check_rows};

/// Options of an HNSW graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HnswOptions {
    /// Neighbors per vector on every level but the lowest, which has twice as many; 32 by default.
    pub m: u32,
    /// Candidates kept while building: more raises recall and build time; 80 by default.
    pub ef_construction: u32,
    /// Candidates kept while searching: more raises recall and latency; 64 by default.
    pub ef_search: u32,
    /// Threads while building; 1 by default. More are faster, but the graph is then not reproducible.
    pub n_threads: u32,
}

impl Default for HnswOptions {
    fn default() -> Self {
        Self { m: 32, ef_construction: 80, ef_search: 64, n_threads: 1 }
    }
}

/// An HNSW graph that FAISS builds and searches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hnsw {
    options: HnswOptions,
}

impl Hnsw {
    /// Checks the options.
    ///
    /// # Errors
    /// [`IndexError::Setting`] for a graph without edges or candidates.
    pub fn new(options: HnswOptions) -> Result<Self, IndexError> {
        let HnswOptions { m, ef_construction, ef_search, n_threads: _ } = options;
        let at_least = [("m", m, 2), ("ef-construction", ef_construction, 1), ("ef-search", ef_search, 1)];
        if let Some((name, value, _)) = at_least.into_iter().find(|(_, value, least)| value < least) {
            return Err(IndexError::Setting { name, want: "1 or more, and m 2 or more", got: value.to_string() });
        }
        Ok(Self { options })
    }

    fn graph(self, rows: Rows<'_>) -> Result<HnswIndex, IndexError> {
        let HnswOptions { m, ef_construction, ef_search, n_threads } = self.options;
        let mut faiss = FaissIndex::from_factory(rows.dim(), &format!("IDMap,HNSW{m}"))?;
        faiss.set("efConstruction", ef_construction)?;
        faiss.set("efSearch", ef_search)?;
        if !rows.ids().is_empty() {
            faiss.add(rows.ids(), rows.vectors(), n_threads)?;
        }
        Ok(HnswIndex { faiss })
    }
}

/// The kind with these settings.
pub(super) fn open(settings: &KindSettings) -> Result<Arc<dyn IndexKind>, IndexError> {
    Ok(Arc::new(Hnsw::new(settings.parse()?)?))
}

impl IndexKind for Hnsw {
    fn name(&self) -> &'static str {
        "hnsw"
    }

    fn settings(&self) -> KindSettings {
        KindSettings::of(&self.options).expect("four numbers are a JSON object")
    }

    fn build(&self, rows: Rows<'_>) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(self.graph(rows)?))
    }

    fn file(&self) -> Option<&dyn IndexFile> {
        Some(self)
    }
}

impl IndexFile for Hnsw {
    fn file_name(&self) -> &'static str {
        "index.faiss"
    }

    fn build_file(&self, rows: Rows<'_>, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError> {
        let graph = self.graph(rows)?;
        graph.faiss.write(path)?;
        Ok(Box::new(graph))
    }

    fn read_file(&self, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError> {
        let mut faiss = FaissIndex::read(path)?;
        faiss.set("efSearch", self.options.ef_search)?;
        Ok(Box::new(HnswIndex { faiss }))
    }

    /// The settings of searches and the number of threads are not part of the graph.
    fn accepts(&self, built: &KindSettings) -> bool {
        let Ok(built) = built.parse::<HnswOptions>() else { return false };
        built.m == self.options.m && built.ef_construction == self.options.ef_construction
    }
}

/// An HNSW graph in memory.
#[derive(Debug)]
struct HnswIndex {
    faiss: FaissIndex,
}

impl VectorIndex for HnswIndex {
    fn dim(&self) -> usize {
        self.faiss.dim()
    }

    fn len(&self) -> usize {
        self.faiss.len()
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        self.faiss.search(query, k)
    }
}
