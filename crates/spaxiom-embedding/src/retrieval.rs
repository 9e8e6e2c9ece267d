//! Texts as vectors: a text encoder is trained toward the vectors of the events that a text asks for (dense passage retrieval).
//!
//! Takes a run and data, gives a run with a text encoder beside it; vectors of events stay as they are, so that stores do too.
//! Training texts come from a grammar over what is known of events: type, zone and what it is for, time, attributes, and the
//! hidden cause where labels tell it, which no filter can say.

mod corpus;
mod facts;
mod fit;
mod grammar;
mod judge;
mod report;
mod slot;
mod text_vectors;

pub use fit::{TextJob, TextSummary, fit_text};
pub use judge::{TextEvaluateOptions, evaluate_text};
pub use report::{TextReport, TextRow, TextSet};
pub use text_vectors::TextVectors;
