//! Vectors with ids and metadata to hits.
//!
//! Takes ids, `&[f32]` and metadata, gives [`Hit`]s: by exact search, by FAISS HNSW, or out of a [`Store`] on disk.
//! Knows neither events nor encoders; whoever made the vectors is named by two fingerprints that have to agree.
//!
//! SQLite holds the truth. The FAISS file is a cache of it with a checksum, and is built again when it is missing,
//! old or damaged.

mod error;
mod exact;
mod faiss;
mod hnsw;
mod store;
mod vector_index;

pub use crate::error::IndexError;
pub use crate::exact::ExactIndex;
pub use crate::hnsw::{HnswIndex, HnswOptions};
pub use crate::store::{BuildReport, Filter, Hit, IndexKind, Record, Store, StoreHeader, StoreStats, VerifyReport};
pub use crate::vector_index::{Neighbour, VectorId, VectorIndex, normalise};
