//! What can go wrong while a model is trained.

use spaxiom_encoder::EncoderError;

/// Why training cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectiveError {
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
    /// A part of the split holds nothing to learn from.
    #[error("the {part} part gives no example")]
    NoExamples {
        /// `training` or `validation`.
        part: &'static str,
    },
    /// The last checkpoint is older than the bad step and can be resumed with other settings.
    #[error("the loss is {loss} at step {step}: try a lower learning rate; the checkpoint before it is kept")]
    Diverged {
        /// The step.
        step: u64,
        /// Not a finite number.
        loss: f64,
    },
    /// The checkpoint has the tensors of a run, but not its state.
    #[error("the checkpoint does not say where its run stopped")]
    State(#[source] serde_json::Error),
    /// Weights that cannot be read, written or applied.
    #[error(transparent)]
    Weights(#[from] EncoderError),
    /// The checkpoint cannot be written; the one before it is kept.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
