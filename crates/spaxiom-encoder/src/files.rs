//! Files that are replaced whole or not at all.

use std::io::Write;
use std::path::Path;

/// Writes a temporary file beside `path` and renames it: a full disk leaves the old file as it was.
///
/// # Errors
/// Where the folder cannot be made or written; the temporary file is removed then.
pub fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    replace(path, folder, bytes).map_err(|error| {
        let path = path.display();
        std::io::Error::new(error.kind(), format!("`{path}` cannot be written, what was there is kept: {error}"))
    })
}

fn replace(path: &Path, folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = temporary().tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// As readable as any file that the user makes; a temporary file is private by default.
#[cfg(unix)]
fn temporary() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn temporary() -> tempfile::Builder<'static, 'static> {
    tempfile::Builder::new()
}
