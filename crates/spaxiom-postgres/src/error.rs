//! What can be wrong about an address.

use spaxiom_index::IndexError;

/// Why an address is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not of the form that PostgreSQL has; the address is not repeated, since it may hold a password.
    #[error(
        "the address of a store is `postgres://USER@HOST:PORT/DATABASE`, with `?schema=NAME` behind it where there are several"
    )]
    Form(#[source] Option<tokio_postgres::Error>),
    /// A name that would have to be quoted everywhere.
    #[error("the schema `{got}` has other characters than small letters, digits and `_`, or begins with a digit")]
    Schema {
        /// The name.
        got: String,
    },
}

/// A server that cannot be reached, or refuses.
pub(crate) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> IndexError {
    IndexError::Engine(Box::new(error))
}
