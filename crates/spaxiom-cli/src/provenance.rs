//! Which program makes a run.

use spaxiom_embedding::Provenance;

/// This program; `cargo xtask` sets `SPAXIOM_COMMIT`.
#[expect(clippy::disallowed_methods, reason = "the program is where the environment is read")]
pub(crate) fn provenance() -> Provenance {
    Provenance { version: env!("CARGO_PKG_VERSION").into(), commit: std::env::var("SPAXIOM_COMMIT").ok() }
}
