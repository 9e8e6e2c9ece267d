//! The folder of a run.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spaxiom_encoder::{Pca, WeightFile, replace_file};
use spaxiom_eval::Split;
use spaxiom_objective::{Checkpoint, Outcome};
use spaxiom_token::Tokenizer;

use crate::config::RunConfig;
use crate::curves;
use crate::engine::{Engine, ModelShape, WindowEncoder};
use crate::error::EmbeddingError;
use crate::files;
use crate::reduce::Reduced;
use crate::report::Report;
use crate::train::TrainingData;

const CONFIG: &str = "config.toml";
const TOKENIZER: &str = "tokenizer.json";
const MODEL: &str = "model.safetensors";
const COMPONENTS: &str = "pca.safetensors";
const MANIFEST: &str = "manifest.json";
const CHECKPOINT: &str = "checkpoint/last.safetensors";
const METRICS: &str = "metrics.jsonl";

/// Where the program that makes a run comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Commit of its source, where it is known.
    pub commit: Option<String>,
}

/// What a run was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format of the run folder.
    pub format: u32,
    /// The program.
    pub provenance: Provenance,
    /// Hash of the events and labels.
    pub data: String,
    /// Which sites and days were for what.
    pub split: Split,
    /// SHA-256 of the weights that the run started from; none where it started from a seed.
    pub from: Option<String>,
    /// The seed.
    pub seed: u64,
    /// The backend.
    pub backend: String,
    /// Fingerprint of the tokenizer.
    pub tokenizer: String,
    /// The classes of a classifier, in the order of its outputs; empty without one.
    pub classes: Vec<String>,
    /// SHA-256 of the weights; none before the run has ended.
    pub weights: Option<String>,
    /// SHA-256 of the principal components; none where vectors are whole.
    #[serde(default)]
    pub components: Option<String>,
    /// How the run ended.
    pub outcome: Option<Outcome>,
    /// Steps done.
    pub steps: u64,
}

impl Manifest {
    /// The format that this build writes.
    pub const FORMAT: u32 = 3;
}

