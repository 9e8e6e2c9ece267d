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
    options: HnswOptions,
    n_vectors: usize,
    last_row: i64,
    n_bytes: u64,
    checksum: String,
}

/// Builds the graph in one go and puts its file in place.
pub(super) fn build(
    folder: &Path,
    dim: usize,
    options: HnswOptions,
    ids: &[VectorId],
    vectors: &[f32],
    last_row: i64,
) -> Result<(HnswIndex, u64), IndexError> {
    let mut index = HnswIndex::new(dim, options)?;
    index.add(ids, vectors)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    index.write(file.path())?;
    // FAISS reports no error when its last bytes do not reach the disk; a second look does.
    fs_err::File::open(file.path())?.sync_all()?;
    let (checksum, n_bytes) = checksum(file.path())?;
    file.persist(folder.join(INDEX)).map_err(|error| error.error)?;
    let description = Description { options, n_vectors: ids.len(), last_row, n_bytes, checksum };
    let text = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&text, &description)?;
    text.as_file().sync_all()?;
    text.persist(folder.join(DESCRIPTION)).map_err(|error| error.error)?;
    Ok((index, n_bytes))
}

/// The graph and the last row in it, or none where the file is missing, damaged or built with other options.
pub(super) fn read(folder: &Path, options: HnswOptions) -> Result<Option<(HnswIndex, i64)>, IndexError> {
    let Ok(text) = fs_err::read(folder.join(DESCRIPTION)) else { return Ok(None) };
    let Ok(description) = serde_json::from_slice::<Description>(&text) else { return Ok(None) };
    let Ok((checksum, n_bytes)) = checksum(&folder.join(INDEX)) else { return Ok(None) };
    let same_graph =
        description.options.m == options.m && description.options.ef_construction == options.ef_construction;
    if !same_graph || checksum != description.checksum || n_bytes != description.n_bytes {
        return Ok(None);
    }
    let index = HnswIndex::read(&folder.join(INDEX), options)?;
    Ok((index.len() == description.n_vectors).then_some((index, description.last_row)))
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
