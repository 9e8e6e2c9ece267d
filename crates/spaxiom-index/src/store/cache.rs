//! The index file, and beside it a description with its length and checksum.
//!
//! The file is renamed into place before its description.
//! A kill between the two leaves a pair that does not agree: the index is rebuilt, and the file is never trusted.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_file::{NewFile, replace_file};
use xxhash_rust::xxh64::Xxh64;

use crate::error::IndexError;
use crate::index_kind::IndexFile;
use crate::settings::KindSettings;
use crate::vector_index::VectorIndex;
use crate::vectors::Rows;

const DESCRIPTION: &str = "index.json";

/// What is in the index file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    store: String,
    options: KindSettings,
    n_vectors: usize,
    last_row: i64,
    n_bytes: u64,
    checksum: String,
}

/// Builds the index in one go and puts its file in place; gives the index and the size of the file in bytes.
pub(super) fn build(
    folder: &Path,
    store: &str,
    kind: &dyn IndexFile,
    rows: Rows<'_>,
) -> Result<(Box<dyn VectorIndex>, u64), IndexError> {
    let file = NewFile::create(&folder.join(kind.file_name()))?;
    let index = kind.build_file(rows, file.temporary_path())?;
    // FAISS reports no error if its last bytes do not reach the disk; syncing and reading the file again does.
    fs_err::File::open(file.temporary_path())?.sync_all()?;
    let (checksum, n_bytes) = checksum(file.temporary_path())?;
    file.commit()?;
    let description = Description {
        store: store.into(),
        options: kind.settings(),
        n_vectors: rows.ids().len(),
        last_row: rows.ids().last().map_or(0, |id| id.0),
        n_bytes,
        checksum,
    };
    replace_file(&folder.join(DESCRIPTION), &serde_json::to_vec_pretty(&description)?)?;
    Ok((index, n_bytes))
}

/// The index and the last row in it, or none if the file cannot be used:
/// missing, damaged, refused by its kind, from another store or built with other settings.
pub(super) fn read(folder: &Path, store: &str, kind: &dyn IndexFile) -> Option<(Box<dyn VectorIndex>, i64)> {
    let description = description(folder, store)?;
    let path = folder.join(kind.file_name());
    let (checksum, n_bytes) = checksum(&path).ok()?;
    if !kind.accepts(&description.options) || checksum != description.checksum || n_bytes != description.n_bytes {
        return None;
    }
    let index = kind.read_file(&path).ok()?;
    (index.len() == description.n_vectors).then_some((index, description.last_row))
}

/// Number of vectors in the index file of a store, as its description says.
pub(super) fn n_vectors(folder: &Path, store: &str) -> usize {
    description(folder, store).map_or(0, |description| description.n_vectors)
}

fn description(folder: &Path, store: &str) -> Option<Description> {
    let text = fs_err::read(folder.join(DESCRIPTION)).ok()?;
    serde_json::from_slice::<Description>(&text).ok().filter(|description| description.store == store)
}

fn checksum(path: &Path) -> Result<(String, u64), IndexError> {
    let mut file = fs_err::File::open(path)?;
    let mut hash = Xxh64::new(0);
    let mut buffer = vec![0; 1 << 20];
    let mut n_bytes = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((format!("{:016x}", hash.digest()), n_bytes));
        }
        hash.update(&buffer[..n]);
        n_bytes += n as u64;
    }
}
