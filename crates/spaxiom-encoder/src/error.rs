//! What can go wrong around encoders.

use std::path::PathBuf;

/// Why an encoder cannot be made or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// A setting outside its range.
    #[error("`{name}` has to be {want}, got {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The range.
        want: &'static str,
        /// The value.
        got: String,
    },
    /// The weight file cannot be opened, read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Truncated or overwritten: another copy is needed.
    #[error("`{path}` is damaged: not a complete safetensors file")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The file comes from an encoder with other parts.
    #[error("the weights have no tensor `{name}`")]
    MissingTensor {
        /// The tensor.
        name: String,
    },
    /// The file comes from an encoder of another size.
    #[error("tensor `{name}` has the shape {} in the file, the encoder wants {}", shape(got), shape(want))]
    Shape {
        /// The tensor.
        name: String,
        /// Shape of the encoder.
        want: Vec<usize>,
        /// Shape in the file.
        got: Vec<usize>,
    },
}

impl EncoderError {
    /// Fails with the first of these settings that is 0.
    pub(crate) fn at_least_one(settings: &[(&'static str, usize)]) -> Result<(), Self> {
        match settings.iter().find(|(_, value)| *value == 0) {
            Some(&(name, _)) => Err(Self::Setting { name, want: "1 or more", got: "0".into() }),
            None => Ok(()),
        }
    }

    /// Fails where `part` does not divide `whole`.
    pub(crate) fn divides(name: &'static str, want: &'static str, part: usize, whole: usize) -> Result<(), Self> {
        if whole.is_multiple_of(part) { Ok(()) } else { Err(Self::Setting { name, want, got: part.to_string() }) }
    }
}

/// `64 x 512`.
fn shape(sizes: &[usize]) -> String {
    sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ")
}
