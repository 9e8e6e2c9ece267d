//! Encoding on the CPU, without the tensors of a backend.

use std::collections::BTreeMap;

use rayon::prelude::*;
use spaxiom_encoder::{DenseLinear, EncoderError, EventEncoderInference, NamedTensor, RecurrentWalk};
use spaxiom_token::TokenWindow;

use super::interface::{CLASSIFIER, ModelShape, SiteWalk, WindowEncoder, greatest};

/// Positions that a walk reads at a time, so that their states need not all be kept.
const STRETCH: usize = 1024;

/// An encoder, with its classifier where there is one.
pub(crate) struct CpuEncoder {
    encoder: EventEncoderInference,
    goes_on: bool,
    /// As [`spaxiom_objective::Classification`] defines it.
    classifier: Option<[DenseLinear; 2]>,
}

impl CpuEncoder {
    /// None where only the tensors of a backend can do it.
    pub(crate) fn new(
        shape: &ModelShape,
        weights: &BTreeMap<String, NamedTensor>,
        n_classes: Option<usize>,
    ) -> Result<Option<Self>, EncoderError> {
        let encoder = EventEncoderInference::from_weights(&shape.encoder, &shape.layout, weights, "encoder")?;
        let Some(encoder) = encoder else { return Ok(None) };
        let d = encoder.d_model();
        let linear = |name: &str, shape| DenseLinear::from_weights(weights, &format!("{CLASSIFIER}.{name}"), shape);
        let classifier = match n_classes {
            Some(n_classes) => Some([linear("hidden", [d, d])?, linear("output", [d, n_classes])?]),
            None => None,
        };
        Ok(Some(Self { encoder, goes_on: shape.goes_on, classifier }))
    }

    /// The last vectors of windows of which each is a beginning of the next one, read once.
    fn walked(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        let mut walk = self.encoder.walk().expect("an encoder that goes on has a walk");
        let (d, mut n_read) = (self.dim(), 0);
        let mut last = Vec::new();
        let mut vectors = Vec::with_capacity(windows.len() * d);
        for window in windows {
            while n_read < window.len() {
                let end = (n_read + STRETCH).min(window.len());
                let read = walk.read(window.part(n_read..end));
                last = read[read.len() - d..].to_vec();
                n_read = end;
            }
            vectors.extend_from_slice(&last);
        }
        vectors
    }
}

impl WindowEncoder for CpuEncoder {
    fn dim(&self) -> usize {
        self.encoder.d_model()
    }

    fn max_len(&self) -> usize {
        self.encoder.max_len()
    }

    fn reach(&self) -> usize {
        if self.goes_on { usize::MAX } else { self.max_len() }
    }

    /// Windows that begin at one place are read once where they follow on each other.
    fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        if !self.goes_on || windows.iter().all(|window| window.len() <= self.max_len()) {
            return self.encoder.encode(windows);
        }
        let goes_on = |a: &TokenWindow<'_>, b: &TokenWindow<'_>| a.has_start_of(b) && a.len() <= b.len();
        let sites: Vec<&[TokenWindow<'_>]> = windows.chunk_by(goes_on).collect();
        sites.into_par_iter().flat_map_iter(|windows| self.walked(windows)).collect()
    }

    fn walk(&self) -> Option<Box<dyn SiteWalk + '_>> {
        let walk = self.encoder.walk().filter(|_| self.goes_on)?;
        Some(Box::new(walk))
    }

    fn classify(&self, windows: &[TokenWindow<'_>]) -> Option<Vec<usize>> {
        let [hidden, output] = self.classifier.as_ref()?;
        let logits = output.forward(&hidden.forward_relu(&self.encode(windows)));
        Some(logits.chunks_exact(output.d_out()).map(greatest).collect())
    }
}

impl SiteWalk for RecurrentWalk<'_> {
    fn read(&mut self, next: TokenWindow<'_>) -> Vec<f32> {
        RecurrentWalk::read(self, next)
    }

    fn state(&self) -> Vec<f32> {
        RecurrentWalk::state(self)
    }

    fn resume(&mut self, state: &[f32]) -> bool {
        RecurrentWalk::resume(self, state)
    }
}
