//! Answers about a store: when did something like this happen before, and what came of it?
//!
//! Takes a pipeline over a store ([`Desk`]); gives answers as values, to agents by the Model Context Protocol
//! ([`serve_mcp`]) and to programs and people by HTTP ([`serve_http`]). The questions are asked on threads of their own,
//! since a search computes. Where it is allowed to, one thread ([`Writer`]) takes in events and acknowledgements of alerts,
//! as a stream does. Knows no tensors and no index.
//! Beyond this machine it answers to those alone who have a token ([`Tokens`]), about what that is for.

mod desk;
mod error;
mod http;
mod mcp;
mod metrics;
mod openapi;
mod page;
mod tokens;
mod writer;

pub use crate::desk::{
    AckAsked, AlertRow, Alerts, AlertsAsked, Context, ContextAsked, CountAsked, Counted, Counts, Desk, EmbeddingsAsked,
    EventRow, ExplainAsked, Explained, FloorPlan, Found, Hit, LabelAsked, LabelRow, Labels, LayoutAsked, MapOfMoments,
    PairRow, PlanAsked, PlanZone, Provenance, SearchAsked, SimilarAsked, StoreDescription, Usual, Verdict,
};
pub use crate::error::ServeError;
pub use crate::http::{Server, serve_http};
pub use crate::mcp::{Agent, serve_mcp};
pub use crate::metrics::serve_metrics;
pub use crate::tokens::{Asker, Right, Tokens};
pub use crate::writer::{OpenSinks, Writer, WriterOptions};
