//! Copies of a store as it was at one moment, made while others write.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use spaxiom_file::NewFile;

use crate::error::IndexError;
use crate::store::cache;
use crate::store::handle::{DATABASE, Store};
use crate::store::rows;
use crate::store::vector_file;

/// Times that a copy begins again because a compaction came between.
const N_TRIES: usize = 5;

impl Store {
    /// Copies the store to `to`, a folder that is not there, as it is at one moment; others may go on writing.
    ///
    /// The folder appears when it is whole.
    ///
    /// # Errors
    /// [`IndexError::Exists`] if `to` is there.
    pub fn snapshot(&self, to: &Path) -> Result<(), IndexError> {
        if to.exists() {
            return Err(IndexError::Exists { path: to.to_owned() });
        }
        let partial = partial(to);
        let copied = self.copy_to(&partial);
        if copied.is_err() {
            let _ = fs_err::remove_dir_all(&partial);
        }
        copied?;
        fs_err::rename(&partial, to)?;
        Ok(fs_err::File::open(parent(to))?.sync_all()?)
    }

    /// Makes a store of a snapshot, whose every part is checked first.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] for a snapshot that is not whole, [`IndexError::Exists`] if `to` is there.
    pub fn restore(from: &Path, to: &Path) -> Result<(), IndexError> {
        let store = Self::inspect(from)?;
        let report = store.verify()?;
        if report.database != "ok" || report.n_bad_vectors > 0 || report.n_misplaced > 0 {
            return Err(IndexError::Damaged {
                path: from.to_owned(),
                what: "the snapshot is not what was written".into(),
            });
        }
        store.snapshot(to)
    }

    fn copy_to(&self, to: &Path) -> Result<(), IndexError> {
        for _ in 0..N_TRIES {
            if to.exists() {
                fs_err::remove_dir_all(to)?;
            }
            fs_err::create_dir_all(to)?;
            // Opened before the database is copied, so that a compaction cannot take the file away.
            let view = self.shared.view()?;
            let Ok(vectors) = fs_err::File::open(vector_file::path(&self.shared.path, view.extent.generation)) else {
                continue;
            };
            let database = to.join(DATABASE);
            rows::connect(&self.shared.path.join(DATABASE))?.execute("VACUUM INTO ?1", [database.to_string_lossy()])?;
            fs_err::File::open(&database)?.sync_all()?;
            let extent = rows::extent(&Connection::open(&database)?)?;
            if extent.generation != view.extent.generation {
                continue;
            }
            let n_bytes = view.vectors.n_bytes(extent.n_rows);
            copy(vectors.take(n_bytes), &vector_file::path(to, extent.generation))?;
            self.copy_index(to, extent.generation)?;
            return Ok(());
        }
        Err(IndexError::Busy)
    }

    /// Copies the index too, which would have to be built otherwise; one that is replaced meanwhile does not agree with its
    /// description and is not read.
    fn copy_index(&self, to: &Path, generation: u64) -> Result<(), IndexError> {
        let path = &self.shared.path;
        let Some(description) = cache::description(path, &self.shared.of(generation)) else { return Ok(()) };
        for name in [description.file.as_str(), cache::DESCRIPTION] {
            copy(fs_err::File::open(path.join(name))?, &to.join(name))?;
        }
        Ok(())
    }
}

fn copy(mut from: impl Read, to: &Path) -> Result<(), IndexError> {
    let mut file = NewFile::create(to)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(file.commit()?);
        }
        file.write_all(&buffer[..n])?;
    }
}

fn partial(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    parent(to).join(format!(".{name}.partial"))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
