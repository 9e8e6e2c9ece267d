//! FAISS HNSW: a hierarchical navigable small world graph over the vectors (Malkov and Yashunin 2018).

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::faiss::FaissIndex;
use crate::id_set::IdSet;
use crate::index_kind::{IndexFile, IndexKind, Progress};
use crate::settings::KindSettings;
use crate::vector_index::{FilteredIndex, Neighbor, VectorIndex};
use crate::vectors::{VectorSource, check_rows, sample};

/// How the graph keeps its vectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HnswStorage {
    /// Single precision, 4 bytes per value
    #[default]
    F32,
    /// Half precision, 2 bytes per value
    F16,
    /// Scalar quantization, 1 byte per value; a store ranks the nearest again
    Sq8,
}

impl HnswStorage {
    /// Its suffix in the name of the index for FAISS.
    fn suffix(self) -> &'static str {
        match self {
            Self::F32 => "",
            Self::F16 => "_SQfp16",
            Self::Sq8 => "_SQ8",
        }
    }
}

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
    /// How the vectors are kept; single precision by default.
    #[serde(skip_serializing_if = "is_default")]
    pub storage: HnswStorage,
}

/// Stores of single precision are described as before there was another.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_default(storage: &HnswStorage) -> bool {
    *storage == HnswStorage::default()
}

impl Default for HnswOptions {
    fn default() -> Self {
        Self { m: 32, ef_construction: 80, ef_search: 64, n_threads: 1, storage: HnswStorage::F32 }
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
        let HnswOptions { m, ef_construction, ef_search, n_threads: _, storage: _ } = options;
        let at_least = [("m", m, 2), ("ef-construction", ef_construction, 1), ("ef-search", ef_search, 1)];
        if let Some((name, value, _)) = at_least.into_iter().find(|(_, value, least)| value < least) {
            return Err(IndexError::Setting { name, want: "1 or more, and m 2 or more", got: value.to_string() });
        }
        Ok(Self { options })
    }

    fn graph(self, source: &dyn VectorSource, progress: &dyn Progress) -> Result<HnswIndex, IndexError> {
        let HnswOptions { m, ef_construction, ef_search, n_threads, storage } = self.options;
        let mut faiss = FaissIndex::from_factory(source.dim(), &format!("IDMap,HNSW{m}{}", storage.suffix()))?;
        faiss.set("efConstruction", ef_construction)?;
        faiss.set("efSearch", ef_search)?;
        if storage == HnswStorage::Sq8 {
            faiss.train(&sample(source, N_TRAINED)?, n_threads)?;
        }
        faiss.add_all(source, n_threads, progress)?;
        Ok(HnswIndex::new(faiss, self.options))
    }
}

/// How many times as many neighbors are looked through as are expected to hold enough that pass a filter.
const SPARE: usize = 3;

/// How much wider the beam is for an out-of-distribution query.
const WIDER: usize = 16;

/// The widest beam of a search with a filter; a wider one is slower than comparing what passes.
const MOST_BEAM: usize = 4_096;

/// Vectors that the ranges of scalar quantization are fitted to.
const N_TRAINED: usize = 20_000;

/// The kind with these settings.
pub(super) fn open(settings: &KindSettings) -> Result<Arc<dyn IndexKind>, IndexError> {
    Ok(Arc::new(Hnsw::new(settings.parse()?)?))
}

impl IndexKind for Hnsw {
    fn name(&self) -> &'static str {
        "hnsw"
    }

    fn settings(&self) -> KindSettings {
        KindSettings::of(&self.options).expect("options are a JSON object")
    }

    fn build(&self, source: &dyn VectorSource, progress: &dyn Progress) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(self.graph(source, progress)?))
    }

    fn file(&self) -> Option<&dyn IndexFile> {
        Some(self)
    }
}

