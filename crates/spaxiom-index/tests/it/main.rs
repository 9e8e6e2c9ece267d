//! Tests of `spaxiom-index` through its border.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod indices;
mod store;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Unit vectors around a few centres, as embeddings of events are.
fn clustered(seed: u64, n: usize, dim: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut centres = ChaCha8Rng::seed_from_u64(99);
    let centres: Vec<f32> = (0..20 * dim).map(|_| centres.random_range(-1.0..1.0)).collect();
    let mut rows = Vec::new();
    for _ in 0..n {
        let centre = rng.random_range(0..20) * dim;
        rows.extend((0..dim).map(|i| centres[centre + i] + rng.random_range(-0.4f32..0.4)));
    }
    spaxiom_index::normalise(&mut rows, dim);
    rows
}
