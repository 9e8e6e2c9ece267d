//! The store on disk: SQLite as the truth, FAISS as its cache.

mod cache;
mod filter;
mod rows;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::IndexError;
use crate::exact::{ExactIndex, dot};
use crate::hnsw::{HnswIndex, HnswOptions};
use crate::vector_index::{Neighbour, VectorId, VectorIndex, check_rows, normalise, top_k};

pub use filter::Filter;

/// The format of a store that this build writes and reads.
const FORMAT: u32 = 2;

const DATABASE: &str = "store.sqlite";

/// How many values of a store an error message lists.
const N_LISTED: u32 = 20;

/// Who made the vectors of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHeader {
    /// Width of the vectors.
    pub dim: usize,
    /// Fingerprint of the tokenizer.
    pub tokenizer: String,
    /// Fingerprint of the encoder's weights.
    pub encoder: String,
}

/// How a store answers searches without a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum IndexKind {
    /// Compares every vector.
    Exact,
    /// A FAISS HNSW graph.
    Hnsw(HnswOptions),
}

/// A vector with what is known of its event.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The event's id, unique within its site.
    pub id: String,
    /// The event's site.
    pub site: String,
    /// The event's type.
    pub kind: String,
    /// The event's zone.
    pub zone: Option<String>,
    /// The event's time in nanoseconds since 1970, UTC.
    pub time_ns: i64,
    /// The event as JSON.
    pub metadata: String,
    /// The vector.
    pub vector: Vec<f32>,
}

/// A record near a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Cosine of the angle to the query, -1 to 1; greater is nearer.
    pub similarity: f32,
    /// What was found.
    pub record: Record,
}

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Vectors in the index now.
    pub n_vectors: usize,
    /// Bytes of the index file; 0 for exact search.
    pub n_bytes: u64,
}

/// Figures of a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoreStats {
    /// Vectors in the store.
    pub n_vectors: usize,
    /// Vectors that the index covers; the others are compared one by one.
    pub n_indexed: usize,
    /// How it answers.
    pub index: IndexKind,
    /// Who made the vectors.
    pub header: StoreHeader,
}

/// What a check of a store found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// SQLite's own check; `ok` where nothing is wrong.
    pub database: String,
    /// Vectors with another width than the store's, or with a value that is no finite number.
    pub n_bad_vectors: usize,
    /// Whether the index file is there, whole and of this store.
    pub index_is_sound: bool,
}

/// What a store says of itself.
struct Meta {
    id: String,
    header: StoreHeader,
    kind: IndexKind,
}

