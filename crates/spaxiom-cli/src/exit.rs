//! Exit codes.

use std::process::ExitCode;

use spaxiom_embedding::{EmbeddingError, EventError};

/// Words on the command line that do not go together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUse(pub(crate) String);

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    WrongUse,
    SomeRejected,
    Interrupted,
}

impl Exit {
    /// Done, but not with all of the input.
    pub(crate) fn of_rejected(n_rejected: u64, strict: bool) -> Self {
        match (n_rejected, strict) {
            (0, _) => Self::Done,
            (_, true) => Self::Failed,
            (_, false) => Self::SomeRejected,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::WrongUse => 2,
            Exit::SomeRejected => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// Wrong names on the command line are wrong use; everything else has failed.
pub(crate) fn of_error(error: &anyhow::Error) -> Exit {
    if error.is::<WrongUse>() {
        return Exit::WrongUse;
    }
    let of_events = error.chain().find_map(|cause| cause.downcast_ref::<EventError>());
    if let Some(EventError::ColumnsNotUsed { .. } | EventError::UnknownMapping { .. }) = of_events {
        return Exit::WrongUse;
    }
    match error.downcast_ref::<EmbeddingError>() {
        Some(EmbeddingError::UnknownBackend { .. } | EmbeddingError::NotCompiledIn { .. }) => Exit::WrongUse,
        _ => Exit::Failed,
    }
}
