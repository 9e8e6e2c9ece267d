//! The file of the ingest benchmark.

use sha2::{Digest, Sha256};
use spaxiom_sim::write_benchmark_events;

#[test]
fn the_benchmark_file_is_that_of_the_python_generator() {
    let mut bytes = Vec::new();
    write_benchmark_events(&mut bytes, 2_000, 1).unwrap();
    // Length and digest as `gen_events.py 2000 FILE 1` prints them.
    assert_eq!(bytes.len(), 368_702);
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(digest, "eccd9a9fb7c682f8e55f6c7eb6c38b44f4741aed37754c5162e17c70bd42aa28");
}
