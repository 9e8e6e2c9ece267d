//! Retrieval by label: the hidden cause or activity, never a token that the encoder sees.

use chrono::TimeDelta;
use spaxiom_eval::{Interval, Ranked, clustered_mean, score_ranking};

use super::features::Features;
use crate::dataset::LabelledPart;

/// Hits that count.
const K: usize = 10;

/// Events of a query's own site within this time are no hits: they share its moment, not its cause.
const NEAR: TimeDelta = TimeDelta::hours(1);

/// Mean Recall@10 and MRR over the queries, each with its interval over episodes.
pub(super) fn score(
    features: &Features,
    gallery: &LabelledPart,
    queries: &LabelledPart,
    seed: u64,
) -> (Interval, Interval) {
    let unit = features.unit();
    let (mut recalls, mut ranks, mut episodes) = (Vec::new(), Vec::new(), Vec::new());
    let mut query_items = 0..gallery.places.len();
    for place in &queries.places {
        // Queries are a part of the gallery in the same order.
        let query = query_items.find(|&item| gallery.places[item] == *place).expect("queries come from the gallery");
        let ranking = ranking(&unit, gallery, query);
        let n_relevant = ranking.iter().filter(|hit| hit.relevant).count();
        if let Some(scores) = score_ranking(&ranking, n_relevant, K) {
            recalls.push(scores.recall_at_k);
            ranks.push(scores.reciprocal_rank);
            episodes.push(gallery.episodes[query]);
        }
    }
    (clustered_mean(&recalls, &episodes, seed), clustered_mean(&ranks, &episodes, seed))
}

/// All events that may be hits, nearest first.
fn ranking(unit: &Features, gallery: &LabelledPart, query: usize) -> Vec<Ranked> {
    let may_be_hit = |item: &usize| {
        let same_episode = gallery.episodes[*item] == gallery.episodes[query];
        let near =
            gallery.sites[*item] == gallery.sites[query] && (gallery.times[*item] - gallery.times[query]).abs() <= NEAR;
        !same_episode && !near
    };
    let items = (0..gallery.places.len()).filter(may_be_hit);
    let mut scored: Vec<(f32, usize)> = items.map(|item| (unit.similarity(query, item), item)).collect();
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let ranked = |(_, item): (f32, usize)| Ranked { item, relevant: gallery.classes[item] == gallery.classes[query] };
    scored.into_iter().map(ranked).collect()
}
