//! Tests of `spaxiom-event` through its border.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod casas;
mod doctor;
mod jsonl;
mod labels;
mod log;
mod outside;
mod pseudonym;
mod real;
mod recorder;
mod registry;
mod robust;
mod site_map;
mod sources;
mod streams;
mod writers;

use std::ops::Deref;
use std::path::{Path, PathBuf};

use spaxiom_event::{EventReader, Format, ReadOptions, Record};
use tempfile::TempDir;

/// What a stream in `format` gives: records, and what is said of rejected lines.
fn read(text: &str, format: &str) -> Vec<Result<Record, String>> {
    let options = ReadOptions { format: Some(Format::from_name(format).unwrap()), ..ReadOptions::default() };
    read_with(text, &options)
}

fn read_with(text: &str, options: &ReadOptions) -> Vec<Result<Record, String>> {
    let input = std::io::Cursor::new(text.to_owned().into_bytes());
    let reader = EventReader::from_stream(Box::new(input), "trial.txt", options).unwrap();
    reader.map(|record| record.map_err(|rejected| rejected.to_string())).collect()
}

/// A file that goes away with its test.
struct Written {
    _folder: TempDir,
    path: PathBuf,
}

impl Deref for Written {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

fn written(name: &str, bytes: &[u8]) -> Written {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs_err::write(&path, bytes).unwrap();
    Written { _folder: folder, path }
}
