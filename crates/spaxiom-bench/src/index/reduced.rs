//! Vectors with a sixth of their values, by principal components: how much faster, and what is found.

use std::path::Path;
use std::sync::Arc;

use spaxiom_embedding::{Exact, Filter, Store, StoreHeader, StoreRecord};
use spaxiom_encoder::Pca;

use super::queries::Truth;
use super::vectors::{self, DIM, Vectors};
use crate::timing::{median, now};

const N_COMPONENTS: usize = 128;

/// Vectors that components are fitted to.
const N_FITTED: usize = 10_000;

const K: usize = 10;

/// Queries that are timed.
const N_QUERIES: usize = 50;

/// Figures of a store of reduced vectors.
pub(super) struct Reduced {
    pub(super) p50_ms: f64,
    pub(super) recall_mean: f64,
}

/// Searches the components of vectors exactly; hits are judged by whole vectors.
pub(super) fn reduced(folder: &Path, whole: &Store, vectors: &Vectors, truth: &Truth) -> anyhow::Result<Reduced> {
    let rows = vectors.rows();
    let pca = Pca::fit(&rows[..rows.len().min(N_FITTED * DIM)], DIM, N_COMPONENTS)?;
    let folder = tempfile::tempdir_in(folder)?;
    let header = StoreHeader { dim: N_COMPONENTS, ..vectors::header() };
    let store = Store::open_or_create(folder.path(), &header, Arc::new(Exact))?;
    let mut first = 0;
    for block in rows.chunks(4_096 * DIM) {
        let records: Vec<StoreRecord> = pca
            .transform(block)
            .chunks_exact(N_COMPONENTS)
            .zip(first..)
            .map(|(vector, at)| vectors::record(at, 0, vector))
            .collect();
        first += store.add(records)?;
    }
    let asked = &truth.asked[0];
    let (mut times_ms, mut n_near, mut n_hits) = (Vec::new(), 0, 0);
    for (query, least) in asked.queries().iter().zip(&asked.least).take(N_QUERIES) {
        let reduced = pca.transform(query);
        let start = now();
        let hits = store.search(&reduced, K, &Filter::All)?;
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        for hit in hits {
            let vector = whole.get(&hit.record.id)?.map(|record| record.vector).unwrap_or_default();
            let length: f32 = query.iter().map(|value| value * value).sum::<f32>().sqrt();
            let similarity: f32 = query.iter().zip(&vector).map(|(a, b): (&f32, &f32)| a * b).sum::<f32>() / length;
            n_near += usize::from(similarity >= least - 1e-4);
            n_hits += 1;
        }
    }
    // The first search reads what the others find in memory.
    Ok(Reduced {
        p50_ms: median(times_ms.into_iter().skip(1)),
        recall_mean: f64::from(u32::try_from(n_near)?) / f64::from(n_hits),
    })
}
