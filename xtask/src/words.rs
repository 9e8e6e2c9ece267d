//! The words of xtask itself.

/// Commands of xtask; every other word is handed to `spaxiom-embed`.
pub(crate) const OWN: [&str; 6] = ["setup", "check", "test", "test-backends", "soak", "reproduce"];
