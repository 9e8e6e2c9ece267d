//! Building the index, compacting, and looking after what is on the disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::IndexError;
use crate::index_kind::Progress;
use crate::store::building::{IndexState, LiveVectors};
use crate::store::cache::{self, Covering};
use crate::store::handle::{DATABASE, Shared, Store};
use crate::store::report::{BuildReport, StoreBytes, StoreStats, VerifyReport};
use crate::store::rows;
use crate::store::vector_file::{self, VectorFile};

/// Vectors beside the index from which on another build pays.
const LEAST_TAIL: usize = 20_000;

impl Store {
    /// Builds the index over all vectors and replaces the old one; for a kind without one there is nothing to do.
    ///
    /// # Errors
    /// [`IndexError::Busy`] while another build of this store goes on, and as of the kind.
    pub fn build(&self, progress: &dyn Progress) -> Result<BuildReport, IndexError> {
        self.shared.build(progress)
    }

    /// Whether the index lacks so many vectors that another build pays: a quarter of those that it has, and 20,000 at least.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn is_build_due(&self) -> Result<bool, IndexError> {
        if self.shared.kind()?.file().is_none() {
            return Ok(false);
        }
        self.wait_for_index();
        let view = self.shared.view()?;
        let covered = self.shared.slot.covering(view.extent.generation).map(|covering| covering.n_rows);
        Ok(covered.is_none_or(|n_rows| view.n_rows() - n_rows >= LEAST_TAIL.max(n_rows / 4)))
    }

    /// Builds the index on a thread of its own if it lacks enough vectors to pay; false if it does not.
    ///
    /// [`Store::index_state`] follows it. It ends when the store is dropped.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn build_behind(&self) -> Result<bool, IndexError> {
        if matches!(self.index_state(), IndexState::Building { .. }) || !self.is_build_due()? {
            return Ok(false);
        }
        let view = self.shared.view()?;
        let is_due = self.shared.slot.begin(view.n_rows() - view.n_dead);
        if is_due {
            let shared = Arc::clone(&self.shared);
            std::thread::spawn(move || {
                // The state says what went wrong.
                let _ = shared.build_begun(&Behind(&shared));
            });
        }
        Ok(is_due)
    }

    /// Gives the place of deleted records back, and builds the index.
    ///
    /// # Errors
    /// As of [`Store::build`], and a full disk, which leaves the store as it was.
    pub fn compact(&self, progress: &dyn Progress) -> Result<BuildReport, IndexError> {
        self.shared.compact()?;
        self.shared.build(progress)
    }

    /// Statistics of the store.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn stats(&self) -> Result<StoreStats, IndexError> {
        let view = self.shared.view()?;
        let n_vectors = self.shared.readers.read(rows::count)?;
        let n_indexed = match self.shared.slot.covering(view.extent.generation) {
            Some(covering) => covering.index.len(),
            None => self.shared.n_recorded(n_vectors, view.extent.generation),
        };
        let header = self.shared.header.clone();
        let size = |name: &std::path::Path| fs_err::metadata(name).map_or(0, |file| file.len());
        let path = &self.shared.path;
        let of = self.shared.of(view.extent.generation);
        let index = cache::description(path, &of).map_or(0, |description| size(&path.join(description.file)));
        let n_bytes = StoreBytes {
            database: size(&path.join(DATABASE)) + size(&path.join(format!("{DATABASE}-wal"))),
            vectors: size(&vector_file::path(path, view.extent.generation)),
            index,
        };
        Ok(StoreStats { n_vectors, n_indexed, n_dead: view.n_dead, index: self.shared.kind_record(), header, n_bytes })
    }

    /// Checks the database, every vector and the index file as they are on disk.
    ///
    /// # Errors
    /// A database that cannot be read at all.
    pub fn verify(&self) -> Result<VerifyReport, IndexError> {
        let view = self.shared.view()?;
        let (database, n_misplaced) = self
            .shared
            .readers
            .read(|connection| Ok((rows::integrity(connection)?, rows::n_misplaced(connection)?)))?;
        let n_bad_vectors = view.vectors.damaged_rows(view.n_rows()).len();
        let index_is_sound = match self.shared.kind()?.file() {
            Some(file) => cache::read(&self.shared.path, &self.shared.of(view.extent.generation), file).is_some(),
            None => true,
        };
        Ok(VerifyReport { database, n_bad_vectors, n_misplaced, index_is_sound })
    }
}

