//! The index file: FAISS's bytes, and beside them a description with their checksum.
//!
//! The file is renamed into place before its description, so that a kill between the two leaves a pair
//! whose checksums differ: it is built again, never trusted.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::Xxh64;

use crate::error::IndexError;
use crate::hnsw::{HnswIndex, HnswOptions};
use crate::vector_index::{VectorId, VectorIndex};

const INDEX: &str = "index.faiss";
const DESCRIPTION: &str = "index.json";

/// What is in the index file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    store: String,
    options: HnswOptions,
    n_vectors: usize,
    last_row: i64,
    n_bytes: u64,
    checksum: String,
}

/// Builds the graph in one go and puts its file in place.
pub(super) fn build(
    folder: &Path,
    store: &str,
    options: HnswOptions,
    ids: &[VectorId],
    (vectors, dim): (&[f32], usize),
) -> Result<(HnswIndex, u64), IndexError> {
    let mut index = HnswIndex::new(dim, options)?;
    index.add(ids, vectors)?;
    let file = temporary(folder)?;
    index.write(file.path())?;
    // FAISS reports no error when its last bytes do not reach the disk; a second look does.
    fs_err::File::open(file.path())?.sync_all()?;
    let (checksum, n_bytes) = checksum(file.path())?;
    file.persist(folder.join(INDEX)).map_err(|error| error.error)?;
    let last_row = ids.last().map_or(0, |id| id.0);
    let description = Description { store: store.into(), options, n_vectors: ids.len(), last_row, n_bytes, checksum };
    let text = temporary(folder)?;
    serde_json::to_writer_pretty(&text, &description)?;
    text.as_file().sync_all()?;
    text.persist(folder.join(DESCRIPTION)).map_err(|error| error.error)?;
    Ok((index, n_bytes))
}

/// The graph and the last row in it, or none where the file is of no use:
/// missing, damaged, refused by FAISS, of another store or built with other options.
pub(super) fn read(folder: &Path, store: &str, options: HnswOptions) -> Option<(HnswIndex, i64)> {
    let description = description(folder, store)?;
    let (checksum, n_bytes) = checksum(&folder.join(INDEX)).ok()?;
    let same_graph =
        description.options.m == options.m && description.options.ef_construction == options.ef_construction;
    if !same_graph || checksum != description.checksum || n_bytes != description.n_bytes {
        return None;
    }
    let index = HnswIndex::read(&folder.join(INDEX), options).ok()?;
    (index.len() == description.n_vectors).then_some((index, description.last_row))
}

/// How many vectors the index file of a store says to hold.
pub(super) fn n_vectors(folder: &Path, store: &str) -> usize {
    description(folder, store).map_or(0, |description| description.n_vectors)
}

fn description(folder: &Path, store: &str) -> Option<Description> {
    let text = fs_err::read(folder.join(DESCRIPTION)).ok()?;
    serde_json::from_slice::<Description>(&text).ok().filter(|description| description.store == store)
}

/// A file that every user of the folder can read, as the database beside it.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(folder)
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
