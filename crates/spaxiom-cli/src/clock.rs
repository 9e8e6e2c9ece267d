//! The clock of the program; everything below takes times from here.

use std::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the program is where times come from")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of the world, UTC.
#[expect(clippy::disallowed_methods, reason = "the program is where times come from")]
pub(crate) fn utc() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
