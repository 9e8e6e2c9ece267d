//! Encoding on the CPU, without the tensors of a backend.

use std::collections::BTreeMap;

use spaxiom_encoder::{DenseLinear, EncoderError, EventEncoderInference, NamedTensor};
use spaxiom_token::TokenWindow;

use super::interface::{CLASSIFIER, ModelShape, WindowEncoder, greatest};

/// An encoder, with its classifier where there is one.
pub(crate) struct CpuEncoder {
    encoder: EventEncoderInference,
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
        Ok(Some(Self { encoder, classifier }))
    }
}

impl WindowEncoder for CpuEncoder {
    fn dim(&self) -> usize {
        self.encoder.d_model()
    }

    fn max_len(&self) -> usize {
        self.encoder.max_len()
    }

    fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        self.encoder.encode(windows)
    }

    fn classify(&self, windows: &[TokenWindow<'_>]) -> Option<Vec<usize>> {
        let [hidden, output] = self.classifier.as_ref()?;
        let logits = output.forward(&hidden.forward_relu(&self.encode(windows)));
        Some(logits.chunks_exact(output.d_out()).map(greatest).collect())
    }
}
