//! Tests of `spaxiom-token` through its border.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod augment;
mod entity;
mod layouts;
mod links;
mod memory;
mod numbers;
mod sites;
mod table;
mod tfidf;
mod tokenizer;
mod word_pieces;
