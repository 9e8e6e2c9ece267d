//! A file under a name of its own until it is whole.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is being written beside the one that it will replace; dropped, it is removed.
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Begins a file that will be at `path`, in a folder that is there.
    ///
    /// # Errors
    /// Where the folder cannot be written; the message names `path`.
    pub fn create(path: &Path) -> io::Result<Self> {
        let folder = folder_of(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".partial");
        // As readable as any file that the user makes; a temporary file is private by default.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(|error| named(path, &error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Where the bytes are until then, for writers that want a path.
    #[must_use]
    pub fn temporary_path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the file its name, when its bytes are on the disk; what was there is replaced.
    ///
    /// # Errors
    /// Where a byte does not reach the disk; what was there is kept.
    pub fn commit(self) -> io::Result<()> {
        let Self { file, path } = self;
        file.as_file().sync_all().map_err(|error| named(&path, &error))?;
        file.persist(&path).map_err(|error| named(&path, &error.error))?;
        // The new name is in the folder's own data.
        #[cfg(unix)]
        fs_err::File::open(folder_of(&path))?.sync_all()?;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| named(&self.path, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| named(&self.path, &error))
    }
}

/// Replaces a file by these bytes; the folder is made where it is missing.
///
/// # Errors
/// Where the folder cannot be made, and as of [`NewFile`].
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs_err::create_dir_all(folder_of(path))?;
    let mut file = NewFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    let path = path.display();
    io::Error::new(error.kind(), format!("`{path}` cannot be written, what was there is kept: {error}"))
}
