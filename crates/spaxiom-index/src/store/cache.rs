//! The index file, and beside it a description with its length and checksum.
//!
//! The file is renamed into place before its description.
//! A kill between the two leaves a pair that does not agree, which is not read.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_file::{NewFile, replace_file};
use xxhash_rust::xxh64::{Xxh64, xxh64};

use crate::error::IndexError;
use crate::index_kind::{IndexFile, Progress};
use crate::settings::KindSettings;
use crate::store::header::StoreHeader;
use crate::vector_index::VectorIndex;
use crate::vectors::{VectorSource, sample};

pub(super) const DESCRIPTION: &str = "index.json";

/// The format of an index file and its description; another one is built again.
const FORMAT: u32 = 2;

/// Which vectors an index file is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Of {
    /// Id of the store.
    pub(super) store: String,
    /// What made its vectors.
    pub(super) header: StoreHeader,
    pub(super) generation: u64,
}

/// A description and the checksum of its text, without which a flipped bit would be another number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    index: Description,
    checksum: String,
}

impl Signed {
    fn new(index: Description) -> Result<Self, IndexError> {
        let checksum = format!("{:016x}", xxh64(serde_json::to_string(&index)?.as_bytes(), 0));
        Ok(Self { index, checksum })
    }
}

/// What is in the index file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Description {
    format: u32,
    of: Of,
    pub(super) file: String,
    options: KindSettings,
    n_vectors: usize,
    /// Rows from this one on are not in the index.
    n_rows: usize,
    usual_similarity: f32,
    n_bytes: u64,
    checksum: String,
}

/// An index and the number of rows that it covers.
#[derive(Debug)]
pub(super) struct Covering {
    pub(super) index: Box<dyn VectorIndex>,
    pub(super) generation: u64,
    pub(super) n_rows: usize,
    /// What its vectors have to their nearest neighbor at least; a query below it is out of distribution.
    pub(super) usual_similarity: f32,
    /// Bytes of its file.
    pub(super) n_bytes: u64,
}

/// Builds the index and puts its file in place.
pub(super) fn build(
    folder: &Path,
    of: Of,
    n_rows: usize,
    kind: &dyn IndexFile,
    vectors: &dyn VectorSource,
    progress: &dyn Progress,
) -> Result<Covering, IndexError> {
    let file = NewFile::create(&folder.join(kind.file_name()))?;
    let index = kind.build_file(vectors, file.temporary_path(), progress)?;
    // FAISS reports no error if its last bytes do not reach the disk; syncing and reading the file again does.
    fs_err::File::open(file.temporary_path())?.sync_all()?;
    let (checksum, n_bytes) = checksum(file.temporary_path())?;
    file.commit()?;
    let generation = of.generation;
    let usual_similarity = usual_similarity(index.as_ref(), vectors)?;
    let description = Description {
        format: FORMAT,
        of,
        file: kind.file_name().into(),
        options: kind.settings(),
        n_vectors: vectors.ids().len(),
        n_rows,
        usual_similarity,
        n_bytes,
        checksum,
    };
    replace_file(&folder.join(DESCRIPTION), &serde_json::to_vec_pretty(&Signed::new(description)?)?)?;
    Ok(Covering { index, generation, n_rows, usual_similarity, n_bytes })
}

/// The index, or none if the file cannot be used:
/// missing, damaged, refused by its kind, of other vectors or built with other settings.
pub(super) fn read(folder: &Path, of: &Of, kind: &dyn IndexFile) -> Option<Covering> {
    let description = description(folder, of)?;
    let path = folder.join(kind.file_name());
    let (checksum, n_bytes) = checksum(&path).ok()?;
    let is_whole = checksum == description.checksum && n_bytes == description.n_bytes;
    if !is_whole || description.file != kind.file_name() || !kind.accepts(&description.options) {
        return None;
    }
    let index = kind.read_file(&path).ok()?;
    let is_ours = index.len() == description.n_vectors && index.dim() == of.header.dim;
    let Description { n_rows, usual_similarity, .. } = description;
    is_ours.then_some(Covering { index, generation: of.generation, n_rows, usual_similarity, n_bytes })
}

/// Number of vectors in an index file, as its description says.
pub(super) fn n_vectors(folder: &Path, of: &Of) -> usize {
    description(folder, of).map_or(0, |description| description.n_vectors)
}

pub(super) fn description(folder: &Path, of: &Of) -> Option<Description> {
    let text = fs_err::read(folder.join(DESCRIPTION)).ok()?;
    let found: Signed = serde_json::from_slice(&text).ok()?;
    let signed = Signed::new(found.index).ok()?;
    let is_ours = signed.checksum == found.checksum && signed.index.format == FORMAT && signed.index.of == *of;
    is_ours.then_some(signed.index)
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

/// Vectors of an index whose nearest other vector is looked up.
const N_SAMPLED: usize = 200;

/// What vectors have to their nearest neighbor, but for outliers: the lower quartile minus one and a half times the distance
/// of the quartiles (Tukey 1977). A few vectors that the index itself misses do not move it.
fn usual_similarity(index: &dyn VectorIndex, vectors: &dyn VectorSource) -> Result<f32, IndexError> {
    let (sampled, mut similarities) = (sample(vectors, N_SAMPLED)?, Vec::new());
    for vector in sampled.chunks_exact(vectors.dim()) {
        // The nearest is the vector itself.
        similarities.extend(index.search(vector, 2)?.get(1).map(|nearest| nearest.similarity));
    }
    similarities.sort_by(f32::total_cmp);
    let quartile = |number: usize| similarities.get(similarities.len() * number / 4).copied().unwrap_or(-1.0);
    Ok(quartile(1) - 1.5 * (quartile(3) - quartile(1)))
}
