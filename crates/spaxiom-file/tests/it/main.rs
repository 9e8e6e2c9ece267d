//! Tests of `spaxiom-file` through its border.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::Path;

use spaxiom_file::{NewFile, replace_file};

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs_err::DirEntry>| entry.unwrap().file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = fs_err::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

#[test]
fn a_file_that_is_dropped_leaves_the_old_one_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    replace_file(&path, b"old").unwrap();
    let mut new = NewFile::create(&path).unwrap();
    new.write_all(b"half").unwrap();
    assert_eq!(names(folder.path()).len(), 2);
    assert!(names(folder.path())[0].starts_with(".a.json."));
    drop(new);
    assert_eq!(names(folder.path()), ["a.json"]);
    assert_eq!(fs_err::read(&path).unwrap(), b"old");
}

#[test]
fn what_another_writes_to_the_temporary_path_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.faiss");
    let new = NewFile::create(&path).unwrap();
    fs_err::write(new.temporary_path(), b"by a library").unwrap();
    new.commit().unwrap();
    assert_eq!(fs_err::read(&path).unwrap(), b"by a library");
}

#[test]
fn a_folder_that_is_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("file"), b"").unwrap();
    let error = replace_file(&folder.path().join("file/a.json"), b"").unwrap_err().to_string();
    assert!(error.contains("file"), "{error}");
}

/// As any file that the user makes.
#[cfg(unix)]
#[test]
fn others_may_read_what_the_user_lets_them_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    replace_file(&folder.path().join("a"), b"").unwrap();
    fs_err::write(folder.path().join("b"), b"").unwrap();
    let [ours, usual] = ["a", "b"].map(|name| fs_err::metadata(folder.path().join(name)).unwrap().permissions().mode());
    assert_eq!(ours, usual);
}
