//! Opening and creating stores.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use crate::error::IndexError;
use crate::index_kind::IndexKind;
use crate::settings::KindRecord;
use crate::store::building::{IndexState, Slot};
use crate::store::cache;
use crate::store::handle::{DATABASE, Kind, Readers, Shared, Store};
use crate::store::header::{Meta, StoreHeader};
use crate::store::rows;
use crate::store::vector_file::VectorFile;
use crate::store::view::Watch;

/// The format of a store that this build writes.
const FORMAT: u32 = 3;

/// The oldest format that this build reads, and makes one of [`FORMAT`] when it opens it.
const OLDEST: u32 = 2;

impl Store {
    /// Opens the store in `path` or creates an empty one, and makes `kind` the kind of its index.
    ///
    /// The index is read behind the first searches; nothing is built.
    ///
    /// # Errors
    /// [`IndexError::OtherRun`] if another encoder or tokenizer made its vectors.
    pub fn open_or_create(path: &Path, header: &StoreHeader, kind: Arc<dyn IndexKind>) -> Result<Self, IndexError> {
        fs_err::create_dir_all(path)?;
        let mut connection = rows::connect(&path.join(DATABASE))?;
        // A kill may have left a database without tables, so the existence of the file proves nothing.
        create_if_absent(&mut connection, path, header, &KindRecord::of(kind.as_ref()))?;
        let store = Self::without_index(path, connection)?;
        store.require(header)?;
        store.set_kind(kind)?;
        store.load();
        Ok(store)
    }

    /// Opens the store in `path` with its recorded index kind, and reads the index behind the first searches.
    ///
    /// Nothing is built: if the index file is missing, damaged or of a kind that this build does not hold,
    /// searches compare every vector. [`Store::build`] and [`Store::build_behind`] build it.
    ///
    /// # Errors
    /// [`IndexError::NoStore`] if there is none, [`IndexError::Format`] for another format.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let store = Self::inspect(path)?;
        store.load();
        Ok(store)
    }

    /// Opens the store in `path` without its index: every search compares all vectors.
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

    fn without_index(path: &Path, mut connection: Connection) -> Result<Self, IndexError> {
        let found = rows::format(&connection)?;
        if found == OLDEST {
            migrate(&mut connection, path)?;
        } else if found != FORMAT {
            return Err(IndexError::Format { found, want: FORMAT });
        }
        let Meta { id, header, kind } = rows::describe(&connection)?;
        let database = path.join(DATABASE);
        let shared = Shared {
            path: path.to_owned(),
            id,
            header,
            writer: Mutex::new(connection),
            readers: Readers::new(database.clone()),
            watch: Watch::new(rows::connect(&database)?),
            hot: super::hot::Hot::default(),
            columns: Mutex::default(),
            slot: Slot::new(),
            kind: Mutex::new(Kind { record: kind, given: None }),
            is_closed: AtomicBool::new(false),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Makes `kind` the kind of the index; a file of another kind or of other settings serves no more.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn set_kind(&self, kind: Arc<dyn IndexKind>) -> Result<(), IndexError> {
        let record = KindRecord::of(kind.as_ref());
        if self.shared.kind_record() != record {
            rows::set_kind(&self.shared.writer(), &record)?;
            self.shared.slot.set(None);
        }
        *self.shared.kind.lock().unwrap_or_else(PoisonError::into_inner) = Kind { record, given: Some(kind) };
        Ok(())
    }

    /// Reads the index file on a thread of its own.
    fn load(&self) {
        let shared = Arc::clone(&self.shared);
        shared.slot.set_state(IndexState::Loading);
        std::thread::spawn(move || {
            let read = || -> Result<_, IndexError> {
                let (kind, extent) = (shared.kind()?, shared.view()?.extent);
                Ok(kind.file().and_then(|file| cache::read(&shared.path, &shared.of(extent.generation), file)))
            };
            shared.slot.set_loaded(read());
        });
    }
}

fn create_if_absent(
    connection: &mut Connection,
    path: &Path,
    header: &StoreHeader,
    kind: &KindRecord,
) -> Result<(), IndexError> {
    let transaction = rows::write(connection)?;
    if rows::is_created(&transaction)? {
        return Ok(());
    }
    let meta = Meta { id: rows::random_id(&transaction)?, header: header.clone(), kind: kind.clone() };
    VectorFile::create(path, 1, &meta.id, header.dim)?;
    rows::create(&transaction, &meta, FORMAT)?;
    Ok(transaction.commit()?)
}

/// Vectors that are written at once while a store of the format before is migrated.
const N_AT_ONCE: usize = 4_096;

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), IndexError> {
    let transaction = rows::write(connection)?;
    // Another process may have done it meanwhile.
    if rows::format(&transaction)? == FORMAT {
        return Ok(());
    }
    let Meta { id, header, kind: _ } = rows::describe(&transaction)?;
    let file = VectorFile::create(path, 1, &id, header.dim)?;
    let mut waiting: Vec<f32> = Vec::new();
    let mut first = 0;
    rows::migrate(&transaction, FORMAT, |row, vector| {
        crate::vectors::check_rows(header.dim, 1, &vector)?;
        waiting.extend(vector);
        if row + 1 - first == N_AT_ONCE {
            file.append(first, &waiting)?;
            waiting.clear();
            first = row + 1;
        }
        Ok(())
    })?;
    file.append(first, &waiting)?;
    transaction.commit()?;
    Ok(connection.execute_batch("VACUUM")?)
}
