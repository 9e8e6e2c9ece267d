//! An open store and its connections.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::error::IndexError;
use crate::index_kind::IndexKind;
use crate::settings::KindRecord;
use crate::store::building::{IndexState, Slot};
use crate::store::cache::Of;
use crate::store::columns::ColumnCache;
use crate::store::header::StoreHeader;
use crate::store::hot::Hot;
use crate::store::rows;
use crate::store::view::{View, Watch};

pub(super) const DATABASE: &str = "store.sqlite";

/// Vectors with ids and metadata in a folder.
///
/// Any number of threads and processes may search while one at a time writes; a second writer waits for ten seconds.
/// A search sees what was committed when it began.
pub struct Store {
    pub(super) shared: Arc<Shared>,
}

/// What a store shares with the thread that loads or builds its index.
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) id: String,
    pub(super) header: StoreHeader,
    pub(super) writer: Mutex<Connection>,
    pub(super) readers: Readers,
    pub(super) watch: Watch,
    pub(super) hot: Hot,
    pub(super) columns: Mutex<ColumnCache>,
    pub(super) slot: Slot,
    pub(super) kind: Mutex<Kind>,
    /// The store was dropped: a build in the background ends.
    pub(super) is_closed: AtomicBool,
}

/// The kind of the index.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) record: KindRecord,
    /// The kind that the caller gave; without it the record is opened when the index is needed.
    pub(super) given: Option<Arc<dyn IndexKind>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shared { path, header, .. } = &*self.shared;
        f.debug_struct("Store").field("path", path).field("header", header).finish_non_exhaustive()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::Relaxed);
    }
}

impl Store {
    /// Fails unless the tokenizer and encoder of `header` made the vectors of this store.
    ///
    /// # Errors
    /// [`IndexError::OtherRun`] with what differs.
    pub fn require(&self, header: &StoreHeader) -> Result<(), IndexError> {
        let Shared { path, header: own, .. } = &*self.shared;
        let other = |what, found: &str, want: &str| {
            Err(IndexError::OtherRun { path: path.clone(), what, found: found.into(), want: want.into() })
        };
        if own.dim != header.dim {
            return other("width", &own.dim.to_string(), &header.dim.to_string());
        }
        if own.tokenizer != header.tokenizer {
            return other("tokenizer", &own.tokenizer, &header.tokenizer);
        }
        if own.encoder != header.encoder {
            return other("encoder", &own.encoder, &header.encoder);
        }
        Ok(())
    }

    /// What made the vectors.
    #[must_use]
    pub fn header(&self) -> &StoreHeader {
        &self.shared.header
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Where the index stands; searches are right in every state.
    #[must_use]
    pub fn index_state(&self) -> IndexState {
        self.shared.slot.state()
    }

    /// Waits until the index is neither loaded nor built.
    #[expect(clippy::must_use_candidate, reason = "waiting is a use of its own")]
    pub fn wait_for_index(&self) -> IndexState {
        self.shared.slot.wait()
    }
}

impl Shared {
    pub(super) fn view(&self) -> Result<Arc<View>, IndexError> {
        self.watch.view(&self.path, &self.id, self.header.dim)
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kind of the index, ready to build and read.
    pub(super) fn kind(&self) -> Result<Arc<dyn IndexKind>, IndexError> {
        let kind = self.kind.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kind.given {
            Some(given) => Ok(given),
            None => kind.record.open(),
        }
    }

    pub(super) fn kind_record(&self) -> KindRecord {
        self.kind.lock().unwrap_or_else(PoisonError::into_inner).record.clone()
    }

    /// What an index file has to be of.
    pub(super) fn of(&self, generation: u64) -> Of {
        Of { store: self.id.clone(), header: self.header.clone(), generation }
    }
}

/// Connections that read, one for every search that is going on.
#[derive(Debug)]
pub(super) struct Readers {
    database: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(database: PathBuf) -> Self {
        Self { database, idle: Mutex::default() }
    }

    /// Reads from one snapshot of the database.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, IndexError>) -> Result<T, IndexError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let popped = idle().pop();
        let mut connection = match popped {
            Some(connection) => connection,
            None => rows::connect(&self.database)?,
        };
        let transaction = connection.transaction()?;
        let result = work(&transaction);
        drop(transaction);
        idle().push(connection);
        result
    }
}
