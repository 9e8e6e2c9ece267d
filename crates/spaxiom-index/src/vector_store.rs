//! What a store does, whatever engine keeps it.

use std::collections::BTreeMap;
use std::fmt;

use chrono_tz::Tz;

use crate::error::IndexError;
use crate::filter::Filter;
use crate::index_kind::Progress;
use crate::store::{
    Added, BuildReport, Hit, IndexState, Layout, Presence, Put, Record, Sample, Store, StoreHeader, StoreNames,
    StoreStats,
};

/// Vectors with ids and metadata, on this machine or on another.
///
/// [`Store`] keeps them in a folder. Another engine that implements this trait takes the same records and filters
/// and gives the same hits: acknowledged means kept, k hits come back whenever k exist, and a filter is exact.
pub trait VectorStore: fmt::Debug + Send + Sync {
    /// What made the vectors.
    fn header(&self) -> &StoreHeader;

    /// Fails unless the tokenizer and encoder of `header` made the vectors.
    ///
    /// # Errors
    /// [`IndexError::OtherRun`] with what differs.
    fn require(&self, header: &StoreHeader) -> Result<(), IndexError>;

    /// Adds records at once and skips those whose site and id are there; gives the number of new ones.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] or [`IndexError::NotFinite`]: nothing is added.
    fn add(&self, records: Vec<Record>) -> Result<usize, IndexError>;

    /// Adds records at once; each takes the place of one with its site and id.
    ///
    /// # Errors
    /// As of [`VectorStore::add`].
    fn put(&self, records: Vec<Record>) -> Result<Put, IndexError>;

    /// Adds records as [`VectorStore::add`] does, and keeps what a program wants to find again with them: both or neither.
    ///
    /// A value takes the place of the one of its name; an empty one is removed.
    ///
    /// # Errors
    /// As of [`VectorStore::add`].
    fn commit(&self, records: Vec<Record>, kept: &BTreeMap<String, Vec<u8>>) -> Result<usize, IndexError>;

