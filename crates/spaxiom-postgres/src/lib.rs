//! Stores of vectors in PostgreSQL with pgvector: the same records, filters and hits as a store in a folder, for many
//! programs on many machines.
//!
//! Takes an address, gives a [`spaxiom_index::VectorStore`]. Inside it is asynchronous, outside it is not.
//! Knows no events, encoders or files of its own.
//!
//! ```no_run
//! use spaxiom_index::{Filter, StoreHeader, VectorStore};
//! use spaxiom_postgres::{PostgresAddress, PostgresStore};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let address: PostgresAddress = "postgres://spaxiom@db.example/buildings?schema=warehouses".parse()?;
//! let header = StoreHeader { dim: 128, tokenizer: "t".into(), encoder: "e".into() };
//! let store = PostgresStore::create(&address.with_password("from a file"), &header)?;
//! let hits = store.search(&[0.1; 128], 10, &Filter::kind("QueueFormed"))?;
//! # let _ = hits;
//! # Ok(())
//! # }
//! ```

mod address;
mod condition;
mod connection;
mod error;
mod read;
mod rows;
mod schema;
mod search;
mod store;
mod write;

pub use crate::address::PostgresAddress;
pub use crate::error::AddressError;
pub use crate::store::PostgresStore;
