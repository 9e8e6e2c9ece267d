//! A run that was opened: every file is read and checked once.

use std::path::Path;

use spaxiom_encoder::Pca;
use spaxiom_objective::{Checkpoint, renamed_weights};
use spaxiom_token::{ClockedMemory, Tokenizer};

use super::config::{RunConfig, Task};
use super::folder::RunFolder;
use super::manifest::Manifest;
use crate::engine::{Engine, ModelShape, Reduced, Weights, WindowEncoder};
use crate::error::EmbeddingError;
use crate::vector::{Blocks, VectorName, Vectors};

/// A run that was opened: manifest, configuration, tokenizer and shape.
#[derive(Debug, Clone)]
pub struct Run {
    folder: RunFolder,
    manifest: Manifest,
    config: RunConfig,
    tokenizer: Tokenizer,
    memory: Option<ClockedMemory>,
    shape: Option<ModelShape>,
}

impl Run {
    /// Reads manifest, configuration and tokenizer of the folder; weights are read when they are asked for.
    ///
    /// # Errors
    /// [`EmbeddingError::NoRun`] for a folder without a run, [`EmbeddingError::RunFormat`] for one of another version of
    /// this program, [`EmbeddingError::OtherTokenizer`] if the tokenizer is not the one that the manifest names.
    pub fn open(path: &Path) -> Result<Self, EmbeddingError> {
        let folder = RunFolder::new(path);
        let manifest = folder.read_manifest()?;
        let config = folder.read_config()?;
        let tokenizer = folder.read_tokenizer(&manifest)?;
        let memory = folder.read_memory(&manifest)?;
        let shape = config.encoder.clone().map(|encoder| ModelShape::new(encoder, &tokenizer));
        Ok(Self { folder, manifest, config, tokenizer, memory, shape })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The files of the folder.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// What the run was made from.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every setting of the run.
    #[must_use]
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// The settings of a run that is to be resumed.
    ///
    /// # Errors
    /// [`EmbeddingError::NoRun`] for a run of another task.
    pub fn resumed_config(&self, task: Task) -> Result<RunConfig, EmbeddingError> {
        if self.config.task == task {
            return Ok(self.config.clone());
        }
        Err(EmbeddingError::NoRun { path: self.path().to_owned(), missing: "a checkpoint of this task" })
    }

    /// The tokenizer that the run learned.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The memory beside the encoder; none in runs of builds without one.
    #[must_use]
    pub fn memory(&self) -> Option<&ClockedMemory> {
        self.memory.as_ref()
    }

    /// The encoder and what it reads of a window.
    ///
    /// # Errors
    /// [`EmbeddingError::NoEncoder`] where vectors are memory alone.
    pub fn shape(&self) -> Result<&ModelShape, EmbeddingError> {
        self.shape.as_ref().ok_or(EmbeddingError::NoEncoder { what: "name a run that was trained" })
    }

    /// The weights of the run.
    ///
    /// # Errors
    /// [`EmbeddingError::OtherWeights`] if they are not those that the manifest names.
    pub fn weights(&self) -> Result<Weights, EmbeddingError> {
        Ok(renamed_weights(self.folder.read_weights(&self.manifest)?.tensors))
    }

    /// The checkpoint to resume from.
    ///
    /// # Errors
    /// [`EmbeddingError::NoCheckpoint`] without one.
    pub fn checkpoint(&self) -> Result<Checkpoint, EmbeddingError> {
        self.folder.read_checkpoint()
    }

    /// The lowest loss on the validation split; `None` before the first evaluation.
    ///
    /// # Errors
    /// As [`Run::checkpoint`].
    pub fn best_loss(&self) -> Result<Option<f64>, EmbeddingError> {
        Ok(self.checkpoint()?.state.best_loss)
    }

    /// Fails if the run was made from other data.
    pub(crate) fn require_data(&self, path: &Path, fingerprint: &str) -> Result<(), EmbeddingError> {
        if self.manifest.data == fingerprint {
            return Ok(());
        }
        Err(EmbeddingError::OtherData {
            run: self.path().to_owned(),
            path: path.to_owned(),
            want: self.manifest.data.clone(),
            got: fingerprint.to_owned(),
        })
    }

    /// The trained encoder, with its classifier if the run has one, and reduced vectors if the run has principal components.
    ///
    /// # Errors
    /// As [`Run::weights`], and weights that do not fit the shape.
    pub fn encoder(&self, engine: &dyn Engine) -> Result<Box<dyn WindowEncoder>, EmbeddingError> {
        let encoder = self.full_encoder(engine)?;
        match &self.manifest.components {
            Some(want) => {
                let pca = Pca::from_tensors(&self.folder.read_components(want)?.tensors)?;
                Ok(Box::new(Reduced { encoder, pca }))
            }
            None => Ok(encoder),
        }
    }

    /// The trained encoder without reduction.
    pub(crate) fn full_encoder(&self, engine: &dyn Engine) -> Result<Box<dyn WindowEncoder>, EmbeddingError> {
        let n_classes = Some(self.manifest.classes.len()).filter(|n| *n > 0);
        engine.encoder(self.shape()?, &self.weights()?, n_classes)
    }

    /// What makes the vectors of the run: encoder and memory, or one of them.
    ///
    /// A run of a build without a memory, and one that was stopped, has an encoder alone.
    ///
    /// # Errors
    /// As of [`Run::encoder`].
    pub fn vectors(&self, engine: &dyn Engine, name: VectorName) -> Result<Vectors, EmbeddingError> {
        let encoder = self.shape.is_some() && (name.has_encoder() || self.manifest.vector.is_none());
        let encoder = encoder.then(|| self.encoder(engine)).transpose()?;
        self.vectors_with(encoder, name)
    }

    /// The same with another encoder of the same width.
    pub(crate) fn vectors_with(
        &self,
        encoder: Option<Box<dyn WindowEncoder>>,
        name: VectorName,
    ) -> Result<Vectors, EmbeddingError> {
        let tokenizer = self.tokenizer.clone();
        match (&self.memory, &self.manifest.vector, encoder) {
            (Some(memory), Some(want), encoder) => {
                let blocks = Blocks::from_tensors(&self.folder.read_vector(want)?.tensors)?;
                Ok(Vectors::of_blocks(tokenizer, encoder, memory.clone(), blocks, name))
            }
            (_, _, Some(encoder)) => Ok(Vectors::encoded(tokenizer, encoder)),
            (_, _, None) => Err(EmbeddingError::NoRun { path: self.path().to_owned(), missing: "vector.safetensors" }),
        }
    }
}
