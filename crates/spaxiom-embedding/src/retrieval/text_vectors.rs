//! The text encoder of a run: texts to vectors among those of its events.

use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_encoder::{TextQueryEncoderConfig, WeightFile};
use spaxiom_file::replace_file;
use spaxiom_objective::TextTrainOptions;
use spaxiom_token::WordPieces;

use crate::engine::{Engine, TextEncoder, TextShape, Weights};
use crate::error::EmbeddingError;
use crate::files;

const FORMAT: u32 = 1;
const FILE: &str = "text.json";
const WEIGHTS: &str = "text.safetensors";

/// The text encoder of a run: texts to unit vectors among those of its events, whose cosine says how well an event fits.
pub struct TextVectors {
    pieces: WordPieces,
    max_len: usize,
    dim: usize,
    encoder: Box<dyn TextEncoder>,
}

/// What is known of a text encoder beside its weights.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextFile {
    format: u32,
    /// Fingerprint of what made the vectors that it was trained toward.
    run: String,
    encoder: TextQueryEncoderConfig,
    dim: usize,
    /// Texts that it was trained with are drawn with this seed.
    pub(super) seed: u64,
    pub(super) options: TextTrainOptions,
    /// The artifact of [`WordPieces`].
    pieces: serde_json::Value,
}

impl TextFile {
    pub(super) fn new(
        run: &str,
        encoder: &TextQueryEncoderConfig,
        dim: usize,
        (options, seed): (&TextTrainOptions, u64),
        pieces: &WordPieces,
    ) -> Self {
        let pieces = serde_json::from_str(&pieces.to_json()).expect("a vocabulary is written as JSON");
        let (run, encoder, options) = (run.to_owned(), encoder.clone(), options.clone());
        Self { format: FORMAT, run, encoder, dim, seed, options, pieces }
    }

    pub(super) fn save(&self, run: &Path, weights: Weights) -> Result<(), EmbeddingError> {
        let weights = WeightFile { tensors: weights, metadata: "a text encoder of spaxiom".into() };
        replace_file(&run.join(WEIGHTS), &weights.to_bytes())?;
        files::save_json(&run.join(FILE), self)
    }

    pub(super) fn read(run: &Path) -> Result<Self, EmbeddingError> {
        let path = run.join(FILE);
        if !TextVectors::is_in(run) {
            return Err(EmbeddingError::NoText { path: run.to_owned() });
        }
        files::read_json(&path, FORMAT)
    }
}

impl TextVectors {
    /// Whether a run folder has a text encoder.
    #[must_use]
    pub fn is_in(run: &Path) -> bool {
        run.join(FILE).exists()
    }

    /// Reads the text encoder of a run folder.
    ///
    /// # Errors
    /// [`EmbeddingError::NoText`] for a run without one, [`EmbeddingError::Json`] and [`EmbeddingError::RunFormat`] for a file
    /// that is none or newer, and weights that do not fit.
    pub fn open(run: &Path, engine: &dyn Engine) -> Result<Self, EmbeddingError> {
        let TextFile { encoder, dim, pieces, .. } = TextFile::read(run)?;
        let pieces = WordPieces::from_json(&pieces.to_string())?;
        let weights = WeightFile::read(&run.join(WEIGHTS))?.tensors;
        let shape = TextShape { encoder, n_pieces: pieces.n_pieces(), dim };
        let max_len = shape.encoder.max_len;
        Ok(Self { pieces, max_len, dim, encoder: engine.text_encoder(&shape, &weights)? })
    }

    /// Width of the vectors.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The unit vectors of texts, row after row.
    ///
    /// # Errors
    /// Word pieces that are damaged.
    pub fn of(&self, texts: &[&str]) -> Result<Vec<f32>, EmbeddingError> {
        let pieces = texts.iter().map(|text| self.pieces.encode(text, self.max_len));
        Ok(self.encoder.encode(&pieces.collect::<Result<Vec<_>, _>>()?))
    }
}
