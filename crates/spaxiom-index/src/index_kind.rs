//! The traits of an index kind.

use std::fmt;
use std::path::Path;

use crate::error::IndexError;
use crate::settings::KindSettings;
use crate::vector_index::VectorIndex;
use crate::vectors::VectorSource;

/// A way to index vectors, with its settings checked.
///
/// A store is driven by any implementation: it records [`name`](IndexKind::name) and
/// [`settings`](IndexKind::settings), and builds, reads and searches through this trait alone.
/// Exact search over the same vectors is the oracle that a kind is tested against.
pub trait IndexKind: fmt::Debug + Send + Sync {
    /// The name that a store records, in kebab-case; no other kind has it.
    fn name(&self) -> &str;

    /// Every setting with its value, as a store records them.
    fn settings(&self) -> KindSettings;

    /// Builds the index in memory.
    ///
    /// # Errors
    /// Vectors that cannot be read, and [`IndexError::Stopped`] where `progress` asks for it.
    fn build(&self, vectors: &dyn VectorSource, progress: &dyn Progress) -> Result<Box<dyn VectorIndex>, IndexError>;

    /// The file that a store keeps; none for a kind that compares every vector, which a store does without an index.
    fn file(&self) -> Option<&dyn IndexFile> {
        None
    }
}

/// An index kind that a store keeps in a file.
///
/// The store detects damage: it records length and checksum of the file and reads only what agrees with both.
/// It writes under a temporary name, syncs and renames.
pub trait IndexFile: IndexKind {
    /// The name of the file in the folder of the store; no other kind has it.
    fn file_name(&self) -> &str;

    /// Builds the index and writes it to `path`, where an empty file is.
    ///
    /// # Errors
    /// As of [`IndexKind::build`], and a file that cannot be written.
    fn build_file(
        &self,
        vectors: &dyn VectorSource,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Box<dyn VectorIndex>, IndexError>;

    /// Reads an index that [`build_file`](IndexFile::build_file) wrote; its checksum has been verified.
    ///
    /// # Errors
    /// Any error makes the store compare vectors until the index is built again.
    fn read_file(&self, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError>;

    /// Whether a file that was built with the settings `built` can serve; settings of a search may differ.
    fn accepts(&self, built: &KindSettings) -> bool {
        *built == self.settings()
    }
}

/// Follows a long piece of work, and may end it. `()` follows nothing.
pub trait Progress: Sync {
    /// The number of vectors that are done, of all of them.
    ///
    /// # Errors
    /// [`IndexError::Stopped`] ends the work.
    fn done(&self, n_done: usize) -> Result<(), IndexError>;
}

impl Progress for () {
    fn done(&self, _n_done: usize) -> Result<(), IndexError> {
        Ok(())
    }
}