/// A run folder: configuration, tokenizer, weights, checkpoint, metrics, manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Names the folder; nothing is read yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn create(&self) -> Result<(), EmbeddingError> {
        // A run that ended before its first checkpoint left nothing that is worth keeping.
        if self.path.join(MODEL).exists() || self.checkpoint_path().exists() {
            return Err(EmbeddingError::RunExists { path: self.path.clone() });
        }
        let is_run = self.path.join(MANIFEST).exists() && self.format().is_ok();
        let mut own = [MANIFEST, CONFIG, TOKENIZER, METRICS].map(|name| self.path.join(name)).into_iter();
        if let (false, Some(path)) = (is_run, own.find(|path| path.exists())) {
            return Err(EmbeddingError::Foreign { path });
        }
        Ok(fs_err::create_dir_all(&self.path)?)
    }

    pub(crate) fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    pub(crate) fn metrics_path(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    pub(crate) fn save_setup(&self, config: &RunConfig, tokenizer: &Tokenizer) -> Result<(), EmbeddingError> {
        replace_file(&self.path.join(CONFIG), config.to_toml().as_bytes())?;
        replace_file(&self.path.join(TOKENIZER), tokenizer.to_json().as_bytes())?;
        Ok(())
    }

    pub(crate) fn save_manifest(&self, manifest: &Manifest) -> Result<(), EmbeddingError> {
        self.save_json(MANIFEST, manifest)
    }

    /// Writes the weights and gives their SHA-256.
    pub(crate) fn save_weights(&self, weights: &WeightFile) -> Result<String, EmbeddingError> {
        self.save_tensors(MODEL, weights)
    }

    /// Writes principal components and gives their SHA-256.
    pub(crate) fn save_components(&self, components: &WeightFile) -> Result<String, EmbeddingError> {
        self.save_tensors(COMPONENTS, components)
    }

    fn save_tensors(&self, name: &str, tensors: &WeightFile) -> Result<String, EmbeddingError> {
        let bytes = tensors.to_bytes();
        replace_file(&self.path.join(name), &bytes)?;
        Ok(files::hex(&Sha256::digest(&bytes)))
    }

    /// Writes `report.json`, and `report.html` with the loss curves of this run.
    pub fn save_report(&self, folder: &Path, report: &Report) -> Result<(), EmbeddingError> {
        fs_err::create_dir_all(folder)?;
        Self::new(folder).save_json("report.json", report)?;
        // A run that was copied without its metrics has no curves.
        let metrics = fs_err::read_to_string(self.metrics_path()).unwrap_or_default();
        let curves = curves::svg(&metrics).unwrap_or_default();
        replace_file(&folder.join("report.html"), report.to_html(&curves).as_bytes())?;
        Ok(())
    }

    fn save_json(&self, name: &str, value: &impl Serialize) -> Result<(), EmbeddingError> {
        let path = self.path.join(name);
        let text =
            serde_json::to_vec_pretty(value).map_err(|source| EmbeddingError::Json { path: path.clone(), source })?;
        Ok(replace_file(&path, &text)?)
    }

    /// Every setting of the run.
    pub fn config(&self) -> Result<RunConfig, EmbeddingError> {
        let path = self.existing(CONFIG)?;
        toml::from_str(&fs_err::read_to_string(&path)?)
            .map_err(|source| EmbeddingError::Config { path, source: Box::new(source) })
    }

    /// The tokenizer that the run learnt.
    ///
    /// # Errors
    /// [`EmbeddingError::OtherTokenizer`] where it is not the one that the manifest names.
    pub fn tokenizer(&self) -> Result<Tokenizer, EmbeddingError> {
        let path = self.existing(TOKENIZER)?;
        let text = fs_err::read_to_string(&path)?;
        let tokenizer = match Tokenizer::from_json(&text) {
            Ok(tokenizer) => tokenizer,
            Err(source) => return Err(EmbeddingError::Tokenizer { path, source }),
        };
        let (want, found) = (self.manifest()?.tokenizer, tokenizer.fingerprint());
        if want == found { Ok(tokenizer) } else { Err(EmbeddingError::OtherTokenizer { path, want, found }) }
    }

    /// What the run was made from.
    ///
    /// # Errors
    /// [`EmbeddingError::RunFormat`] for the folder of another version of this program.
    pub fn manifest(&self) -> Result<Manifest, EmbeddingError> {
        let format = self.format()?;
        if format != Manifest::FORMAT {
            return Err(EmbeddingError::RunFormat { path: self.path.clone(), found: format, want: Manifest::FORMAT });
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

    /// The weights of the run.
    ///
    /// # Errors
    /// [`EmbeddingError::OtherWeights`] where they are not those that the manifest names.
    pub fn weights(&self) -> Result<WeightFile, EmbeddingError> {
        self.tensors(MODEL, self.manifest()?.weights)
    }

    /// Reads a file whose SHA-256 the manifest names.
    fn tensors(&self, name: &'static str, want: Option<String>) -> Result<WeightFile, EmbeddingError> {
        let path = self.existing(name)?;
        let found = files::hex(&Sha256::digest(fs_err::read(&path)?));
        match want {
            Some(want) if want == found => Ok(WeightFile::read(&path)?),
            want => Err(EmbeddingError::OtherWeights { path, want: want.unwrap_or_else(|| "none yet".into()), found }),
        }
    }

    /// The checkpoint to go on from.
    pub fn checkpoint(&self) -> Result<Checkpoint, EmbeddingError> {
        let path = self.checkpoint_path();
        if !path.exists() {
            return Err(EmbeddingError::NoCheckpoint { path: self.path.clone() });
        }
        Ok(Checkpoint::read(&path)?)
    }

    /// Fails where the run was made from other data.
    pub(crate) fn require_data(&self, data: &impl TrainingData) -> Result<(), EmbeddingError> {
        let want = self.manifest()?.data;
        if want == data.fingerprint() {
            return Ok(());
        }
        let (run, path, got) = (self.path.clone(), data.path().to_owned(), data.fingerprint().to_owned());
        Err(EmbeddingError::OtherData { run, path, want, got })
    }

    /// The lowest loss on the validation part, or none before the first evaluation.
    pub fn best_loss(&self) -> Result<Option<f64>, EmbeddingError> {
        Ok(self.checkpoint()?.state.best_loss)
    }

    /// What decides the shapes of the run's tensors.
    pub fn shape(&self) -> Result<ModelShape, EmbeddingError> {
        Ok(ModelShape::new(self.config()?.encoder, &self.tokenizer()?))
    }

    /// The trained encoder, with its classifier where the run has one, and its vectors reduced where it has components.
    pub fn encoder(&self, engine: &dyn Engine) -> Result<Box<dyn WindowEncoder>, EmbeddingError> {
        let encoder = self.whole_encoder(engine)?;
        match self.manifest()?.components {
            Some(want) => {
                let pca = Pca::from_tensors(&self.tensors(COMPONENTS, Some(want))?.tensors)?;
                Ok(Box::new(Reduced { encoder, pca }))
            }
            None => Ok(encoder),
        }
    }

    /// The trained encoder with whole vectors.
    pub(crate) fn whole_encoder(&self, engine: &dyn Engine) -> Result<Box<dyn WindowEncoder>, EmbeddingError> {
        let n_classes = Some(self.manifest()?.classes.len()).filter(|n| *n > 0);
        engine.encoder(&self.shape()?, &self.weights()?.tensors, n_classes)
    }

    fn existing(&self, name: &'static str) -> Result<PathBuf, EmbeddingError> {
        let path = self.path.join(name);
        if path.exists() { Ok(path) } else { Err(EmbeddingError::NoRun { path: self.path.clone(), missing: name }) }
    }
}
