//! A folder of data: the names of the files in it.

use std::path::{Path, PathBuf};

/// Events by the names that they may have.
const EVENTS: [&str; 4] = ["events.jsonl", "events.jsonl.zst", "events.jsonl.gz", "events.parquet"];

/// A folder of data: events, and in files of their own what is known of them.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// What lies beside the events and is none of them.
    pub const TRUTH: [&str; 7] = [
        "labels.jsonl",
        "decisions.jsonl",
        "entities.jsonl",
        "relevance.jsonl",
        "split.json",
        "manifest.json",
        "site-map.toml",
    ];

    /// The folder, which need not be there.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The file of events that is there, or the one that is wanted first.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        let mut paths = EVENTS.into_iter().map(|name| self.path.join(name));
        paths.find(|path| path.exists()).unwrap_or_else(|| self.path.join(EVENTS[0]))
    }

    /// Activities or hidden causes, with their times.
    #[must_use]
    pub fn labels(&self) -> PathBuf {
        self.path.join("labels.jsonl")
    }

    /// Moments of decision, with what came of them.
    #[must_use]
    pub fn decisions(&self) -> PathBuf {
        self.path.join("decisions.jsonl")
    }

    /// Entities and what is known of them from the start.
    #[must_use]
    pub fn entities(&self) -> PathBuf {
        self.path.join("entities.jsonl")
    }

    /// What each event is an example of, for graded retrieval.
    #[must_use]
    pub fn relevance(&self) -> PathBuf {
        self.path.join("relevance.jsonl")
    }

    /// Sites for training, validation and test.
    #[must_use]
    pub fn split(&self) -> PathBuf {
        self.path.join("split.json")
    }

    /// How the data were made.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.path.join("manifest.json")
    }

    /// Zones and what they are for.
    #[must_use]
    pub fn site_map(&self) -> PathBuf {
        self.path.join("site-map.toml")
    }

    /// The files of events here and in the folders below, in order of their paths: all but the truth, licenses, Markdown
    /// and what is hidden.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        collect(&self.path, &mut files)?;
        files.sort();
        Ok(files)
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_text = path.extension().is_some_and(|extension| extension == "md");
        let is_other = is_text || name.starts_with('.') || name == "LICENSE" || DataFolder::TRUTH.contains(&&*name);
        // A link to a folder may lead back to this one.
        if entry.file_type()?.is_dir() && !name.starts_with('.') {
            collect(&path, files)?;
        } else if path.is_file() && !is_other {
            files.push(path);
        }
    }
    Ok(())
}
