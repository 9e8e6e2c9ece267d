//! Retrieval by label: the hidden cause or activity, never a token that the encoder sees.

use chrono::TimeDelta;
use spaxiom_eval::{Ranked, score_ranking};

use super::features::Features;
use crate::data::LabeledEvent;

/// Hits that count.
const K: usize = 10;

/// Events of a query's own site whose context comes this near to the query's are no hits: they share its moment, not its cause.
const NEAR: TimeDelta = TimeDelta::hours(1);

/// What was found, query by query; those of which no event with the same label may be a hit are left out.
pub(super) struct Retrieved {
    /// Hits of the first ten over `min(10, relevant)`.
    pub(super) recalls: Vec<f64>,
    /// One over the rank of the first hit.
    pub(super) reciprocal_ranks: Vec<f64>,
    /// The episode of each query.
    pub(super) episodes: Vec<u64>,
}

/// Ranks the gallery for each of the queries.
pub(super) fn retrieve(features: &Features, gallery: &[LabeledEvent], queries: &[LabeledEvent]) -> Retrieved {
    let unit = features.unit();
    let mut retrieved = Retrieved { recalls: Vec::new(), reciprocal_ranks: Vec::new(), episodes: Vec::new() };
    let mut query_items = 0..gallery.len();
    for asked in queries {
        // Queries are a part of the gallery in the same order.
        let query =
            query_items.find(|&item| gallery[item].place() == asked.place()).expect("queries come from the gallery");
        let ranking = ranking(&unit, gallery, query);
        let n_relevant = ranking.iter().filter(|hit| hit.relevant).count();
        if let Some(scores) = score_ranking(&ranking, n_relevant, K) {
            retrieved.recalls.push(scores.recall_at_k);
            retrieved.reciprocal_ranks.push(scores.reciprocal_rank);
            retrieved.episodes.push(gallery[query].episode);
        }
    }
    retrieved
}

/// The nearest events that may be hits of an event of the gallery, one of each episode, and their similarities.
pub(super) fn nearest(unit: &Features, gallery: &[LabeledEvent], query: usize, k: usize) -> Vec<(usize, f32)> {
    let mut found: Vec<(usize, f32)> = Vec::new();
    for Ranked { item, .. } in ranking(unit, gallery, query) {
        if found.len() < k && found.iter().all(|(known, _)| gallery[*known].episode != gallery[item].episode) {
            found.push((item, unit.similarity(query, item)));
        }
    }
    found
}

/// All events that may be hits, nearest first.
fn ranking(unit: &Features, gallery: &[LabeledEvent], query: usize) -> Vec<Ranked> {
    let asked = &gallery[query];
    let may_be_hit = |item: &usize| {
        let event = &gallery[*item];
        let (begins, ends) = (asked.start - NEAR, asked.time + NEAR);
        let same_site = event.sequence_idx == asked.sequence_idx;
        let near = same_site && event.start <= ends && event.time >= begins;
        event.episode != asked.episode && !near
    };
    let items = (0..gallery.len()).filter(may_be_hit);
    let mut scored: Vec<(f32, usize)> = items.map(|item| (unit.similarity(query, item), item)).collect();
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let ranked = |(_, item): (f32, usize)| Ranked { item, relevant: gallery[item].class == asked.class };
    scored.into_iter().map(ranked).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{Features, LabeledEvent, nearest, ranking};

    /// Events: time in minutes, minutes of context before it, site, episode, class.
    const EVENTS: [(i64, i64, usize, u64, usize); 7] = [
        (0, 5, 0, 0, 0),
        (300, 5, 0, 0, 0),
        (30, 5, 0, 1, 0),
        (30, 5, 1, 2, 0),
        (66, 5, 0, 3, 0),
        (400, 5, 1, 4, 1),
        (66, 30, 0, 5, 0),
    ];

    #[test]
    fn neither_the_own_episode_nor_the_hour_around_it_is_a_hit() {
        let at = |minutes: i64| DateTime::from_timestamp(minutes * 60, 0).expect("small");
        let event = |(event_idx, (minutes, context, sequence_idx, episode, class))| LabeledEvent {
            sequence_idx,
            event_idx,
            class,
            episode,
            start: at(minutes - context),
            time: at(minutes),
        };
        let gallery: Vec<LabeledEvent> = EVENTS.into_iter().enumerate().map(event).collect();
        let features = Features::dense(vec![1.0, 0.5, 0.9, 0.8, 0.7, 0.6, 0.4], 1).unit();
        let hits = |query| {
            let mut hits: Vec<(usize, bool)> =
                ranking(&features, &gallery, query).iter().map(|hit| (hit.item, hit.relevant)).collect();
            hits.sort_unstable();
            hits
        };
        // Not itself, not its episode five hours later, not what is at its site with a context that begins within the hour.
        assert_eq!(hits(0), [(3, true), (4, true), (5, false)]);
        // One of each episode: the first event and the one five hours later are of the same.
        assert_eq!(nearest(&features, &gallery, 3, 2).iter().map(|hit| hit.0).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(hits(3), [(0, true), (1, true), (2, true), (4, true), (5, false), (6, true)]);
    }
}
