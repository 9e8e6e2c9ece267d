//! A real PostgreSQL with pgvector, beside a store in a folder that is given the same.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod same;
mod server;
mod trouble;
