//! A store in a schema of a database.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use chrono_tz::Tz;
use spaxiom_index::{
    Added, BuildReport, Filter, Hit, IndexError, IndexState, Layout, Presence, Progress, Put, Record, Sample,
    StoreHeader, StoreNames, StoreStats, VectorStore,
};

use crate::address::PostgresAddress;
use crate::connection::Connections;
use crate::rows::{COLUMNS, record};
use crate::schema;

/// A store in a schema of a database, shared by any number of programs.
///
/// What is acknowledged is committed; every operation is the same when it is done twice, so a connection that breaks is
/// tried again.
pub struct PostgresStore {
    pub(crate) connections: Connections,
    pub(crate) header: StoreHeader,
    pub(crate) schema: String,
    address: String,
    warning: Option<String>,
}

impl PostgresStore {
    /// Opens a store that is there.
    ///
    /// # Errors
    /// [`IndexError::NoStore`] for a schema without one, [`IndexError::Engine`] for a server that cannot be reached,
    /// [`IndexError::Setting`] for one that is too old.
    pub fn open(address: &PostgresAddress) -> Result<Self, IndexError> {
        let connections = Connections::open(address)?;
        let warning = schema::check_versions(&connections)?;
        let header = schema::header(&connections, address)?;
        Ok(Self { connections, header, schema: address.schema.clone(), address: address.to_string(), warning })
    }

    /// Opens a store, and makes its tables where there are none.
    ///
    /// # Errors
    /// As of [`PostgresStore::open`], [`IndexError::OtherRun`] for a store of other vectors, and a user who may not make tables,
    /// or install the extension `vector`.
    pub fn create(address: &PostgresAddress, header: &StoreHeader) -> Result<Self, IndexError> {
        let connections = Connections::open(address)?;
        schema::check_versions(&connections)?;
        schema::create(&connections, &address.schema, header)?;
        let store = Self::open(address)?;
        store.require(header)?;
        Ok(store)
    }

    /// What is to be known of the server: a pgvector with a fault.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The address, without a password.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("address", &self.address)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl VectorStore for PostgresStore {
    fn header(&self) -> &StoreHeader {
        &self.header
    }

    fn require(&self, header: &StoreHeader) -> Result<(), IndexError> {
        let StoreHeader { dim, tokenizer, encoder } = &self.header;
        let pairs = [
            ("width", dim.to_string(), header.dim.to_string()),
            ("tokenizer", tokenizer.clone(), header.tokenizer.clone()),
            ("encoder", encoder.clone(), header.encoder.clone()),
        ];
        match pairs.into_iter().find(|(_, found, want)| found != want) {
            Some((what, found, want)) => {
                Err(IndexError::OtherRun { path: PathBuf::from(&self.address), what, found, want })
            }
            None => Ok(()),
        }
    }

    fn add(&self, records: Vec<Record>) -> Result<usize, IndexError> {
        self.commit(records, &BTreeMap::new())
    }

    fn put(&self, records: Vec<Record>) -> Result<Put, IndexError> {
        self.write_over(records)
    }

    fn commit(&self, records: Vec<Record>, kept: &BTreeMap<String, Vec<u8>>) -> Result<usize, IndexError> {
        self.write_new(records, kept)
    }

    fn kept(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, IndexError> {
        self.read_kept(prefix)
    }

    fn delete(&self, site: &str, ids: &[&str]) -> Result<usize, IndexError> {
        self.delete_ids(site, ids)
    }

    fn delete_passing(&self, filter: &Filter) -> Result<usize, IndexError> {
        self.require_known(filter)?;
        self.delete_where(filter)
    }

    fn search(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        self.nearest(vector, k, filter)
    }

    fn require_known(&self, filter: &Filter) -> Result<(), IndexError> {
        self.require_names(filter)
    }

    fn names(&self) -> Result<StoreNames, IndexError> {
        self.all_names()
    }

    fn sample(&self, n: usize, filter: &Filter) -> Result<Sample, IndexError> {
        self.spread(n, filter)
    }

    fn get(&self, id: &str) -> Result<Option<Record>, IndexError> {
        self.one("id = $1", &[&id])
    }

    fn get_at(&self, site: &str, id: &str) -> Result<Option<Record>, IndexError> {
        self.one("site = $1 and id = $2", &[&site, &id])
    }

    fn compare(&self, site: &str, records: &[(&str, &str)]) -> Result<Vec<Presence>, IndexError> {
        self.presence(site, records)
    }

    fn records_between(&self, site: &str, from_ns: i64, to_ns: i64, limit: u32) -> Result<Vec<Record>, IndexError> {
        Ok(self.between(COLUMNS, site, [from_ns, to_ns], limit)?.iter().map(record).collect())
    }

    fn span(&self, site: &str) -> Result<Option<[i64; 2]>, IndexError> {
        self.first_and_last(site)
    }

    fn last_added(&self) -> Result<u64, IndexError> {
        self.last_number()
    }

    fn added_after(&self, number: u64, limit: u32) -> Result<Vec<Added>, IndexError> {
        self.numbered_after(number, limit)
    }

    fn layout(&self) -> Result<Option<Layout>, IndexError> {
        Ok(None)
    }

    fn metadata_between(&self, site: &str, from_ns: i64, to_ns: i64, limit: u32) -> Result<Vec<String>, IndexError> {
        Ok(self.between("metadata", site, [from_ns, to_ns], limit)?.iter().map(|row| row.get(0)).collect())
    }

    fn set_time_zones(&self, zones: &[(String, String)]) -> Result<(), IndexError> {
        self.write_time_zones(zones)
    }

    fn time_zones(&self) -> Result<BTreeMap<String, Tz>, IndexError> {
        self.clocks()
    }

    fn stats(&self) -> Result<StoreStats, IndexError> {
        self.figures()
    }

    fn index_state(&self) -> IndexState {
        match self.has_index() {
            Ok(true) => IndexState::Ready,
            Ok(false) => IndexState::None,
            Err(error) => IndexState::Failed(error.to_string()),
        }
    }

    fn build_behind(&self) -> Result<bool, IndexError> {
        Ok(false)
    }

    fn build(&self, _: &dyn Progress) -> Result<BuildReport, IndexError> {
        self.build_graph()
    }
}
