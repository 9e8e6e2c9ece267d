//! Vectors of fewer dimensions, by PCA fitted on the training split and saved with the run.

use spaxiom_encoder::{Pca, WeightFile};
use spaxiom_token::{TokenSequence, TokenWindow};

use super::interface::{SiteWalk, WindowEncoder};
use crate::error::EmbeddingError;

/// Number of vectors that PCA is fitted on, evenly spread over the training split.
const N_VECTORS: usize = 20_000;

/// Fits `n_components` on the vectors of training events.
pub(crate) fn fit_components(
    encoder: &dyn WindowEncoder,
    train: &[TokenSequence],
    n_components: usize,
) -> Result<WeightFile, EmbeddingError> {
    let n_events: usize = train.iter().map(TokenSequence::len).sum();
    let step = n_events.div_ceil(N_VECTORS).max(1);
    let places = train.iter().flat_map(|sequence| (0..sequence.len()).map(move |last| (sequence, last)));
    let windows: Vec<TokenWindow<'_>> =
        places.step_by(step).map(|(sequence, last)| sequence.context(last, encoder.reach())).collect();
    let pca = Pca::fit(&encoder.encode(&windows), encoder.dim(), n_components)?;
    let explained: f32 = pca.explained_variance_ratio().iter().sum();
    let metadata = format!("{n_components} principal components, {:.1} % of the variance", explained * 100.0);
    Ok(WeightFile { tensors: pca.tensors(), metadata })
}

/// An encoder with reduced vectors; its classes are those of the full vectors.
pub(crate) struct Reduced {
    pub(crate) encoder: Box<dyn WindowEncoder>,
    pub(crate) pca: Pca,
}

impl WindowEncoder for Reduced {
    fn dim(&self) -> usize {
        self.pca.n_components()
    }

    fn max_len(&self) -> usize {
        self.encoder.max_len()
    }

    fn reach(&self) -> usize {
        self.encoder.reach()
    }

    fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        self.pca.transform(&self.encoder.encode(windows))
    }

    fn walk(&self) -> Option<Box<dyn SiteWalk + '_>> {
        Some(Box::new(ReducedWalk { walk: self.encoder.walk()?, pca: &self.pca }))
    }

    fn classify(&self, windows: &[TokenWindow<'_>]) -> Option<Vec<usize>> {
        self.encoder.classify(windows)
    }
}

/// The walk of the encoder, with reduced vectors.
struct ReducedWalk<'a> {
    walk: Box<dyn SiteWalk + 'a>,
    pca: &'a Pca,
}

impl SiteWalk for ReducedWalk<'_> {
    fn read(&mut self, next: TokenWindow<'_>) -> Vec<f32> {
        self.pca.transform(&self.walk.read(next))
    }

    fn state(&self) -> Vec<f32> {
        self.walk.state()
    }

    fn resume(&mut self, state: &[f32]) -> bool {
        self.walk.resume(state)
    }
}
