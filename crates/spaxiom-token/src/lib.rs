//! Turns event sequences into token sequences.
//!
//! Takes [`spaxiom_event::EventSequence`], gives [`TokenSequence`]: rows of token ids, and values beside them.
//! What a row is decides the [`Layout`]: an event with one id per field, one token, or a stretch of time.
//! Knows no tensors and no files: the same events and the same [`Tokenizer`] give the same ids on every machine.
//! Ids, entities and labels never become tokens.
//!
//! # Example
//!
//! ```
//! use spaxiom_event::{Event, group_by_site};
//! use spaxiom_token::{Tokenizer, TokenizerOptions};
//!
//! let event = |zone| Event::from_json(&format!(r#"{{"type": "DoorOpened", "zone": "{zone}", "time": 0}}"#));
//! let sequences = group_by_site([event("hall")?, event("dock")?]);
//! let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), &sequences)?;
//! let tokens = tokenizer.tokenize(&sequences[0]);
//! let row = tokens.window(1, 2).ids();
//! assert_eq!(tokenizer.decode(&row).zone.as_deref(), Some("dock"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `clap`: layouts are values of a command line.

mod augment;
mod bins;
mod clock;
mod encode;
mod entity;
mod error;
mod field;
mod fit;
mod format;
mod links;
mod memory;
mod modality;
mod number;
mod sequence;
mod sites;
mod spatial;
pub mod special;
mod table;
mod temporal;
mod tfidf;
mod tokenize_table;
mod tokenizer;
mod vocabulary;
mod word_pieces;

pub use crate::augment::{AugmentOptions, Augmenter, EventSpan};
pub use crate::bins::discretize;
pub use crate::clock::time_bucket;
pub use crate::encode::TokenStream;
pub use crate::entity::{EntityMemory, EntityMemoryOptions, EntityState};
pub use crate::error::TokenError;
pub use crate::field::{Coding, Field, WordAttribute};
pub use crate::fit::{CellReport, Clock, FitReport, LayoutName, TokenizerFit, TokenizerOptions};
pub use crate::links::{Edge, EdgeType, LinkOptions};
pub use crate::memory::{ClockedMemory, MemoryOptions, MemoryReader, MemoryState, MemoryStream};
pub use crate::modality::Modality;
pub use crate::number::{NumberColumn, NumberSource};
pub use crate::sequence::{TokenSequence, TokenWindow};
pub use crate::sites::Sites;
pub use crate::spatial::{CellOptions, Pool, SpatialCell, spatial_hash};
pub use crate::table::{EventTable, SequenceRows};
pub use crate::temporal::{BinCounts, TemporalBins};
pub use crate::tfidf::{SparseVector, Tfidf};
pub use crate::tokenize_table::TokenTable;
pub use crate::tokenizer::{DecodedEvent, FORMAT, Layout, Tokenizer};
pub use crate::vocabulary::WordList;
pub use crate::word_pieces::{WordPieces, spoken};
