//! Streams of random numbers.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A stream of the random numbers of a run.
pub(crate) fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}
