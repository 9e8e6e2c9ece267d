//! Exit codes.

use std::process::ExitCode;

use spaxiom_embedding::EmbeddingError;

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
    match error.downcast_ref::<EmbeddingError>() {
        Some(EmbeddingError::UnknownBackend { .. } | EmbeddingError::NotCompiledIn { .. }) => Exit::WrongUse,
        _ => Exit::Failed,
    }
}