impl Shared {
    fn build(&self, progress: &dyn Progress) -> Result<BuildReport, IndexError> {
        let n_vectors = self.readers.read(rows::count)?;
        if self.kind()?.file().is_none() {
            self.slot.set(None);
            return Ok(BuildReport { n_vectors, n_bytes: 0 });
        }
        if !self.slot.begin(n_vectors) {
            return Err(IndexError::Busy);
        }
        self.build_begun(progress)
    }

    fn build_begun(&self, progress: &dyn Progress) -> Result<BuildReport, IndexError> {
        match self.built(progress) {
            Ok((covering, report)) => {
                self.slot.set(Some(covering));
                Ok(report)
            }
            Err(error) => {
                self.slot.set_state(IndexState::Failed(error.to_string()));
                Err(error)
            }
        }
    }

    fn built(&self, progress: &dyn Progress) -> Result<(Covering, BuildReport), IndexError> {
        let kind = self.kind()?;
        let file = kind.file().expect("only kinds with a file are built");
        let lock = self.path.join("build.lock");
        let lock = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(lock)?;
        if lock.file().try_lock().is_err() {
            return Err(IndexError::Busy);
        }
        remove_partial(&self.path);
        let view = self.view()?;
        let n_vectors = view.n_rows() - view.n_dead;
        let vectors = LiveVectors::new(Arc::clone(&view));
        let followed = Followed { shared: self, progress, n_vectors };
        let of = self.of(view.extent.generation);
        let covering = cache::build(&self.path, of, view.n_rows(), file, &vectors, &followed)?;
        let report = BuildReport { n_vectors, n_bytes: covering.n_bytes };
        Ok((covering, report))
    }

    /// The vectors of an index that is not in memory: all of them for a kind without a file.
    ///
    /// The file of a kind that this build does not hold has a description all the same.
    fn n_recorded(&self, n_vectors: usize, generation: u64) -> usize {
        match self.kind() {
            Ok(kind) if kind.file().is_none() => n_vectors,
            _ => cache::n_vectors(&self.path, &self.of(generation)),
        }
    }

    /// Writes the vectors that have a record into the file of another generation.
    fn compact(&self) -> Result<(), IndexError> {
        let mut writer = self.writer();
        let transaction = rows::write(&mut writer)?;
        let extent = rows::extent(&transaction)?;
        self.remove_other_generations(extent.generation);
        let old = rows::all_rows(&transaction)?;
        if old.len() == extent.n_rows {
            return Ok(());
        }
        let dim = self.header.dim;
        let from = VectorFile::open(&self.path, extent.generation, &self.id, dim)?;
        let generation = extent.generation + 1;
        let to = VectorFile::create(&self.path, generation, &self.id, dim)?;
        to.copy_rows(&from, old.iter().copied())?;
        to.sync()?;
        rows::renumber(&transaction, &old, generation)?;
        transaction.commit()?;
        self.remove_other_generations(generation);
        Ok(())
    }

    /// Removes files that a kill during a compaction left; those who still read one keep it open.
    fn remove_other_generations(&self, generation: u64) {
        let own = vector_file::path(&self.path, generation);
        for path in entries(&self.path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("vectors-") && name.ends_with(".f16") && path != own {
                // What cannot be removed now is removed the next time.
                let _ = fs_err::remove_file(&path);
            }
        }
    }
}

/// Removes files that a kill during a build left.
fn remove_partial(folder: &std::path::Path) {
    for path in entries(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(".index.") && name.ends_with(".partial") {
            let _ = fs_err::remove_file(&path);
        }
    }
}

fn entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs_err::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Tells the state of the index, and whoever asked for the build.
struct Followed<'a> {
    shared: &'a Shared,
    progress: &'a dyn Progress,
    n_vectors: usize,
}

impl Progress for Followed<'_> {
    fn done(&self, n_done: usize) -> Result<(), IndexError> {
        self.shared.slot.set_state(IndexState::Building { n_done, n_vectors: self.n_vectors });
        self.progress.done(n_done)
    }
}

/// Ends when the store is dropped.
struct Behind<'a>(&'a Shared);

impl Progress for Behind<'_> {
    fn done(&self, _n_done: usize) -> Result<(), IndexError> {
        if self.0.is_closed.load(Ordering::Relaxed) { Err(IndexError::Stopped) } else { Ok(()) }
    }
}
