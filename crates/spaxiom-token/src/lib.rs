//! Turns event sequences into token sequences.
//!
//! Takes [`spaxiom_event::EventSequence`], gives [`TokenSequence`]: one position per event, one token id per field.
//! Knows no tensors and no files: the same events and the same [`Tokenizer`] give the same ids on every machine.
//! Ids, entities and labels never become tokens.

mod error;
mod field;
mod fit;
mod sequence;
mod spatial;
pub mod special;
mod table;
mod tfidf;
mod tokenize_table;
mod tokenizer;

pub use crate::error::TokenError;
pub use crate::field::{Coding, Field};
pub use crate::fit::{Clock, TokenizerOptions};
pub use crate::sequence::{TokenSequence, TokenWindow};
pub use crate::spatial::{SpatialCell, spatial_hash};
pub use crate::table::EventTable;
pub use crate::tfidf::{SparseVector, Tfidf};
pub use crate::tokenize_table::TokenTable;
pub use crate::tokenizer::{FORMAT, Tokenizer};
