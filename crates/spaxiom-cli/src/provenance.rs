//! Which program makes a run.

use spaxiom_embedding::Provenance;

/// This program; `cargo xtask` sets `SPAXIOM_COMMIT`.
pub(crate) fn provenance() -> Provenance {
    Provenance { version: env!("CARGO_PKG_VERSION").into(), commit: std::env::var("SPAXIOM_COMMIT").ok() }
}
