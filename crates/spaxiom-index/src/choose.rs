//! Which kind of index suits a store.

use serde::Serialize;

use crate::kinds::KindName;
use crate::settings::KindRecord;

/// Vectors of so many bytes in single precision are compared one by one within about ten milliseconds.
const EXACT_BYTES: u64 = 64 << 20;

/// Bytes that a graph takes beside each vector: links, their places and the id.
const GRAPH_BYTES: u64 = 2 * 32 * 4 + 24;

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
/// A small store is searched exactly, a larger one by a graph if that fits, and else by codes of one bit per value.
#[must_use]
pub fn choose(n_vectors: usize, dim: usize, memory_bytes: u64) -> Choice {
    let (n, dim) = (n_vectors as u64, dim as u64);
    let (bytes, graph_bytes) = (n * dim * 4, n * (dim * 4 + GRAPH_BYTES));
    let choice = |name: KindName, why: String| Choice { kind: KindRecord::from(name), why };
    if bytes <= EXACT_BYTES {
        let why = format!("{} of vectors are compared within milliseconds, and nothing is missed", size(bytes));
        return choice(KindName::Exact, why);
    }
    if cfg!(feature = "faiss") && graph_bytes <= memory_bytes {
        let why = format!("a graph of {} fits into {} of memory", size(graph_bytes), size(memory_bytes));
        return choice(KindName::Hnsw, why);
    }
    let what = if cfg!(feature = "faiss") {
        format!("a graph of {} does not fit into {} of memory", size(graph_bytes), size(memory_bytes))
    } else {
        "this build has no graphs".into()
    };
    choice(KindName::RaBitQ, format!("{what}; codes take {}", size(n * (dim / 8 + 12))))
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
        if cfg!(feature = "faiss") {
            check(30_000, 768, 4, "hnsw");
            check(1_000_000, 768, 4, "hnsw");
        }
        check(1_000_000, 768, 2, "rabitq");
    }
}
