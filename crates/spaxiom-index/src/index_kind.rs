//! The traits of an index kind.

use std::fmt;
use std::path::Path;

use crate::error::IndexError;
use crate::settings::KindSettings;
use crate::vector_index::VectorIndex;
use crate::vectors::Rows;

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
    fn build(&self, rows: Rows<'_>) -> Result<Box<dyn VectorIndex>, IndexError>;

    /// The file that a store keeps; none for a kind that is built from the vectors at every start.
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
    fn build_file(&self, rows: Rows<'_>, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError>;

    /// Reads an index that [`build_file`](IndexFile::build_file) wrote; its checksum has been verified.
    ///
    /// # Errors
    /// Any error makes the store rebuild the index.
    fn read_file(&self, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError>;

    /// Whether a file that was built with the settings `built` can serve; settings of a search may differ.
    fn accepts(&self, built: &KindSettings) -> bool {
        *built == self.settings()
    }
}
