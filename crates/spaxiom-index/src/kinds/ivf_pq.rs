//! FAISS IVF-PQ: product codes in inverted lists (Jégou, Douze and Schmid 2011), rotated by OPQ where wanted.
//!
//! A few bytes per vector; how much recall is left depends on the data, and the audit of a store measures it.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::faiss::{Among, FaissIndex};
use crate::id_set::IdSet;
use crate::index_kind::{IndexFile, IndexKind, Progress};
use crate::settings::KindSettings;
use crate::vector_index::{FilteredIndex, Neighbor, VectorIndex};
use crate::vectors::{VectorSource, check_rows, sample};

/// Vectors per list that an index is trained with; FAISS asks for 39 at least.
const N_PER_LIST: usize = 40;

/// Options of product codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct IvfPqOptions {
    /// Bytes per vector; 0, the default, is the greatest divisor of the dimension up to an eighth of it.
    pub bytes: u32,
    /// Inverted lists; 0, the default, is the square root of the number of vectors.
    pub n_lists: u32,
    /// Lists that a query searches, the nearest first; 0, the default, is a tenth of them, and 16 at least.
    pub n_probe: u32,
    /// Estimates that may be compared exactly, in multiples of k; 100 by default.
    pub rerank: u32,
    /// Rotate vectors first so that codes fit better; slow to train.
    pub opq: bool,
    /// Threads while building; 1 by default.
    pub n_threads: u32,
}

impl Default for IvfPqOptions {
    fn default() -> Self {
        Self { bytes: 0, n_lists: 0, n_probe: 0, rerank: 100, opq: false, n_threads: 1 }
    }
}

/// Product codes that FAISS makes and searches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IvfPq {
    options: IvfPqOptions,
}

impl IvfPq {
    /// Checks the options.
    ///
    /// # Errors
    /// [`IndexError::Setting`] if nothing is ranked again.
    pub fn new(options: IvfPqOptions) -> Result<Self, IndexError> {
        if options.rerank == 0 {
            return Err(IndexError::Setting { name: "rerank", want: "1 or more", got: "0".into() });
        }
        Ok(Self { options })
    }

    fn lists(self, source: &dyn VectorSource, progress: &dyn Progress) -> Result<IvfPqIndex, IndexError> {
        let IvfPqOptions { opq, n_threads, .. } = self.options;
        let (dim, n) = (source.dim(), source.ids().len());
        let bytes = self.bytes(dim)?;
        let description = match self.n_lists(n) {
            0 => "IDMap,Flat".into(),
            n_lists => {
                let rotation = if opq { format!("OPQ{bytes},") } else { String::new() };
                // Without `np` FAISS trains for minutes what its searches do not use.
                format!("{rotation}IVF{n_lists},PQ{bytes}np")
            }
        };
        let mut faiss = FaissIndex::from_factory(dim, &description)?;
        faiss.train(&sample(source, N_PER_LIST * self.n_lists(n).max(256))?, n_threads)?;
        faiss.add_all(source, n_threads, progress)?;
        self.ready(faiss)
    }

    /// Lists for `n` vectors; 0 for fewer than a code has values, which FAISS cannot train and which are compared whole.
    fn n_lists(self, n: usize) -> usize {
        if n < 256 {
            return 0;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a root of a count")]
        let wanted = if self.options.n_lists == 0 { (n as f64).sqrt() as usize } else { self.options.n_lists as usize };
        wanted.clamp(1, n / N_PER_LIST)
    }

    fn ready(self, faiss: FaissIndex) -> Result<IvfPqIndex, IndexError> {
        let n_lists = self.n_lists(faiss.len());
        let mut index = IvfPqIndex { options: self.options, n_lists, faiss };
        if n_lists > 0 {
            let n_probe = u32::try_from(index.n_probe()).unwrap_or(u32::MAX);
            index.faiss.set("nprobe", n_probe)?;
        }
        Ok(index)
    }

    fn bytes(self, dim: usize) -> Result<usize, IndexError> {
        match self.options.bytes as usize {
            0 => Ok((1..=(dim / 8).max(1)).rev().find(|bytes| dim.is_multiple_of(*bytes)).unwrap_or(1)),
            bytes if dim.is_multiple_of(bytes) => Ok(bytes),
            bytes => Err(IndexError::Setting {
                name: "bytes",
                want: "a divisor of the dimension of the vectors",
                got: bytes.to_string(),
            }),
        }
    }
}

/// The kind with these settings.
pub(super) fn open(settings: &KindSettings) -> Result<Arc<dyn IndexKind>, IndexError> {
    Ok(Arc::new(IvfPq::new(settings.parse()?)?))
}

impl IndexKind for IvfPq {
    fn name(&self) -> &'static str {
        "ivf-pq"
    }

    fn settings(&self) -> KindSettings {
        KindSettings::of(&self.options).expect("options are a JSON object")
    }

    fn build(&self, source: &dyn VectorSource, progress: &dyn Progress) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(self.lists(source, progress)?))
    }

    fn file(&self) -> Option<&dyn IndexFile> {
        Some(self)
    }
}

impl IndexFile for IvfPq {
    fn file_name(&self) -> &'static str {
        "index.ivfpq"
    }

    fn build_file(
        &self,
        source: &dyn VectorSource,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Box<dyn VectorIndex>, IndexError> {
        let index = self.lists(source, progress)?;
        index.faiss.write(path)?;
        Ok(Box::new(index))
    }

    fn read_file(&self, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(self.ready(FaissIndex::read(path)?)?))
    }

    /// The settings of searches and the number of threads are not part of the file.
    fn accepts(&self, built: &KindSettings) -> bool {
        let Ok(built) = built.parse::<IvfPqOptions>() else { return false };
        let IvfPqOptions { bytes, n_lists, opq, n_probe: _, rerank: _, n_threads: _ } = self.options;
        (bytes, n_lists, opq) == (built.bytes, built.n_lists, built.opq)
    }
}

/// Product codes in memory.
#[derive(Debug)]
struct IvfPqIndex {
    options: IvfPqOptions,
    n_lists: usize,
    faiss: FaissIndex,
}

impl IvfPqIndex {
    fn n_probe(&self) -> usize {
        match self.options.n_probe {
            0 => (self.n_lists / 10).max(16),
            wanted => wanted as usize,
        }
    }
}

impl VectorIndex for IvfPqIndex {
    fn dim(&self) -> usize {
        self.faiss.dim()
    }

    fn len(&self) -> usize {
        self.faiss.len()
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        self.faiss.search(query, k, None)
    }

    fn search_wider(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        if self.n_lists == 0 {
            return self.faiss.search(query, k, None);
        }
        self.faiss.search(query, k, Some(Among { ids: None, n_probe: Some(self.n_lists) }))
    }

    fn n_candidates(&self, k: usize) -> Option<usize> {
        Some(self.options.rerank as usize * k)
    }

    fn filtered(&self) -> Option<&dyn FilteredIndex> {
        Some(self)
    }
}

impl FilteredIndex for IvfPqIndex {
    fn search_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.dim(), 1, query)?;
        // What passes may lie in other lists than those nearest to the query: all are searched.
        self.faiss.search(query, k, Some(Among { ids: Some(ids), n_probe: Some(self.n_lists) }))
    }

    fn n_compared(&self) -> usize {
        2_000
    }
}
