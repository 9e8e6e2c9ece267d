//! Tests of `spaxiom-event` through its border.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod casas;
mod jsonl;
mod labels;
mod log;
