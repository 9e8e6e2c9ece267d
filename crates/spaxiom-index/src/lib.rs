//! Stores vectors with ids and metadata and finds the nearest.
//!
//! Takes ids, `&[f32]` and metadata, gives [`Hit`]s from a [`Store`] on disk.
//! Knows neither events nor encoders: whoever made the vectors is named by two fingerprints, which have to agree.
//!
//! SQLite is the source of truth.
//! The index file is a checksummed cache of it and is rebuilt when it is missing, stale or damaged.
//!
//! # Index kinds
//!
//! A kind decides how a store answers searches: [`Exact`] compares every vector, [`Hnsw`] searches a FAISS graph.
//! A kind is a type that implements [`IndexKind`], and a store takes any of them.
//! [`KindName`] lists the kinds that a store can be reopened with by name alone.
//!
//! # Features
//!
//! - `faiss` (default): the kind [`Hnsw`]. FAISS is compiled from source, which takes minutes and needs cmake.
//! - `clap`: [`KindName`] implements `clap::ValueEnum`.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use spaxiom_index::{Exact, Filter, Record, Store, StoreHeader};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let header = StoreHeader { dim: 2, tokenizer: "tokenizer-1".into(), encoder: "encoder-1".into() };
//! let store = Store::open_or_create(folder.path(), &header, Arc::new(Exact))?;
//! let record = |id: &str, vector: [f32; 2]| Record {
//!     id: id.into(),
//!     site: "dc-4".into(),
//!     kind: "DoorOpened".into(),
//!     zone: Some("dock_2".into()),
//!     time_ns: 1_736_158_980_000_000_000,
//!     metadata: "{}".into(),
//!     vector: vector.into(),
//! };
//! store.add(vec![record("a", [1.0, 0.0]), record("b", [0.0, 1.0])])?;
//! let hits = store.search(&[0.9, 0.1], 1, &Filter::default())?;
//! assert_eq!(hits[0].record.id, "a");
//! # Ok(())
//! # }
//! ```

mod choose;
mod error;
#[cfg(feature = "faiss")]
mod faiss;
mod filter;
mod id_set;
mod index_kind;
mod kernels;
mod kinds;
mod settings;
mod store;
mod vector_index;
mod vector_store;
mod vectors;

pub use crate::choose::{Choice, choose};
pub use crate::error::IndexError;
pub use crate::filter::{Comparison, Field, Filter, Moment, Value};
pub use crate::id_set::IdSet;
pub use crate::index_kind::{IndexFile, IndexKind, Progress};
pub use crate::kinds::{Exact, KindName, RaBitQ, RaBitQOptions};
#[cfg(feature = "faiss")]
pub use crate::kinds::{Hnsw, HnswOptions, HnswStorage, IvfPq, IvfPqOptions};
pub use crate::settings::{KindRecord, KindSettings};
pub use crate::store::{
    Added, AuditOptions, AuditReport, BuildReport, Drift, Hit, IndexState, Layout, Presence, Put, Record, Sample,
    SearchAudit, Store, StoreBytes, StoreHeader, StoreNames, StoreStats, VerifyReport,
};
pub use crate::vector_index::{FilteredIndex, Neighbor, VectorIndex};
pub use crate::vector_store::VectorStore;
pub use crate::vectors::{Rows, VectorId, VectorSource, normalize};
