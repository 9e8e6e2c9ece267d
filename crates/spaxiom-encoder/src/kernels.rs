//! The arithmetic of the CPU, on slices of 32-bit floats: forward for encoding, forward and backward for training.
//!
//! Knows neither burn nor windows. Every kernel has an oracle in 64 bits (`tests.rs`), and every row of a result is the same
//! to the last bit whatever rows are computed beside it and however many threads share the work (`tests/it/invariance.rs`).
#![cfg_attr(not(feature = "flex"), allow(dead_code, reason = "gradients are for training on the flex backend"))]

pub(crate) mod attention;
pub(crate) mod functions;
pub(crate) mod gelu;
pub(crate) mod gradients;
pub(crate) mod gru;
pub(crate) mod layer_norm;
pub(crate) mod linear;
pub(crate) mod lookup;
pub(crate) mod lstm;
pub(crate) mod pool;
pub(crate) mod product;
mod recurrent;
pub(crate) mod rotary;
mod simd;
mod softmax;

#[cfg(test)]
mod tests;
