//! Which kind of index suits a store.

use serde::Serialize;

use crate::index_kind::IndexKind;
use crate::kinds::{KindName, RaBitQ};
use crate::settings::KindRecord;

/// Vectors of so many bytes in single precision are compared one by one within about ten milliseconds.
const EXACT_BYTES: u64 = 64 << 20;

/// A kind, and why it was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The kind with its default settings.
    pub kind: KindRecord,
    /// The reason, for a person.
    pub why: String,
}

/// Chooses a kind for `n_vectors` of `dim` values that may take `memory_bytes` of memory while they are searched.
///
/// A small store is searched exactly, and a larger one by codes of one bit per value, or more where there are few values.
/// Graphs are faster and are chosen by name: on vectors in clusters they find less, at thirty times the memory
/// and twenty times the time to build (`bench --workload index`).
#[must_use]
pub fn choose(n_vectors: usize, dim: usize, memory_bytes: u64) -> Choice {
    let (n, dim) = (n_vectors as u64, dim as u64);
    let bytes = n * dim * 4;
    if bytes <= EXACT_BYTES {
        let why = format!("{} of vectors are compared within milliseconds, and nothing is missed", size(bytes));
        return Choice { kind: KindRecord::from(KindName::Exact), why };
    }
    // Estimates err by about 1 / sqrt(bits of a code): narrow vectors have more bits per value.
    let bits = if dim >= 512 {
        1
    } else if dim >= 192 {
        2
    } else {
        4
    };
    let code_bytes = n * (bits * dim / 8 + 12);
    let fits = if code_bytes <= memory_bytes { "fit into" } else { "are more than" };
    let (all, codes, memory) = (size(bytes), size(code_bytes), size(memory_bytes));
    let why = format!("{all} of vectors are too many to compare; codes of {codes} {fits} {memory} of memory");
    let mut settings = RaBitQ::default().settings();
    settings.replace("bits", bits);
    Choice { kind: KindRecord::new(KindName::RaBitQ.as_str(), settings), why }
}

fn size(bytes: u64) -> String {
    let mega = bytes as f64 / f64::from(1 << 20);
    if mega < 1_000.0 { format!("{mega:.0} MB") } else { format!("{:.1} GB", mega / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn a_kind_is_chosen_by_count_width_and_memory() {
        let check = |n, dim, memory: u64, want: &str| {
            let choice = choose(n, dim, memory << 30);
            assert_eq!(choice.kind.name(), want, "{}", choice.why);
        };
        check(0, 768, 4, "exact");
        check(20_000, 768, 4, "exact");
        check(72_000, 128, 4, "exact");
        check(30_000, 768, 4, "rabitq");
        check(1_000_000, 768, 4, "rabitq");
    }
}
