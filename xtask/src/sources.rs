//! The source files of the crates.

use std::path::{Path, PathBuf};

use crate::layers;

/// All files of a folder with this ending, in folders below it too, in order.
///
/// # Errors
/// A folder that cannot be read; one that is not there has no files.
pub(crate) fn files(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path, ending)?);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The folder `src` of every crate, with the name of the crate.
///
/// # Errors
/// A folder that cannot be read.
pub(crate) fn crates(root: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let folders = layers::crate_folders(root)?.into_iter();
    Ok(folders.map(|folder| (folder.trim_start_matches("crates/").to_owned(), root.join(folder).join("src"))).collect())
}
