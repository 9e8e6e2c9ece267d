//! The desk: every question, one file each, and the types of questions and answers.

mod alerts;
mod answers;
mod asked;
mod context;
mod count;
mod describe;
mod embed;
mod explain;
mod search;
mod state;

pub use self::answers::{
    AlertRow, Alerts, Context, Counted, Counts, EventRow, Explained, Found, Hit, PairRow, Provenance, StoreDescription,
    Usual,
};
pub use self::asked::{
    AlertsAsked, ContextAsked, CountAsked, EmbeddingsAsked, ExplainAsked, SearchAsked, SimilarAsked,
};
pub use self::state::Desk;
