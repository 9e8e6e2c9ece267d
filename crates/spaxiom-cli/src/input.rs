//! Inputs of a command: files, folders of files, standard input; and the place for what is rejected.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use spaxiom_embedding::{DataFolder, Event, EventError, EventReader, Late, ReadOptions, Rejected};
use spaxiom_stream::NatsPublisher;

/// What stands for standard input.
const STDIN: &str = "-";

/// The inputs of a command, one after the other.
#[derive(Debug)]
pub(crate) struct Inputs(Vec<Input>);

#[derive(Debug)]
struct Input {
    path: PathBuf,
    /// Whether it was named as one of the files of a folder.
    is_of_folder: bool,
}

impl Inputs {
    /// A folder stands for its files in order of their names; labels and the like, licenses and Markdown are left out.
    pub(crate) fn new(words: &[PathBuf]) -> anyhow::Result<Self> {
        let mut paths = Vec::new();
        for word in words {
            if word.is_dir() {
                paths.extend(files_of(word)?.into_iter().map(|path| Input { path, is_of_folder: true }));
            } else {
                paths.push(Input { path: word.clone(), is_of_folder: false });
            }
        }
        Ok(Self(paths))
    }

    /// The name of each input, and its reader.
    pub(crate) fn open(&self, options: &ReadOptions) -> impl Iterator<Item = (String, anyhow::Result<EventReader>)> {
        self.0.iter().map(|Input { path, is_of_folder }| {
            let reader = if path.as_os_str() == STDIN {
                EventReader::from_stream(Box::new(std::io::stdin()), "standard input", options)
            } else {
                EventReader::open(path, options)
            };
            let reader = match reader {
                // In a folder of several formats the map is for those files that have its columns.
                Err(unfit @ EventError::Columns { .. }) if *is_of_folder => {
                    EventReader::open(path, &ReadOptions { columns: None, ..options.clone() }).map_err(|_| unfit)
                }
                reader => reader,
            };
            (path.display().to_string(), reader.map_err(Into::into))
        })
    }
}

fn files_of(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = DataFolder::new(folder).files()?;
    anyhow::ensure!(!files.is_empty(), "`{}` holds no file", folder.display());
    Ok(files)
}

/// Counts what is rejected, and keeps it where the user wants it.
pub(crate) struct Quarantine {
    out: Option<Out>,
    n_rejected: u64,
}

/// Where it is kept.
enum Out {
    File(BufWriter<fs_err::File>),
    /// Each by itself: its source forgets it after that.
    Subject(Box<NatsPublisher>),
}

/// A line of a quarantine file.
#[derive(Serialize)]
struct Quarantined<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    reason: String,
    raw: &'a str,
}

impl Quarantine {
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(folder) = path.and_then(Path::parent) {
            fs_err::create_dir_all(folder)?;
        }
        let out = path.map(fs_err::File::create).transpose()?.map(BufWriter::new);
        Ok(Self { out: out.map(Out::File), n_rejected: 0 })
    }

    /// Publishes what is rejected to a subject.
    pub(crate) fn publish(publisher: NatsPublisher) -> Self {
        Self { out: Some(Out::Subject(Box::new(publisher))), n_rejected: 0 }
    }

    /// Writes what is kept so far to its file: a source that may forget it will.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        if let Some(Out::File(out)) = &mut self.out {
            out.flush()?;
        }
        Ok(())
    }

    pub(crate) fn rejected(&mut self, path: &str, rejected: &Rejected) -> anyhow::Result<()> {
        let Rejected { line, offset, reason, raw } = rejected;
        self.n_rejected += 1;
        self.put(&Quarantined { path, line: Some(*line), offset: Some(*offset), reason: reason.to_string(), raw })
    }

    pub(crate) fn late(&mut self, path: &str, late: &Late) -> anyhow::Result<()> {
        let raw = serde_json::to_string(&late.event).context("the event as JSON")?;
        let reason = format!("{} s later than allowed", late.by.as_seconds_f64());
        self.n_rejected += 1;
        self.put(&Quarantined { path, line: None, offset: None, reason, raw: &raw })
    }

    /// Keeps an event whose site and id came before; it is not rejected, since the same file may be given twice.
    pub(crate) fn duplicate(&mut self, path: &str, event: &Event) -> anyhow::Result<()> {
        if self.out.is_none() {
            return Ok(());
        }
        let raw = serde_json::to_string(event).context("the event as JSON")?;
        let reason = "an earlier event has its site and id".to_owned();
        self.put(&Quarantined { path, line: None, offset: None, reason, raw: &raw })
    }

    fn put(&mut self, quarantined: &Quarantined<'_>) -> anyhow::Result<()> {
        match &mut self.out {
            None => {}
            Some(Out::File(out)) => {
                serde_json::to_writer(&mut *out, quarantined)?;
                out.write_all(b"\n")?;
            }
            Some(Out::Subject(publisher)) => {
                let payload = serde_json::to_vec(quarantined)?;
                // What comes again after a restart is kept once.
                let id = xxhash_rust::xxh64::xxh64(quarantined.raw.as_bytes(), 0);
                publisher.publish(&format!("{id:016x}"), payload)?;
            }
        }
        Ok(())
    }

    /// How many were rejected; those that are kept are on the disk now.
    pub(crate) fn finish(mut self) -> anyhow::Result<u64> {
        self.flush()?;
        Ok(self.n_rejected)
    }
}
