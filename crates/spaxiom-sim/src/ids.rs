//! Ids that say nothing: numbers mixed until they look random.

/// Gives ids that are unique within a site and tell neither order nor meaning.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    next: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64, site_idx: u32) -> Self {
        Self { next: mixed(seed).wrapping_add(u64::from(site_idx) << 40) }
    }

    pub(crate) fn next(&mut self) -> String {
        self.next = self.next.wrapping_add(1);
        format!("{:016x}", mixed(self.next))
    }
}

/// The finaliser of splitmix64 (Steele and others 2014): different numbers stay different.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number from 0 to below 1 that these words always give.
pub(crate) fn share_of(seed: u64, words: &[&str]) -> f64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    let hash = bytes.fold(mixed(seed), |hash, byte| mixed(hash ^ u64::from(byte)));
    (hash >> 11) as f64 / 9_007_199_254_740_992.0
}
