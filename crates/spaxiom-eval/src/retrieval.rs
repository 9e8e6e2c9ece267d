//! Figures for retrieval: what the first ten hits hold.

/// One hit of a ranking, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// Which entry of the gallery.
    pub item: usize,
    /// Whether it answers the query.
    pub relevant: bool,
}

/// Figures of one query; greater is better, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrievalScores {
    /// Relevant hits among the first k over `min(k, relevant entries in the gallery)`.
    pub recall_at_k: f64,
    /// One over the rank of the first relevant hit; 0 where none is in the ranking.
    pub reciprocal_rank: f64,
}

/// Scores the ranking of one query, of which `n_relevant` entries of the gallery are relevant.
///
/// None where nothing is relevant: such a query says nothing about the ranking.
#[must_use]
pub fn score_ranking(ranking: &[Ranked], n_relevant: usize, k: usize) -> Option<RetrievalScores> {
    if n_relevant == 0 {
        return None;
    }
    let hits = ranking.iter().take(k).filter(|hit| hit.relevant).count();
    let first = ranking.iter().position(|hit| hit.relevant);
    Some(RetrievalScores {
        recall_at_k: hits as f64 / n_relevant.min(k) as f64,
        reciprocal_rank: first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64),
    })
}

/// Share of the exact neighbors that an approximate search found too.
///
/// An approximate hit as similar as the last exact one counts: equal vectors make equal neighbors.
#[must_use]
pub fn recall_overlap(exact: &[(i64, f32)], approximate: &[(i64, f32)]) -> f64 {
    let Some(&(_, last)) = exact.last() else { return 1.0 };
    let found = approximate.iter().filter(|(_, similarity)| *similarity >= last - 1e-6).count();
    found.min(exact.len()) as f64 / exact.len() as f64
}
