//! The file of an index: a header of numbers, then every array as it is in memory, little-endian.

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut};

use super::clusters::Clusters;
use super::codes::CodeShape;
use super::rotation::Rotation;
use super::{RaBitQIndex, RaBitQOptions};
use crate::error::IndexError;

const MAGIC: [u8; 8] = *b"SPXRBQ\0\x01";

/// What the file begins with.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    dim: u64,
    bits: u64,
    seed: u64,
    n_lists: u64,
    n_vectors: u64,
}

impl RaBitQIndex {
    pub(super) fn write(&self, path: &Path) -> Result<(), IndexError> {
        let mut file = BufWriter::with_capacity(1 << 20, fs_err::File::create(path)?);
        let header = Header {
            magic: MAGIC,
            dim: self.shape.dim() as u64,
            bits: u64::from(self.shape.bits()),
            seed: self.rotation.seed(),
            n_lists: self.clusters.len() as u64,
            n_vectors: self.ids.len() as u64,
        };
        let starts: Vec<u64> = self.starts.iter().map(|start| *start as u64).collect();
        file.write_all(bytemuck::bytes_of(&header))?;
        file.write_all(cast_slice(&starts))?;
        file.write_all(cast_slice(self.clusters.centers()))?;
        file.write_all(cast_slice(&self.ids))?;
        file.write_all(cast_slice(&self.factors))?;
        file.write_all(cast_slice(&self.codes))?;
        Ok(file.flush()?)
    }

    pub(super) fn read(path: &Path, options: RaBitQOptions) -> Result<Self, IndexError> {
        let file = fs_err::File::open(path)?;
        let n_bytes = file.metadata()?.len();
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut header = Header::zeroed();
        file.read_exact(bytemuck::bytes_of_mut(&mut header))?;
        let Header { magic, dim, bits, seed, n_lists, n_vectors } = header;
        // A file says how long its arrays are; none of them is longer than the file.
        if magic != MAGIC || ![1, 2, 4].contains(&bits) || [dim, n_lists, n_vectors].iter().any(|n| *n > n_bytes) {
            return Err(damaged());
        }
        let [dim, n_lists, n_vectors] = [dim, n_lists, n_vectors].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let shape = CodeShape::new(dim, u32::try_from(bits).unwrap_or(1));
        let starts: Vec<u64> = array(&mut file, n_lists + 1)?;
        let centers = array(&mut file, n_lists * shape.n_values())?;
        let (ids, factors) = (array(&mut file, n_vectors)?, array(&mut file, n_vectors)?);
        let codes = array(&mut file, n_vectors * shape.n_words())?;
        let starts: Vec<usize> = starts.into_iter().map(|start| usize::try_from(start).unwrap_or(usize::MAX)).collect();
        if !starts.is_sorted() || starts.last() != Some(&n_vectors) {
            return Err(damaged());
        }
        let (rotation, clusters) = (Rotation::new(dim, seed), Clusters::of_centers(shape.n_values(), centers));
        Ok(Self { options, shape, rotation, clusters, starts, ids, factors, codes })
    }
}

fn array<T: Pod>(file: &mut impl Read, n: usize) -> Result<Vec<T>, IndexError> {
    let mut values = vec![T::zeroed(); n];
    file.read_exact(cast_slice_mut(&mut values))?;
    Ok(values)
}

fn damaged() -> IndexError {
    IndexError::Kind("the arrays of the index file do not agree".into())
}