/// Vectors with ids and metadata in a folder.
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// Drawn when the store was made: an index file of another store is no index of this one.
    id: String,
    header: StoreHeader,
    kind: IndexKind,
    index: Box<dyn VectorIndex>,
    /// Rows after this one are not in the index.
    last_indexed: i64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).field("header", &self.header).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in `path`, or makes an empty one.
    ///
    /// # Errors
    /// [`IndexError::OtherRun`] where another encoder or tokenizer made its vectors.
    pub fn open_or_create(path: &Path, header: &StoreHeader, kind: IndexKind) -> Result<Self, IndexError> {
        fs_err::create_dir_all(path)?;
        let mut connection = rows::connect(&path.join(DATABASE))?;
        // A kill may have left a database without any table: what counts is what is in it.
        rows::create_if_absent(&mut connection, FORMAT, header, kind)?;
        let mut store = Self::without_index(path, connection)?;
        store.require(header)?;
        if store.kind != kind {
            rows::set_kind(&store.connection, kind)?;
            store.kind = kind;
        }
        store.load()?;
        Ok(store)
    }

    /// Opens the store in `path`; a missing or damaged index file is built again.
    ///
    /// # Errors
    /// [`IndexError::NoStore`] where there is none, [`IndexError::Format`] for another format.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let mut store = Self::inspect(path)?;
        store.load()?;
        Ok(store)
    }

    /// Opens the store in `path` as it is: nothing is built, and every search compares all vectors.
    ///
    /// # Errors
    /// As of [`Store::open`].
    pub fn inspect(path: &Path) -> Result<Self, IndexError> {
        let database = path.join(DATABASE);
        if !database.exists() {
            return Err(IndexError::NoStore { path: path.to_owned() });
        }
        let connection = rows::connect(&database)?;
        if !rows::is_created(&connection)? {
            return Err(IndexError::NoStore { path: path.to_owned() });
        }
        Self::without_index(path, connection)
    }

    fn without_index(path: &Path, connection: Connection) -> Result<Self, IndexError> {
        let Meta { id, header, kind } = rows::describe(&connection, FORMAT)?;
        let index: Box<dyn VectorIndex> = Box::new(ExactIndex::new(header.dim));
        Ok(Self { path: path.to_owned(), connection, id, header, kind, index, last_indexed: 0 })
    }

    /// Fails unless the vectors of this store come from the tokenizer and encoder of `header`.
    pub fn require(&self, header: &StoreHeader) -> Result<(), IndexError> {
        let other = |what, found: &str, want: &str| {
            Err(IndexError::OtherRun { path: self.path.clone(), what, found: found.into(), want: want.into() })
        };
        if self.header.dim != header.dim {
            return other("width", &self.header.dim.to_string(), &header.dim.to_string());
        }
        if self.header.tokenizer != header.tokenizer {
            return other("tokenizer", &self.header.tokenizer, &header.tokenizer);
        }
        if self.header.encoder != header.encoder {
            return other("encoder", &self.header.encoder, &header.encoder);
        }
        Ok(())
    }

    /// Who made the vectors.
    #[must_use]
    pub fn header(&self) -> &StoreHeader {
        &self.header
    }

    /// Adds records in one transaction; those whose site and id are there already are left alone.
    ///
    /// When this returns, the records are on disk and are found by the next search.
    /// Gives the number of new records.
    pub fn add(&mut self, mut records: Vec<Record>) -> Result<usize, IndexError> {
        for record in &mut records {
            check_rows(self.header.dim, 1, &record.vector)?;
            normalise(&mut record.vector, self.header.dim);
        }
        rows::insert(&mut self.connection, &records)
    }

    /// Which of these ids of a site are not in the store.
    pub fn missing(&self, site: &str, ids: &[&str]) -> Result<Vec<bool>, IndexError> {
        ids.iter().map(|id| Ok(rows::find(&self.connection, Some(site), id)?.is_none())).collect()
    }

    /// Builds the index over all vectors and puts it in place of the old one.
    pub fn build(&mut self) -> Result<BuildReport, IndexError> {
        let (ids, vectors) = rows::vectors_after(&self.connection, self.header.dim, 0)?;
        let last_indexed = ids.last().map_or(0, |id| id.0);
        let n_bytes = match self.kind {
            IndexKind::Exact => {
                let mut index = ExactIndex::new(self.header.dim);
                index.add(&ids, &vectors)?;
                self.index = Box::new(index);
                0
            }
            IndexKind::Hnsw(options) => {
                let (index, n_bytes) = cache::build(&self.path, &self.id, options, &ids, (&vectors, self.header.dim))?;
                self.index = Box::new(index);
                n_bytes
            }
        };
        self.last_indexed = last_indexed;
        Ok(BuildReport { n_vectors: ids.len(), n_bytes })
    }

    /// The `k` records nearest to `vector` that pass `filter`, nearest first; fewer only where fewer exist.
    pub fn search(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        check_rows(self.header.dim, 1, vector)?;
        let mut query = vector.to_vec();
        normalise(&mut query, self.header.dim);
        let neighbours = if filter.is_empty() { self.nearest(&query, k)? } else { self.scan(&query, filter, 0)? };
        let nearest = top_k(neighbours, k).into_iter();
        nearest.map(|n| Ok(Hit { similarity: n.similarity, record: rows::get(&self.connection, n.id)? })).collect()
    }

    /// Fails where no record has the type, zone or site of `filter`, and lists those that there are.
    ///
    /// # Errors
    /// [`IndexError::NothingPasses`] for the first value that is nowhere.
    pub fn require_known(&self, filter: &Filter) -> Result<(), IndexError> {
        let Filter { kind, zone, site, from_ns: _, to_ns: _ } = filter;
        for (field, value) in [("type", kind), ("zone", zone), ("site", site)] {
            let Some(got) = value else { continue };
            if !rows::has(&self.connection, field, got)? {
                let known = rows::values(&self.connection, field, N_LISTED)?.join(", ");
                return Err(IndexError::NothingPasses { field, got: got.clone(), known });
            }
        }
        Ok(())
    }

    /// The record with this id; of several sites' equal ids the first that was added.
    pub fn get(&self, id: &str) -> Result<Option<Record>, IndexError> {
        rows::find(&self.connection, None, id)?.map(|row| rows::get(&self.connection, row)).transpose()
    }

    /// Figures of the store.
    pub fn stats(&self) -> Result<StoreStats, IndexError> {
        let n_in_file = || match self.kind {
            IndexKind::Exact => rows::count(&self.connection),
            IndexKind::Hnsw(_) => Ok(cache::n_vectors(&self.path, &self.id)),
        };
        Ok(StoreStats {
            n_vectors: rows::count(&self.connection)?,
            n_indexed: if self.index.is_empty() { n_in_file()? } else { self.index.len() },
            index: self.kind,
            header: self.header.clone(),
        })
    }

    /// Checks the database and the index file as they are on the disk.
    pub fn verify(&self) -> Result<VerifyReport, IndexError> {
        let database = rows::integrity(&self.connection)?;
        let n_bad_vectors = rows::n_bad_vectors(&self.connection, self.header.dim)?;
        let index_is_sound = match self.kind {
            IndexKind::Exact => true,
            IndexKind::Hnsw(options) => self.cached(options)?.is_some(),
        };
        Ok(VerifyReport { database, n_bad_vectors, index_is_sound })
    }

    /// The index file and the last row in it, where it is whole and of the vectors of this store.
    fn cached(&self, options: HnswOptions) -> Result<Option<(HnswIndex, i64)>, IndexError> {
        let Some((index, last_row)) = cache::read(&self.path, &self.id, options) else { return Ok(None) };
        let is_ours = index.dim() == self.header.dim && rows::count_up_to(&self.connection, last_row)? == index.len();
        Ok(is_ours.then_some((index, last_row)))
    }

    /// Loads the index, or builds it where the file is of no use.
    fn load(&mut self) -> Result<(), IndexError> {
        if let IndexKind::Hnsw(options) = self.kind
            && let Some((index, last_indexed)) = self.cached(options)?
        {
            self.index = Box::new(index);
            self.last_indexed = last_indexed;
            return Ok(());
        }
        self.build().map(drop)
    }

    /// The index's answer and all rows that it does not cover; where the graph reaches too few, all rows.
    fn nearest(&self, query: &[f32], k: usize) -> Result<Vec<Neighbour>, IndexError> {
        let mut neighbours = self.index.search(query, k)?;
        let is_short = neighbours.len() < k.min(self.index.len());
        let after = if is_short { 0 } else { self.last_indexed };
        if is_short {
            neighbours.clear();
        }
        neighbours.extend(self.scan(query, &Filter::default(), after)?);
        Ok(neighbours)
    }

    /// Compares the rows after `after` that pass `filter` one by one.
    fn scan(&self, query: &[f32], filter: &Filter, after: i64) -> Result<Vec<Neighbour>, IndexError> {
        let mut neighbours = Vec::new();
        rows::each_vector(&self.connection, filter, after, |row, vector| {
            neighbours.push(Neighbour { id: VectorId(row), similarity: dot(vector, query) });
        })?;
        Ok(neighbours)
    }
}
