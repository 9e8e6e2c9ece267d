//! What a search sees: the rows that were committed when it began.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono_tz::Tz;
use rusqlite::Connection;

use crate::error::IndexError;
use crate::id_set::IdSet;
use crate::store::rows::{self, Extent};
use crate::store::vector_file::VectorFile;

/// The rows of a store at one moment.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) extent: Extent,
    pub(super) vectors: Arc<VectorFile>,
    /// Rows without a record.
    pub(super) dead: Arc<IdSet>,
    pub(super) n_dead: usize,
    /// The clocks of sites that have one.
    pub(super) clocks: Arc<BTreeMap<String, Tz>>,
}

impl View {
    pub(super) fn n_rows(&self) -> usize {
        self.extent.n_rows
    }

    /// The rows that have a record.
    pub(super) fn live(&self) -> IdSet {
        let mut live = IdSet::below(self.n_rows());
        live.remove_all(&self.dead);
        live
    }
}

/// Notices what other connections commit, of this process and of others.
#[derive(Debug)]
pub(super) struct Watch {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    version: i64,
    view: Option<Arc<View>>,
}

impl Watch {
    pub(super) fn new(connection: Connection) -> Self {
        Self { inner: Mutex::new(Inner { connection, version: 0, view: None }) }
    }

    /// The present view; another one only if something was committed since the last.
    pub(super) fn view(&self, folder: &Path, store: &str, dim: usize) -> Result<Arc<View>, IndexError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let version = rows::version(&inner.connection)?;
        if let Some(view) = inner.view.as_ref().filter(|_| inner.version == version) {
            return Ok(Arc::clone(view));
        }
        let view = Arc::new(present(&mut inner, folder, store, dim)?);
        (inner.version, inner.view) = (version, Some(Arc::clone(&view)));
        Ok(view)
    }
}

fn present(inner: &mut Inner, folder: &Path, store: &str, dim: usize) -> Result<View, IndexError> {
    // One snapshot for all that is read.
    let transaction = inner.connection.transaction()?;
    let extent = rows::extent(&transaction)?;
    let clocks = Arc::new(rows::time_zones(&transaction)?);
    let known = inner.view.as_ref().filter(|view| view.extent.generation == extent.generation);
    let Some(known) = known else {
        let vectors = Arc::new(VectorFile::open(folder, extent.generation, store, dim)?);
        let dead = rows::dead(&transaction)?;
        return Ok(View { extent, vectors, n_dead: dead.len(), dead: Arc::new(dead), clocks });
    };
    let mut view = View::clone(known);
    (view.extent, view.clocks) = (extent, clocks);
    if extent.last_deletion != known.extent.last_deletion {
        let dead = Arc::make_mut(&mut view.dead);
        let deleted = rows::deleted_after(&transaction, known.extent.last_deletion)?;
        for row in deleted {
            dead.insert(row);
        }
        view.n_dead = dead.len();
    }
    Ok(view)
}
