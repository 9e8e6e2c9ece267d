//! Tests of the public API of `spaxiom-index`.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod filters;
#[cfg(feature = "faiss")]
mod indices;
mod kinds;
mod life;
#[cfg(feature = "faiss")]
mod store;
#[cfg(not(feature = "faiss"))]
mod without_faiss;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Unit vectors around a few centers, as embeddings of events are.
fn clustered(seed: u64, n: usize, dim: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut centers = ChaCha8Rng::seed_from_u64(99);
    let centers: Vec<f32> = (0..20 * dim).map(|_| centers.random_range(-1.0..1.0)).collect();
    let mut rows = Vec::new();
    for _ in 0..n {
        let center = rng.random_range(0..20) * dim;
        rows.extend((0..dim).map(|i| centers[center + i] + rng.random_range(-0.4f32..0.4)));
    }
    spaxiom_index::normalize(&mut rows, dim);
    rows
}
