//! Tests of `spaxiom-eval` through its border.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

#[cfg(feature = "boosting")]
mod boosting;
mod figures;
mod heads;
mod logistic;
mod split;
