//! Index figures: build time, recall against exact search, and the time from one event to ten hits.

use spaxiom_eval::{latency, recall_overlap};
use spaxiom_index::{Exact, IndexKind, KindName, KindSettings, Neighbor, Rows, VectorId, normalize};
use spaxiom_token::TokenWindow;

use super::features::Features;
use super::report::IndexFigures;
use crate::error::EmbeddingError;

const K: usize = 10;

/// Calls before the first one that counts.
const N_WARMUP: usize = 5;

/// `encode` makes the vector of a query, given its place in the gallery and its window.
pub(super) fn measure(
    encode: &dyn Fn(usize, &TokenWindow<'_>) -> Vec<f32>,
    gallery: &Features,
    queries: &[(usize, TokenWindow<'_>)],
    now_secs: &dyn Fn() -> f64,
) -> Result<IndexFigures, EmbeddingError> {
    let Features::Dense { values, dim } = gallery.unit() else { unreachable!("an encoder gives dense vectors") };
    let ids: Vec<VectorId> = (0..).map(VectorId).take(values.len() / dim).collect();
    let rows = Rows::new(dim, &ids, &values)?;
    let exact = Exact.build(&rows, &())?;
    let kind = KindName::default().open(&KindSettings::default())?;
    let start = now_secs();
    let index = kind.build(&rows, &())?;
    let build_secs = now_secs() - start;
    let (mut times_ms, mut recalls) = (Vec::new(), Vec::new());
    for (number, (own, window)) in queries.iter().enumerate() {
        let start = now_secs();
        let mut vector = encode(*own, window);
        normalize(&mut vector, dim);
        let hits = index.search(&vector, K + 1)?;
        if number >= N_WARMUP {
            times_ms.push((now_secs() - start) * 1e3);
        }
        recalls.push(recall_overlap(&others(&exact.search(&vector, K + 1)?, *own), &others(&hits, *own)));
    }
    Ok(IndexFigures {
        n_vectors: ids.len(),
        dim,
        build_secs,
        hnsw_recall_at_10: recalls.iter().sum::<f64>() / recalls.len() as f64,
        hnsw_recall_at_10_min: recalls.iter().copied().fold(1.0, f64::min),
        encode_and_search: latency(times_ms),
    })
}

/// The ten nearest but the query itself, which every index finds.
fn others(hits: &[Neighbor], own: usize) -> Vec<(i64, f32)> {
    let others = hits.iter().filter(|hit| usize::try_from(hit.id.0) != Ok(own));
    others.take(K).map(|hit| (hit.id.0, hit.similarity)).collect()
}
