//! The vectors of a store: one file of rows in half precision, each with a checksum.
//!
//! A row is at the place that its number says and is written before the database commits it.
//! What lies behind the last committed row is of a writer that did not get so far, and is written over.

use std::ops::Range;
use std::path::{Path, PathBuf};

use bytemuck::{cast_slice, cast_slice_mut};
use fs_err::os::unix::fs::FileExt;
use half::f16;
use xxhash_rust::xxh64::xxh64;

use crate::error::IndexError;
use crate::kernels;

/// Half-precision numbers that a checksum takes.
const CHECKSUM: usize = 4;

const MAGIC: [u8; 8] = *b"SPXVEC\0\x01";

/// Bytes before the first row.
const HEADER: usize = 64;

/// Rows that are read at once.
const BLOCK: usize = 256;

/// An open file of vectors.
#[derive(Debug)]
pub(super) struct VectorFile {
    file: fs_err::File,
    dim: usize,
}

/// The file of a generation: each compaction begins another.
pub(super) fn path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("vectors-{generation}.f16"))
}

impl VectorFile {
    /// Begins the file of a generation; one that a kill left behind is replaced.
    pub(super) fn create(folder: &Path, generation: u64, store: &str, dim: usize) -> Result<Self, IndexError> {
        let path = path(folder, generation);
        spaxiom_file::replace_file(&path, &header(store, generation, dim))?;
        let file = fs_err::OpenOptions::new().read(true).write(true).open(&path)?;
        Ok(Self { file, dim })
    }

    /// Opens the file of a generation.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] for a file that is not of this store.
    pub(super) fn open(folder: &Path, generation: u64, store: &str, dim: usize) -> Result<Self, IndexError> {
        let path = path(folder, generation);
        let writable = fs_err::OpenOptions::new().read(true).write(true).open(&path);
        // A store on a disk that cannot be written can still be searched.
        let file = match writable.or_else(|_| fs_err::File::open(&path)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(damaged(&path, "it is missing")),
            opened => opened?,
        };
        let mut found = [0; HEADER];
        let is_ours = file.read_exact_at(&mut found, 0).is_ok() && found == header(store, generation, dim);
        if is_ours { Ok(Self { file, dim }) } else { Err(damaged(&path, "it is cut, or the file of another store")) }
    }

    /// Numbers from the beginning of a row to that of the next.
    pub(super) fn stride(&self) -> usize {
        self.dim + CHECKSUM
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Writes rows from `first` on and waits until they are on the disk.
    pub(super) fn append(&self, first: usize, vectors: &[f32]) -> Result<(), IndexError> {
        self.write(first, vectors)?;
        Ok(self.file.sync_data()?)
    }

    /// Replaces the content of `rows` by these rows, a [`stride`](VectorFile::stride) each.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] for a row whose checksum does not agree.
    pub(super) fn read(&self, range: Range<usize>, rows: &mut Vec<f16>) -> Result<(), IndexError> {
        rows.resize(range.len() * self.stride(), f16::ZERO);
        if self.file.read_exact_at(cast_slice_mut(rows), self.offset(range.start)).is_err() {
            return Err(damaged(self.file.path(), "it is shorter than the database says"));
        }
        match self.first_damaged(range.start, rows) {
            None => Ok(()),
            Some(row) => Err(damaged(self.file.path(), &format!("row {row} is not what was written"))),
        }
    }

    /// Rows below `n_rows` that cannot be read or are not what was written.
    pub(super) fn damaged_rows(&self, n_rows: usize) -> Vec<usize> {
        let mut damaged = Vec::new();
        let mut rows = Vec::new();
        for start in (0..n_rows).step_by(BLOCK) {
            let range = start..(start + BLOCK).min(n_rows);
            if self.read(range.clone(), &mut rows).is_err() {
                damaged.extend(range.filter(|&row| self.read(row..row + 1, &mut rows).is_err()));
            }
        }
        damaged
    }

    fn first_damaged(&self, first: usize, rows: &[f16]) -> Option<usize> {
        let is_damaged = |row: &[f16], number: usize| {
            let (vector, checksum) = row.split_at(self.dim);
            cast_slice::<f16, u8>(checksum) != xxh64(cast_slice(vector), number as u64).to_le_bytes()
        };
        rows.chunks_exact(self.stride())
            .zip(first..)
            .find(|(row, number)| is_damaged(row, *number))
            .map(|found| found.1)
    }

    /// Appends the vectors of rows as they were read.
    pub(super) fn widen(&self, rows: &[f16], into: &mut Vec<f32>) {
        rows.chunks_exact(self.stride()).for_each(|row| kernels::widen(&row[..self.dim], into));
    }

    /// Writes the rows of another file one after another, without a wait for the disk.
    pub(super) fn copy_rows(&self, from: &Self, rows: impl Iterator<Item = usize>) -> Result<usize, IndexError> {
        let (mut read, mut block, mut n_written) = (Vec::new(), Vec::with_capacity(BLOCK * self.dim), 0);
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            block.clear();
            for row in rows.by_ref().take(BLOCK) {
                from.read(row..row + 1, &mut read)?;
                self.widen(&read, &mut block);
            }
            self.write(n_written, &block)?;
            n_written += block.len() / self.dim;
        }
        Ok(n_written)
    }

    fn write(&self, first: usize, vectors: &[f32]) -> Result<(), IndexError> {
        let mut rows: Vec<f16> = Vec::with_capacity(vectors.len() / self.dim * self.stride());
        for (number, vector) in (first as u64..).zip(vectors.chunks_exact(self.dim)) {
            let start = rows.len();
            kernels::narrow(vector, &mut rows);
            let checksum = xxh64(cast_slice(&rows[start..]), number);
            rows.extend_from_slice(cast_slice(&[checksum]));
        }
        Ok(self.file.write_all_at(cast_slice(&rows), self.offset(first))?)
    }

    pub(super) fn sync(&self) -> Result<(), IndexError> {
        Ok(self.file.sync_all()?)
    }

    /// Bytes of a file of so many rows.
    pub(super) fn n_bytes(&self, n_rows: usize) -> u64 {
        self.offset(n_rows)
    }

    fn offset(&self, row: usize) -> u64 {
        (HEADER + row * self.stride() * size_of::<f16>()) as u64
    }
}

fn header(store: &str, generation: u64, dim: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&(dim as u64).to_le_bytes());
    header[16..24].copy_from_slice(&generation.to_le_bytes());
    let name = &store.as_bytes()[..store.len().min(24)];
    header[24..24 + name.len()].copy_from_slice(name);
    let checksum = xxh64(&header[..56], 0);
    header[56..].copy_from_slice(&checksum.to_le_bytes());
    header
}

fn damaged(path: &Path, what: &str) -> IndexError {
    IndexError::Damaged { path: path.to_owned(), what: what.into() }
}
