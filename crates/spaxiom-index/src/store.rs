//! The store on disk: SQLite is the source of truth, and the index file is a cache of it.

mod cache;
mod filter;
mod header;
mod record;
mod report;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use self::header::Meta;
use crate::error::IndexError;
use crate::index_kind::{IndexFile, IndexKind};
use crate::settings::KindRecord;
use crate::vector_index::{Neighbor, VectorIndex, top_k};
use crate::vectors::{Rows, VectorId, check_rows, dot, normalize};

pub use self::filter::Filter;
pub use self::header::StoreHeader;
pub use self::record::{Hit, Presence, Record};
pub use self::report::{BuildReport, StoreStats, VerifyReport};

/// The format of a store that this build writes and reads.
const FORMAT: u32 = 2;

const DATABASE: &str = "store.sqlite";

/// Number of values of a store that an error message lists.
const N_LISTED: u32 = 20;

/// An index and the last row of the database that is in it.
type Covering = (Box<dyn VectorIndex>, i64);

/// Vectors with ids and metadata in a folder.
pub struct Store {
    path: PathBuf,
    connection: Connection,
    id: String,
    header: StoreHeader,
    record: KindRecord,
    /// The kind that the caller gave; without it the record is opened when the index is needed.
    kind: Option<Arc<dyn IndexKind>>,
    /// None if the store is only inspected: every search then compares all vectors.
    index: Option<Box<dyn VectorIndex>>,
    /// Rows after this one are not in the index.
    last_indexed: i64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).field("header", &self.header).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in `path` or creates an empty one, and makes `kind` the kind of its index.
    ///
    /// # Errors
    /// [`IndexError::OtherRun`] if another encoder or tokenizer made its vectors.
    pub fn open_or_create(path: &Path, header: &StoreHeader, kind: Arc<dyn IndexKind>) -> Result<Self, IndexError> {
        fs_err::create_dir_all(path)?;
        let mut connection = rows::connect(&path.join(DATABASE))?;
        let record = KindRecord::of(kind.as_ref());
        // A kill may have left a database without tables, so the existence of the file proves nothing.
        rows::create_if_absent(&mut connection, FORMAT, header, &record)?;
        let mut store = Self::without_index(path, connection)?;
        store.require(header)?;
        if store.record != record {
            rows::set_kind(&store.connection, &record)?;
            store.record = record;
        }
        store.kind = Some(kind);
        store.load()?;
        Ok(store)
    }

    /// Opens the store in `path` with its recorded index kind; an index file that is missing or damaged is rebuilt.
    ///
    /// # Errors
    /// [`IndexError::NoStore`] if there is none, [`IndexError::Format`] for another format,
    /// and [`IndexError::KindNotCompiledIn`] or [`IndexError::UnknownKind`] for a kind that this build does not hold.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let mut store = Self::inspect(path)?;
        store.load()?;
        Ok(store)
    }

    /// Opens the store in `path` without its index: nothing is built, and every search compares all vectors.
    ///
    /// # Errors
    /// [`IndexError::NoStore`] if there is none, [`IndexError::Format`] for another format.
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
        let path = path.to_owned();
        Ok(Self { path, connection, id, header, record: kind, kind: None, index: None, last_indexed: 0 })
    }

    fn kind(&self) -> Result<Arc<dyn IndexKind>, IndexError> {
        match &self.kind {
            Some(kind) => Ok(Arc::clone(kind)),
            None => self.record.open(),
        }
    }

    /// Fails unless the tokenizer and encoder of `header` made the vectors of this store.
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

    /// What made the vectors.
    #[must_use]
    pub fn header(&self) -> &StoreHeader {
        &self.header
    }

    /// Adds records in one transaction and skips those whose site and id are already stored.
    ///
    /// Once this returns, the records are on disk and the next search finds them.
    /// Returns the number of new records.
    pub fn add(&mut self, mut records: Vec<Record>) -> Result<usize, IndexError> {
        for record in &mut records {
            check_rows(self.header.dim, 1, &record.vector)?;
            normalize(&mut record.vector, self.header.dim);
        }
        rows::insert(&mut self.connection, &records)
    }

    /// Whether each of these records of a site is in the store, by id, and whether its metadata is the same.
    pub fn compare(&self, site: &str, records: &[(&str, &str)]) -> Result<Vec<Presence>, IndexError> {
        records.iter().map(|(id, metadata)| rows::compare(&self.connection, site, id, metadata)).collect()
    }

    /// Builds the index over all vectors and replaces the old one.
    pub fn build(&mut self) -> Result<BuildReport, IndexError> {
        let kind = self.kind()?;
        let (ids, vectors) = rows::vectors_after(&self.connection, self.header.dim, 0)?;
        let rows = Rows::new(self.header.dim, &ids, &vectors)?;
        let (index, n_bytes) = match kind.file() {
            Some(file) => cache::build(&self.path, &self.id, file, rows)?,
            None => (kind.build(rows)?, 0),
        };
        self.index = Some(index);
        self.last_indexed = ids.last().map_or(0, |id| id.0);
        Ok(BuildReport { n_vectors: ids.len(), n_bytes })
    }

    /// Finds the `k` records nearest to `vector` that pass `filter`, nearest first; fewer only if fewer exist.
    pub fn search(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        check_rows(self.header.dim, 1, vector)?;
        let mut query = vector.to_vec();
        normalize(&mut query, self.header.dim);
        let neighbors = if filter.is_empty() { self.nearest(&query, k)? } else { self.passing(&query, k, filter)? };
        let nearest = top_k(neighbors, k).into_iter();
        nearest.map(|n| Ok(Hit { similarity: n.similarity, record: rows::get(&self.connection, n.id)? })).collect()
    }

    /// Fails if no record has the type, zone or site of `filter`, and lists those that exist.
    ///
    /// # Errors
    /// [`IndexError::NothingPasses`] for the first value that no record has.
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

    /// The record with this id; the first that was added if several sites have it.
    pub fn get(&self, id: &str) -> Result<Option<Record>, IndexError> {
        rows::find(&self.connection, None, id)?.map(|row| rows::get(&self.connection, row)).transpose()
    }

    /// The metadata of the last `limit` events of a site from `from_ns` to before `to_ns`, in order of time.
    pub fn metadata_between(
        &self,
        site: &str,
        from_ns: i64,
        to_ns: i64,
        limit: u32,
    ) -> Result<Vec<String>, IndexError> {
        rows::metadata_between(&self.connection, site, from_ns, to_ns, limit)
    }

    /// Statistics of the store.
    pub fn stats(&self) -> Result<StoreStats, IndexError> {
        let n_vectors = rows::count(&self.connection)?;
        let n_indexed = match &self.index {
            Some(index) if !index.is_empty() => index.len(),
            _ => self.n_recorded(n_vectors),
        };
        Ok(StoreStats { n_vectors, n_indexed, index: self.record.clone(), header: self.header.clone() })
    }

    /// The vectors of an index that is not in memory: all of them for a kind without a file.
    ///
    /// The file of a kind that this build does not hold has a description all the same.
    fn n_recorded(&self, n_vectors: usize) -> usize {
        match self.kind() {
            Ok(kind) if kind.file().is_none() => n_vectors,
            _ => cache::n_vectors(&self.path, &self.id),
        }
    }

    /// Checks the database and the index file as they are on disk.
    pub fn verify(&self) -> Result<VerifyReport, IndexError> {
        let kind = self.kind()?;
        let database = rows::integrity(&self.connection)?;
        let n_bad_vectors = rows::n_bad_vectors(&self.connection, self.header.dim)?;
        let index_is_sound = match kind.file() {
            Some(file) => self.cached(file)?.is_some(),
            None => true,
        };
        Ok(VerifyReport { database, n_bad_vectors, index_is_sound })
    }

    /// The index in the file, if the file is intact and holds the vectors of this store.
    fn cached(&self, file: &dyn IndexFile) -> Result<Option<Covering>, IndexError> {
        let Some((index, last_row)) = cache::read(&self.path, &self.id, file) else { return Ok(None) };
        let is_ours = index.dim() == self.header.dim && rows::count_up_to(&self.connection, last_row)? == index.len();
        Ok(is_ours.then_some((index, last_row)))
    }

    /// Loads the index, or builds it if its file cannot be used.
    fn load(&mut self) -> Result<(), IndexError> {
        let kind = self.kind()?;
        if let Some(file) = kind.file()
            && let Some((index, last_indexed)) = self.cached(file)?
        {
            self.index = Some(index);
            self.last_indexed = last_indexed;
            return Ok(());
        }
        self.build().map(drop)
    }

    /// The answer of the index and all rows that it does not cover; all rows if the index reaches too few.
    fn nearest(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        let all = Filter::default();
        let Some(index) = &self.index else { return self.scan(query, &all, 0) };
        let mut neighbors = index.search(query, k)?;
        if neighbors.len() < k.min(index.len()) {
            return self.scan(query, &all, 0);
        }
        neighbors.extend(self.scan(query, &all, self.last_indexed)?);
        Ok(neighbors)
    }

    /// The records that pass `filter`: from an index that filters, and otherwise compared one by one.
    fn passing(&self, query: &[f32], k: usize, filter: &Filter) -> Result<Vec<Neighbor>, IndexError> {
        let Some(index) = self.index.as_ref().and_then(|index| index.filtered()) else {
            return self.scan(query, filter, 0);
        };
        let ids = rows::ids_up_to(&self.connection, filter, self.last_indexed)?;
        let mut neighbors = index.search_among(query, k, &ids)?;
        if neighbors.len() < k.min(ids.len()) {
            return self.scan(query, filter, 0);
        }
        neighbors.extend(self.scan(query, filter, self.last_indexed)?);
        Ok(neighbors)
    }

    /// Compares the rows after `after` that pass `filter` one by one.
    fn scan(&self, query: &[f32], filter: &Filter, after: i64) -> Result<Vec<Neighbor>, IndexError> {
        let mut neighbors = Vec::new();
        rows::each_vector(&self.connection, filter, after, |row, vector| {
            neighbors.push(Neighbor { id: VectorId(row), similarity: dot(vector, query) });
        })?;
        Ok(neighbors)
    }
}
