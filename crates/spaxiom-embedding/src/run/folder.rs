//! The files of a run folder, and how they are written.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use spaxiom_encoder::WeightFile;
use spaxiom_file::{hex, replace_file};
use spaxiom_objective::Checkpoint;
use spaxiom_token::{ClockedMemory, Tokenizer};

use super::config::RunConfig;
use super::manifest::Manifest;
use crate::error::EmbeddingError;
use crate::files;

const CONFIG: &str = "config.toml";
const TOKENIZER: &str = "tokenizer.json";
const MODEL: &str = "model.safetensors";
const MEMORY: &str = "memory.json";
const VECTOR: &str = "vector.safetensors";
const COMPONENTS: &str = "pca.safetensors";
const MANIFEST: &str = "manifest.json";
const CHECKPOINT: &str = "checkpoint/last.safetensors";
const METRICS: &str = "metrics.jsonl";

/// A folder that holds a run or will hold one; nothing is read until it is opened ([`crate::Run::open`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Names the folder.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a checkpoint to resume from.
    #[must_use]
    pub fn has_checkpoint(&self) -> bool {
        self.checkpoint_path().exists()
    }

    pub(crate) fn create(&self) -> Result<(), EmbeddingError> {
        // A run that ended before its first checkpoint left nothing worth keeping.
        if self.path.join(MODEL).exists() || self.path.join(VECTOR).exists() || self.has_checkpoint() {
            return Err(EmbeddingError::RunExists { path: self.path.clone() });
        }
        let is_run = self.path.join(MANIFEST).exists() && self.format().is_ok();
        let mut own = [MANIFEST, CONFIG, TOKENIZER, MEMORY, METRICS].map(|name| self.path.join(name)).into_iter();
        if let (false, Some(path)) = (is_run, own.find(|path| path.exists())) {
            return Err(EmbeddingError::Foreign { path });
        }
        Ok(fs_err::create_dir_all(&self.path)?)
    }

    /// Copies what makes the vectors of another folder, and what stands beside them: everything but reports, curves and checkpoints.
    pub(crate) fn copy_all(&self, from: &Path) -> Result<(), EmbeddingError> {
        for entry in fs_err::read_dir(from)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_report = ["report.", "boosting-"].iter().any(|prefix| name.starts_with(prefix));
            if entry.file_type()?.is_file() && !is_report {
                fs_err::copy(entry.path(), self.path.join(&name))?;
            }
        }
        Ok(())
    }

    pub(crate) fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// The file with one line per step and evaluation.
    #[must_use]
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    pub(crate) fn save_setup(
        &self,
        config: &RunConfig,
        tokenizer: &Tokenizer,
        memory: Option<&ClockedMemory>,
    ) -> Result<(), EmbeddingError> {
        replace_file(&self.path.join(CONFIG), config.to_toml().as_bytes())?;
        replace_file(&self.path.join(TOKENIZER), tokenizer.to_json().as_bytes())?;
        if let Some(memory) = memory {
            replace_file(&self.path.join(MEMORY), memory.to_json().as_bytes())?;
        }
        Ok(())
    }

    pub(crate) fn save_manifest(&self, manifest: &Manifest) -> Result<(), EmbeddingError> {
        files::save_json(&self.path.join(MANIFEST), manifest)
    }

    /// Writes the weights and returns their SHA-256.
    pub(crate) fn save_weights(&self, weights: &WeightFile) -> Result<String, EmbeddingError> {
        self.save_tensors(MODEL, weights)
    }

    /// Writes the principal components and returns their SHA-256.
    pub(crate) fn save_components(&self, components: &WeightFile) -> Result<String, EmbeddingError> {
        self.save_tensors(COMPONENTS, components)
    }

    /// Writes the blocks of vectors and returns their SHA-256.
    pub(crate) fn save_vector(&self, blocks: &WeightFile) -> Result<String, EmbeddingError> {
        self.save_tensors(VECTOR, blocks)
    }

    fn save_tensors(&self, name: &str, tensors: &WeightFile) -> Result<String, EmbeddingError> {
        let bytes = tensors.to_bytes();
        replace_file(&self.path.join(name), &bytes)?;
        Ok(hex(&Sha256::digest(&bytes)))
    }

    pub(super) fn read_config(&self) -> Result<RunConfig, EmbeddingError> {
        RunConfig::archived(&self.existing(CONFIG)?)
    }

    /// # Errors
    /// [`EmbeddingError::OtherTokenizer`] if it is not the one that the manifest names.
    pub(super) fn read_tokenizer(&self, manifest: &Manifest) -> Result<Tokenizer, EmbeddingError> {
        let path = self.existing(TOKENIZER)?;
        let text = fs_err::read_to_string(&path)?;
        let tokenizer = match Tokenizer::from_json(&text) {
            Ok(tokenizer) => tokenizer,
            Err(source) => return Err(EmbeddingError::Tokenizer { path, source }),
        };
        let (want, found) = (manifest.tokenizer.clone(), tokenizer.fingerprint());
        if want == found { Ok(tokenizer) } else { Err(EmbeddingError::OtherTokenizer { path, want, found }) }
    }

    /// None in runs of builds without a memory.
    ///
    /// # Errors
    /// [`EmbeddingError::OtherMemory`] if it is not the one that the manifest names.
    pub(super) fn read_memory(&self, manifest: &Manifest) -> Result<Option<ClockedMemory>, EmbeddingError> {
        let Some(want) = &manifest.memory else { return Ok(None) };
        let path = self.existing(MEMORY)?;
        let memory = ClockedMemory::from_json(&fs_err::read_to_string(&path)?).ok();
        let memory = memory.filter(|memory| memory.fingerprint() == *want);
        memory.map(Some).ok_or(EmbeddingError::OtherMemory { path })
    }

    /// # Errors
    /// [`EmbeddingError::RunFormat`] for the folder of another version of this program.
    pub(super) fn read_manifest(&self) -> Result<Manifest, EmbeddingError> {
        let found = self.format()?;
        if !(Manifest::OLDEST_FORMAT..=Manifest::FORMAT).contains(&found) {
            return Err(EmbeddingError::RunFormat { path: self.path.clone(), found, want: Manifest::FORMAT });
        }
        self.json(MANIFEST)
    }

    /// The format of the folder, whatever else its manifest says.
    fn format(&self) -> Result<u32, EmbeddingError> {
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        self.json(MANIFEST).map(|Header { format }| format)
    }

    fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, EmbeddingError> {
        let path = self.existing(name)?;
        serde_json::from_slice(&fs_err::read(&path)?).map_err(|source| EmbeddingError::Json { path, source })
    }

    pub(super) fn read_weights(&self, manifest: &Manifest) -> Result<WeightFile, EmbeddingError> {
        self.tensors(MODEL, manifest.weights.as_deref())
    }

    pub(super) fn read_components(&self, want: &str) -> Result<WeightFile, EmbeddingError> {
        self.tensors(COMPONENTS, Some(want))
    }

    pub(super) fn read_vector(&self, want: &str) -> Result<WeightFile, EmbeddingError> {
        self.tensors(VECTOR, Some(want))
    }

    /// Reads a file whose SHA-256 the manifest names.
    fn tensors(&self, name: &'static str, want: Option<&str>) -> Result<WeightFile, EmbeddingError> {
        let path = self.existing(name)?;
        let found = hex(&Sha256::digest(fs_err::read(&path)?));
        match want {
            Some(want) if want == found => Ok(WeightFile::read(&path)?),
            want => Err(EmbeddingError::OtherWeights { path, want: want.unwrap_or("none yet").to_owned(), found }),
        }
    }

    pub(super) fn read_checkpoint(&self) -> Result<Checkpoint, EmbeddingError> {
        if !self.has_checkpoint() {
            return Err(EmbeddingError::NoCheckpoint { path: self.path.clone() });
        }
        Ok(Checkpoint::read(&self.checkpoint_path())?)
    }

    fn existing(&self, name: &'static str) -> Result<PathBuf, EmbeddingError> {
        let path = self.path.join(name);
        if path.exists() { Ok(path) } else { Err(EmbeddingError::NoRun { path: self.path.clone(), missing: name }) }
    }
}
