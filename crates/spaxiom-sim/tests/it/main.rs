//! Tests of `spaxiom-sim` through its border.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod benchmark;
mod queue;
mod small_world;
mod warehouse;
