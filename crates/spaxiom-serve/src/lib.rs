//! Answers about a store: when did something like this happen before, and what came of it?
//!
//! Takes a pipeline over a store ([`Desk`]); gives answers as values, to agents by the Model Context Protocol
//! ([`serve_mcp`]) and to programs by HTTP ([`serve_http`]). Reads alone: nothing here writes into the store.
//! The questions are asked on threads of their own, since a search computes. Knows no tensors and no index.
//! Beyond this machine it answers to those alone who have a token ([`Tokens`]).

mod desk;
mod error;
mod http;
mod mcp;
mod metrics;
mod openapi;
mod page;
mod tokens;

pub use crate::desk::{
    AlertRow, Alerts, AlertsAsked, Context, ContextAsked, CountAsked, Counted, Counts, Desk, EmbeddingsAsked, EventRow,
    ExplainAsked, Explained, Found, Hit, PairRow, Provenance, SearchAsked, SimilarAsked, StoreDescription, Usual,
};
pub use crate::error::ServeError;
pub use crate::http::serve_http;
pub use crate::mcp::{Agent, serve_mcp};
pub use crate::metrics::serve_metrics;
pub use crate::tokens::Tokens;