impl IndexFile for Hnsw {
    fn file_name(&self) -> &'static str {
        "index.faiss"
    }

    fn build_file(
        &self,
        source: &dyn VectorSource,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Box<dyn VectorIndex>, IndexError> {
        let graph = self.graph(source, progress)?;
        graph.faiss.read().unwrap_or_else(PoisonError::into_inner).write(path)?;
        Ok(Box::new(graph))
    }

    fn read_file(&self, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError> {
        let mut faiss = FaissIndex::read(path)?;
        faiss.set("efSearch", self.options.ef_search)?;
        Ok(Box::new(HnswIndex::new(faiss, self.options)))
    }

    /// The settings of searches and the number of threads are not part of the graph.
    fn accepts(&self, built: &KindSettings) -> bool {
        let Ok(built) = built.parse::<HnswOptions>() else { return false };
        let HnswOptions { m, ef_construction, storage, ef_search: _, n_threads: _ } = self.options;
        (m, ef_construction, storage) == (built.m, built.ef_construction, built.storage)
    }
}

/// An HNSW graph in memory.
#[derive(Debug)]
struct HnswIndex {
    /// The width of the beam is a number of the graph and not of a search: another one is set by whoever writes.
    faiss: RwLock<FaissIndex>,
    dim: usize,
    len: usize,
    storage: HnswStorage,
    ef_search: u32,
}

impl HnswIndex {
    fn new(faiss: FaissIndex, options: HnswOptions) -> Self {
        let HnswOptions { ef_search, storage, m: _, ef_construction: _, n_threads: _ } = options;
        Self { dim: faiss.dim(), len: faiss.len(), faiss: RwLock::new(faiss), storage, ef_search }
    }

    /// All that a beam of this width holds at the end, nearest first; one such search at a time.
    fn search_beam(&self, query: &[f32], width: usize) -> Result<Vec<Neighbor>, IndexError> {
        let mut faiss = self.faiss.write().unwrap_or_else(PoisonError::into_inner);
        faiss.set("efSearch", u32::try_from(width).unwrap_or(u32::MAX))?;
        let found = faiss.search(query, width, None);
        faiss.set("efSearch", self.ef_search)?;
        found
    }
}

impl VectorIndex for HnswIndex {
    fn dim(&self) -> usize {
        self.dim
    }

    fn len(&self) -> usize {
        self.len
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        self.faiss.read().unwrap_or_else(PoisonError::into_inner).search(query, k, None)
    }

    fn search_wider(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        let mut found = self.search_beam(query, WIDER * k.max(self.ef_search as usize))?;
        found.truncate(k);
        Ok(found)
    }

    /// Rounded vectors give rounded similarities; the beam is as wide as it is all the same.
    fn n_candidates(&self, k: usize) -> Option<usize> {
        (self.storage != HnswStorage::F32).then_some(k.max(self.ef_search as usize))
    }

    fn filtered(&self) -> Option<&dyn FilteredIndex> {
        Some(self)
    }
}

impl FilteredIndex for HnswIndex {
    /// Looks through so many of the nearest vectors that `k` of them should pass.
    ///
    /// Those that do are the nearest of all that pass, whatever the filter has to do with the query.
    /// Where fewer do, as with a filter that contradicts the query, the store compares all that pass.
    fn search_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        let beam = (SPARE * k * self.len() / ids.len().max(1)).max(self.ef_search as usize);
        if beam > MOST_BEAM {
            return Ok(Vec::new());
        }
        let mut found = self.search_beam(query, beam)?;
        found.retain(|neighbor| ids.contains(neighbor.id));
        found.truncate(k);
        Ok(found)
    }

    /// What passes lies outside of the part of the graph that a walk reaches.
    fn search_wider_among(&self, _query: &[f32], _k: usize, _ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        Ok(Vec::new())
    }

    /// The walk of a selective filter passes through so many others that comparing what passes is as fast.
    fn n_compared(&self) -> usize {
        (self.len() / 50).max(5_000)
    }
}
