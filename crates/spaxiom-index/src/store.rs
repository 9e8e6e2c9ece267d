//! The store on disk: a database of records, a file of vectors, and an index that is a cache of both.

mod audit;
mod building;
mod cache;
mod columns;
mod filtering;
mod handle;
mod header;
mod hot;
mod layout;
mod open;
mod record;
mod report;
mod rows;
mod scan;
mod search;
mod snapshot;
mod upkeep;
mod vector_file;
mod view;
mod write;

pub use self::audit::{AuditOptions, AuditReport, Drift, SearchAudit};
pub use self::building::IndexState;
pub use self::handle::Store;
pub use self::header::StoreHeader;
pub use self::layout::Layout;
pub use self::record::{Added, Hit, Presence, Put, Record, Sample, StoreNames};
pub use self::report::{BuildReport, StoreBytes, StoreStats, VerifyReport};
