//! What can go wrong with a question.

use spaxiom_embedding::{EmbeddingError, IndexError};
use spaxiom_stream::StreamError;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A question that cannot be asked so; says what is wanted.
    #[error("{0}")]
    Asked(String),
    /// A file that says who may ask, and does not.
    #[error("the file of tokens: {what}; `serve --new-token NAME` makes a token and the lines for it")]
    Tokens {
        /// What is wrong with it.
        what: String,
    },
    /// An address that would answer to anybody.
    #[error(
        "`{address}` can be reached from other machines: say by `--tokens FILE` who may ask (`serve --new-token NAME` makes a token), or listen on 127.0.0.1"
    )]
    Open {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// What makes vectors, or searches.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    /// The store.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// What takes events in.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The network.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl ServeError {
    /// Whether another question may have an answer: it is not the server's fault.
    #[must_use]
    pub fn is_of_question(&self) -> bool {
        match self {
            Self::Asked(_) => true,
            Self::Index(error) => matches!(error, IndexError::NothingPasses { .. } | IndexError::FilterSyntax { .. }),
            Self::Embedding(EmbeddingError::Index(error)) => {
                matches!(error, IndexError::NothingPasses { .. } | IndexError::FilterSyntax { .. })
            }
            Self::Embedding(error) => matches!(
                error,
                EmbeddingError::NoSuchEvent { .. }
                    | EmbeddingError::NothingUnderstood { .. }
                    | EmbeddingError::NothingThen { .. }
            ),
            Self::Open { .. } | Self::Tokens { .. } | Self::Stream(_) | Self::Io(_) => false,
        }
    }
}
