//! What can go wrong while a model is trained.

use std::path::PathBuf;

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
    /// An objective that could be met without learning anything, or not at all.
    #[error("the objective {objective} needs {want}")]
    Unfit {
        /// Its name.
        objective: &'static str,
        /// What it needs.
        want: &'static str,
    },
    /// A part of the split holds nothing to learn from.
    #[error(
        "the {part} part gives no example: see with `check` on which days and sites there are events, and set `[split]` in the experiment file"
    )]
    NoExamples {
        /// `training` or `validation`.
        part: &'static str,
    },
    /// Windows, but nothing that the objective could be judged by: no edges for links, one window alone for contrasts.
    #[error(
        "the objective predicts nothing for the validation part: give it more days by `[split]` in the experiment file, or choose an objective that fits these events"
    )]
    NothingPredicted,
    /// The last checkpoint is older than the bad step and can be resumed with other settings.
    #[error(
        "loss or gradient is {loss} at step {step}: lower `learning-rate` in the run's config.toml and go on with `--resume`, or start anew; a checkpoint that was written before is kept"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// The loss or the length of the gradients; not a finite number.
        loss: f64,
    },
    /// As [`ObjectiveError::Diverged`], while everything is a number yet.
    #[error(
        "the running mean of the loss is {mean:.4} at step {step} and was {least:.4} before: lower `learning-rate` in the run's config.toml and go on with `--resume`, or raise `max-rise`; a checkpoint that was written before is kept"
    )]
    Rising {
        /// The step.
        step: u64,
        /// The running mean.
        mean: f64,
        /// The lowest that it was.
        least: f64,
    },
    /// The checkpoint has the tensors of a run, but not its state.
    #[error("the checkpoint does not say where its run stopped")]
    State(#[source] serde_json::Error),
    /// Apart from damage: another build of the program reads it.
    #[error("`{path}` has checkpoint format {found}, this build reads {want}: start the run anew")]
    CheckpointFormat {
        /// The file.
        path: PathBuf,
        /// The number in the file.
        found: u32,
        /// The number of this build.
        want: u32,
    },
    /// Weights that cannot be read, written or applied.
    #[error(transparent)]
    Weights(#[from] EncoderError),
    /// What gives examples or finds neighbors has failed; the source is its own error.
    #[error(transparent)]
    Given(Box<dyn std::error::Error + Send + Sync>),
    /// The system gives no more threads.
    #[error("threads for the copies of the encoder cannot be started: set fewer `replicas` in `[train]`")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// The checkpoint cannot be written; the one before it is kept.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl ObjectiveError {
    /// Fails with the first setting that is out of range: its name, the range, whether it is in it, its value.
    pub(crate) fn first_broken(
        rules: impl IntoIterator<Item = (&'static str, &'static str, bool, String)>,
    ) -> Result<(), Self> {
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, want, _, got)) => Err(Self::Setting { name, want, got }),
            None => Ok(()),
        }
    }
}