    /// What is kept under names that begin with `prefix`.
    ///
    /// # Errors
    /// An engine that cannot be reached or read.
    fn kept(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, IndexError>;

    /// Deletes the records of a site with these ids; gives how many there were.
    ///
    /// # Errors
    /// An engine that cannot be reached or written.
    fn delete(&self, site: &str, ids: &[&str]) -> Result<usize, IndexError>;

    /// Deletes the records that pass a filter; gives how many there were.
    ///
    /// # Errors
    /// [`IndexError::NothingPasses`] for a name that no record has.
    fn delete_passing(&self, filter: &Filter) -> Result<usize, IndexError>;

    /// Finds the `k` records nearest to `vector` that pass `filter`, nearest first; fewer only if fewer exist.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] for a vector of another width.
    fn search(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError>;

    /// Fails if no record has a type, zone, site or attribute of `filter`, and lists those that exist.
    ///
    /// # Errors
    /// [`IndexError::NothingPasses`] for the first name that no record has.
    fn require_known(&self, filter: &Filter) -> Result<(), IndexError>;

    /// The names that records have.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn names(&self) -> Result<StoreNames, IndexError>;

    /// At most `n` of the records that pass a filter, evenly spread in the order in which they were added, and how many pass.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn sample(&self, n: usize, filter: &Filter) -> Result<Sample, IndexError>;

    /// The record with this id; the first that was added if several sites have it.
    ///
    /// # Errors
    /// An engine that cannot be reached or read.
    fn get(&self, id: &str) -> Result<Option<Record>, IndexError>;

    /// The record of a site with this id.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn get_at(&self, site: &str, id: &str) -> Result<Option<Record>, IndexError>;

    /// Whether each of these records of a site is there, by id, and whether its metadata is the same.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn compare(&self, site: &str, records: &[(&str, &str)]) -> Result<Vec<Presence>, IndexError>;

    /// The records of a site from `from_ns` to before `to_ns`, the last `limit` of them, in order of time.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn records_between(&self, site: &str, from_ns: i64, to_ns: i64, limit: u32) -> Result<Vec<Record>, IndexError>;

    /// The first and the last time of a site, in nanoseconds since 1970; none for one without records.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn span(&self, site: &str) -> Result<Option<[i64; 2]>, IndexError>;

    /// The number of the record that was added last; 0 for an empty store. Less than before where records were numbered anew.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn last_added(&self) -> Result<u64, IndexError>;

    /// At most `limit` of what was added after the record of this number, the oldest first.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn added_after(&self, number: u64, limit: u32) -> Result<Vec<Added>, IndexError>;

    /// The layout of the vectors that is kept, if any.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn layout(&self) -> Result<Option<Layout>, IndexError>;

    /// The metadata of these records alone.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn metadata_between(&self, site: &str, from_ns: i64, to_ns: i64, limit: u32) -> Result<Vec<String>, IndexError>;

    /// Records the clocks of sites, which filters read: site and IANA name.
    ///
    /// # Errors
    /// [`IndexError::Setting`] for a name that is none.
    fn set_time_zones(&self, zones: &[(String, String)]) -> Result<(), IndexError>;

    /// The clocks of sites that were recorded, by site.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn time_zones(&self) -> Result<BTreeMap<String, Tz>, IndexError>;

    /// Statistics.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn stats(&self) -> Result<StoreStats, IndexError>;

    /// Where the index stands; searches are right in every state.
    fn index_state(&self) -> IndexState;

    /// Builds the index on a thread of its own if it lacks enough vectors to pay; false if it does not, and for an engine that
    /// keeps its index up to date by itself.
    ///
    /// # Errors
    /// As of [`VectorStore::get`].
    fn build_behind(&self) -> Result<bool, IndexError>;

    /// Builds the index over everything that was added, where the engine has one to build.
    ///
    /// # Errors
    /// [`IndexError::Busy`] while another build goes on.
    fn build(&self, progress: &dyn Progress) -> Result<BuildReport, IndexError>;
}

impl VectorStore for Store {
    fn header(&self) -> &StoreHeader {
        self.header()
    }

    fn require(&self, header: &StoreHeader) -> Result<(), IndexError> {
        self.require(header)
    }

    fn add(&self, records: Vec<Record>) -> Result<usize, IndexError> {
        self.add(records)
    }

    fn put(&self, records: Vec<Record>) -> Result<Put, IndexError> {
        self.put(records)
    }

    fn commit(&self, records: Vec<Record>, kept: &BTreeMap<String, Vec<u8>>) -> Result<usize, IndexError> {
        self.commit(records, kept)
    }

    fn kept(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, IndexError> {
        self.kept(prefix)
    }

    fn span(&self, site: &str) -> Result<Option<[i64; 2]>, IndexError> {
        self.span(site)
    }

    fn last_added(&self) -> Result<u64, IndexError> {
        self.last_added()
    }

    fn added_after(&self, number: u64, limit: u32) -> Result<Vec<Added>, IndexError> {
        self.added_after(number, limit)
    }

    fn layout(&self) -> Result<Option<Layout>, IndexError> {
        self.layout()
    }

    fn delete(&self, site: &str, ids: &[&str]) -> Result<usize, IndexError> {
        self.delete(site, ids)
    }

    fn delete_passing(&self, filter: &Filter) -> Result<usize, IndexError> {
        self.delete_passing(filter)
    }

    fn search(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        self.search(vector, k, filter)
    }

    fn require_known(&self, filter: &Filter) -> Result<(), IndexError> {
        self.require_known(filter)
    }

    fn names(&self) -> Result<StoreNames, IndexError> {
        self.names()
    }

    fn sample(&self, n: usize, filter: &Filter) -> Result<Sample, IndexError> {
        self.sample(n, filter)
    }

    fn get(&self, id: &str) -> Result<Option<Record>, IndexError> {
        self.get(id)
    }

    fn get_at(&self, site: &str, id: &str) -> Result<Option<Record>, IndexError> {
        self.get_at(site, id)
    }

    fn compare(&self, site: &str, records: &[(&str, &str)]) -> Result<Vec<Presence>, IndexError> {
        self.compare(site, records)
    }

    fn records_between(&self, site: &str, from_ns: i64, to_ns: i64, limit: u32) -> Result<Vec<Record>, IndexError> {
        self.records_between(site, from_ns, to_ns, limit)
    }

    fn metadata_between(&self, site: &str, from_ns: i64, to_ns: i64, limit: u32) -> Result<Vec<String>, IndexError> {
        self.metadata_between(site, from_ns, to_ns, limit)
    }

    fn set_time_zones(&self, zones: &[(String, String)]) -> Result<(), IndexError> {
        self.set_time_zones(zones)
    }

    fn time_zones(&self) -> Result<BTreeMap<String, Tz>, IndexError> {
        self.time_zones()
    }

    fn stats(&self) -> Result<StoreStats, IndexError> {
        self.stats()
    }

    fn index_state(&self) -> IndexState {
        self.index_state()
    }

    fn build_behind(&self) -> Result<bool, IndexError> {
        self.build_behind()
    }

    fn build(&self, progress: &dyn Progress) -> Result<BuildReport, IndexError> {
        self.build(progress)
    }
}
