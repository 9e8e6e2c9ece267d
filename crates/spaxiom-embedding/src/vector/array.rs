//! NumPy's array.

use std::io::Write;
use std::path::{Path, PathBuf};

use spaxiom_file::NewFile;

use crate::error::EmbeddingError;

/// Version 1.0 of NumPy's format, and what a header is padded to.
const NPY_MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
const NPY_ALIGNMENT: usize = 64;

/// An array of so many rows.
pub(crate) struct Array {
    file: NewFile,
    path: PathBuf,
    n_rows: usize,
    n_written: usize,
}

impl Array {
    /// Begins an array of `n_rows` rows.
    pub(crate) fn create(path: &Path, dim: usize, n_rows: usize) -> Result<Self, EmbeddingError> {
        let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_rows}, {dim}), }}");
        let n_bytes = NPY_MAGIC.len() + 2 + header.len() + 1;
        header.extend(std::iter::repeat_n(' ', n_bytes.next_multiple_of(NPY_ALIGNMENT) - n_bytes));
        header.push('\n');
        let mut file = NewFile::create(path)?;
        file.write_all(NPY_MAGIC)?;
        let length = u16::try_from(header.len()).expect("two numbers are a short header");
        file.write_all(&length.to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        Ok(Self { file, path: path.to_owned(), n_rows, n_written: 0 })
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, vectors: &[f32], n_rows: usize) -> Result<(), EmbeddingError> {
        self.n_written += n_rows;
        let bytes: Vec<u8> = vectors.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(self.file.write_all(&bytes)?)
    }

    /// Gives the file its name.
    ///
    /// # Panics
    /// Where it got another number of rows than it was begun with.
    pub(crate) fn finish(self) -> Result<(), EmbeddingError> {
        let Self { file, path, n_rows, n_written } = self;
        assert_eq!(n_rows, n_written, "`{}` was begun for as many rows as it got", path.display());
        Ok(file.commit()?)
    }
}
