//! How well a store answers: recall and latency against exact search, and how far new vectors have moved from old ones.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::error::IndexError;
use crate::filter::Filter;
use crate::id_set::IdSet;
use crate::store::handle::{Shared, Store};
use crate::store::record::Hit;
use crate::store::scan::Asked;
use crate::store::view::View;
use crate::vectors::VectorId;

/// Two similarities that differ by less are those of a tie.
const TIE: f32 = 1e-5;

/// The last vectors of a store that are compared with those before: one in so many.
const NEW: usize = 10;

/// What an audit asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditOptions {
    /// Queries of each kind; 100 by default.
    pub n_queries: usize,
    /// Hits of each; 10 by default.
    pub k: usize,
    /// Seed of the out-of-distribution queries.
    pub seed: u64,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { n_queries: 100, k: 10, seed: 0 }
    }
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditReport {
    /// Stored vectors as queries.
    pub stored: SearchAudit,
    /// Out-of-distribution queries: stored vectors with their values shuffled.
    pub out_of_distribution: SearchAudit,
    /// Old and new vectors; none for a store of fewer than a hundred.
    pub drift: Option<Drift>,
}

/// Searches beside exact ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SearchAudit {
    /// Number of queries.
    pub n_queries: usize,
    /// Share of hits that are as near as the last exact one, the mean over queries.
    pub recall_mean: f64,
    /// The same of the query at the fifth percentile.
    pub recall_p5: f64,
    /// The same of the worst query.
    pub recall_min: f64,
    /// Median milliseconds of a search.
    pub p50_ms: f64,
    /// Milliseconds that 99 of 100 searches take at most.
    pub p99_ms: f64,
}

/// Similarity to the nearest of the older nine tenths of a store.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drift {
    /// Of older vectors, to another one; the mean.
    pub old: f32,
    /// Of the newest tenth. Much lower than that of older ones: what happens now did not happen before.
    pub new: f32,
}

impl Store {
    /// Measures recall, latency and drift; `now_secs` is a clock.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn audit(&self, options: AuditOptions, now_secs: &dyn Fn() -> f64) -> Result<AuditReport, IndexError> {
        let view = self.shared.view()?;
        let rows: Vec<VectorId> = view.live().iter().collect();
        let stored = spread(&rows, options.n_queries).map(|id| vector(&view, id)).collect::<Result<Vec<_>, _>>()?;
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let outside: Vec<Vec<f32>> = stored.iter().map(|vector| shuffled(vector, &mut rng)).collect();
        Ok(AuditReport {
            stored: self.searched(&stored, options.k, now_secs)?,
            out_of_distribution: self.searched(&outside, options.k, now_secs)?,
            drift: self.shared.drift(&view, &rows, options.n_queries)?,
        })
    }

    fn searched(&self, queries: &[Vec<f32>], k: usize, now_secs: &dyn Fn() -> f64) -> Result<SearchAudit, IndexError> {
        let (mut recalls, mut times_ms) = (Vec::new(), Vec::new());
        for query in queries {
            let start = now_secs();
            let found = self.search(query, k, &Filter::All)?;
            times_ms.push((now_secs() - start) * 1e3);
            recalls.push(recall(&found, &self.search_exactly(query, k, &Filter::All)?));
        }
        recalls.sort_by(f64::total_cmp);
        times_ms.sort_by(f64::total_cmp);
        let at = |values: &[f64], percent: usize| values.get(values.len() * percent / 100).copied().unwrap_or(f64::NAN);
        Ok(SearchAudit {
            n_queries: queries.len(),
            // Nothing is missed where nothing is asked.
            recall_mean: if recalls.is_empty() { 1.0 } else { recalls.iter().sum::<f64>() / recalls.len() as f64 },
            recall_p5: at(&recalls, 5),
            recall_min: at(&recalls, 0),
            p50_ms: at(&times_ms, 50),
            p99_ms: at(&times_ms, 99),
        })
    }
}

impl Shared {
    fn drift(&self, view: &View, rows: &[VectorId], n_sampled: usize) -> Result<Option<Drift>, IndexError> {
        let n_old = rows.len() - rows.len() / NEW;
        if rows.len() < 10 * NEW {
            return Ok(None);
        }
        let old: IdSet = rows[..n_old].iter().copied().collect();
        let nearest = |id: VectorId| -> Result<f32, IndexError> {
            let query = vector(view, id)?;
            let found = self.exactly(view, 0, Asked { query: &query, k: 2, among: Some(&old) })?;
            Ok(found.into_iter().find(|found| found.id != id).map_or(0.0, |found| found.similarity))
        };
        let mean = |rows: &[VectorId]| -> Result<f32, IndexError> {
            let similarities = spread(rows, n_sampled).map(nearest).collect::<Result<Vec<f32>, _>>()?;
            Ok(similarities.iter().sum::<f32>() / similarities.len() as f32)
        };
        Ok(Some(Drift { old: mean(&rows[..n_old])?, new: mean(&rows[n_old..])? }))
    }
}

/// Rows that lie evenly spread, at most `n`.
fn spread(rows: &[VectorId], n: usize) -> impl Iterator<Item = VectorId> {
    let n = n.min(rows.len());
    (0..n).map(move |number| rows[number * rows.len() / n])
}

fn vector(view: &View, id: VectorId) -> Result<Vec<f32>, IndexError> {
    let row = usize::try_from(id.0).expect("rows are not negative");
    let (mut read, mut vector) = (Vec::new(), Vec::new());
    view.vectors.read(row..row + 1, &mut read)?;
    view.vectors.widen(&read, &mut vector);
    Ok(vector)
}

fn shuffled(vector: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut vector = vector.to_vec();
    // Fisher and Yates.
    for last in (1..vector.len()).rev() {
        vector.swap(last, rng.random_range(0..=last));
    }
    vector
}

fn recall(found: &[Hit], exact: &[Hit]) -> f64 {
    let Some(last) = exact.last() else { return 1.0 };
    let n_near = found.iter().filter(|hit| hit.similarity >= last.similarity - TIE).count();
    n_near.min(exact.len()) as f64 / exact.len() as f64
}
