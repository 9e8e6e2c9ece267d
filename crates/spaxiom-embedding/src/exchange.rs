//! Stores into files that other programs read, and vectors that other programs made into stores.

mod export;
mod import;

pub use self::export::{ExportFormat, export_store};
pub use self::import::{Imported, import_vectors};
